"""What the C library does with memory that is no longer used."""

import ctypes

# glibc's numbers for the size from which a piece of memory gets a mapping of its own, and for how
# many heaps the threads of a process may have.
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
LARGE = 2**20
HEAPS = 2


def be_sparing() -> bool:
    """Give large pieces of memory back to the system as soon as they are free, and have the threads
    share two heaps. Return False where the C library is another one.

    glibc grows the bound of what is large with the first such piece that is freed, and what is
    below it stays with the thread that had it: after one picture of 50 million pixels in each of 20
    threads, the API held 400 MB for each. And it gives each thread a heap of its own, up to eight
    for each processor, where what one of them has freed helps none of the others: a housekeeper
    that collects 50 results was 10 MB larger with them. Python's own lock leaves little to be
    waited for at two.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    set_to = {M_MMAP_THRESHOLD: LARGE, M_ARENA_MAX: HEAPS}
    return all(mallopt(parameter, value) == 1 for parameter, value in set_to.items())
