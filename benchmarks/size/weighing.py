"""Services' processes on the scales."""

from dataclasses import dataclass

from benchmarks.size.containers import Containers
from benchmarks.size.memory import Memory, family, memory


@dataclass(frozen=True)
class Weighed:
    """What a process of a service had at some moment."""

    process: str
    situation: str
    memory: Memory


def weighed(running: Containers, service: str, situation: str) -> list[Weighed]:
    """A service's first process and, where it has started others, the largest of those."""
    first, *others = map(memory, family(running.pid(service)))
    if not others:
        return [Weighed(service, situation, first)]
    largest = max(others, key=lambda each: each.peak)
    return [
        Weighed(f"{service}, master", situation, first),
        Weighed(f"{service}, process", situation, largest),
    ]
