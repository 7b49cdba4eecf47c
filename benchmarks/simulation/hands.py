"""The workers: threads that hold an image from its claim to its note, and claims one by one."""

from heapq import heappop, heappush
from math import inf


class Hands:
    """So many threads of so many processes, which claim side by side, each one by one."""

    def __init__(self, processes: int, threads: int, claim: float) -> None:
        self._threads = processes * threads
        self._pause = claim / processes
        self._busy: list[float] = []
        self._next = -inf

    def free_from(self) -> float:
        """When a thread is there to claim for."""
        if len(self._busy) < self._threads:
            return self._next
        return max(self._next, self._busy[0])

    def hold(self, at: float, until: float) -> int:
        """Give an image to a thread; return how many hold one now."""
        self._next = at + self._pause
        while self._busy and self._busy[0] <= at:
            heappop(self._busy)
        heappush(self._busy, until)
        return len(self._busy)
