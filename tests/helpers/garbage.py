"""Objects that refer to each other in a circle, which Python's collector has to find, since no count frees them."""

from collections import Counter

from antiphon.testing.pairs.running import kept_garbage


def garbage_of(call, times=3):
    """Return how many objects of each type some calls leave to the collector. The first ones may fill caches.

    A thread of an earlier test may end meanwhile, and leave garbage of its own: what calls leave, they leave each time.
    """
    for _ in range(2):
        call()
    for _ in range(2):
        with kept_garbage() as found:
            for _ in range(times):
                call()
        if not found:
            break
    return Counter(type(each).__qualname__ for each in found)
