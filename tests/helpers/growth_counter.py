"""`valgrind ... python -m tests.helpers.growth_counter MODULE ...`: count the work that modules name in ``GROWING``.

These are functions that are called with a scale, and return a function whose work is counted. Each has a file of its
own for each scale, in turn. Little is imported here: Valgrind is slow.
"""

import gc
import sys
from importlib import import_module

from benchmarks import callgrind

SCALES = 1, 3, 9


def main(modules):
    growing = [make for module in modules for make in import_module(module).GROWING.values()]
    gc.disable()
    callgrind.start()
    for make in growing:
        works = [make(scale) for scale in SCALES]
        works[0]()  # so that all is imported and cached
        for work in works:
            callgrind.toggle()
            work()
            callgrind.toggle()
            callgrind.dump()


if __name__ == "__main__":
    main(sys.argv[1:])
