"""How much memory a process has, in megabytes of 1,000,000 bytes."""

from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Memory:
    """`rss`: all of it, shared libraries too, as a container that runs alone is charged; `pss`:
    what is shared is divided among those who share it; `uss`: what would be free without it;
    `peak`: the largest RSS that it ever had."""

    rss: float
    pss: float
    uss: float
    peak: float


def memory(pid: int) -> Memory:
    """What a process has now."""
    full = psutil.Process(pid).memory_full_info()
    return Memory(full.rss / MB, full.pss / MB, full.uss / MB, peak(pid))


def peak(pid: int) -> float:
    """The most that a process has had resident, as the kernel remembers it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / MB


def family(pid: int) -> list[int]:
    """A process and what it has started, the eldest first."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]
