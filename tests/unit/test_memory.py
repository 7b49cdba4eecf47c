"""Memory goes back once a picture is done with."""

import subprocess
import sys

from tests.compose import ROOT

# Four threads, one after the other, each with a picture of its own.
PICTURES = """
import pathlib, sys, threading
sys.path.insert(0, sys.argv[1])
from PIL import Image
from config.memory import be_sparing

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

be_sparing()
before = resident()
for _ in range(4):
    thread = threading.Thread(target=lambda: Image.new("RGB", (5000, 5000)).rotate(90))
    thread.start()
    thread.join()
print((resident() - before) // 10**6)
"""


def test_the_memory_of_a_picture_does_not_stay_with_its_thread() -> None:
    command = [sys.executable, "-c", PICTURES, str(ROOT)]

    told = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)

    assert int(told.stdout) < 50
