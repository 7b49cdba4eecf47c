"""How much CPU processes have used."""

import psutil


def spent(pid: int) -> float:
    """The seconds of CPU that a process and its children have used, also those that ended."""
    process = psutil.Process(pid)
    return sum(_own(each) for each in [process, *process.children(recursive=True)])


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # It ended just now: its parent's times hold it.
        return 0.0
    return float(sum((times.user, times.system, times.children_user, times.children_system)))
