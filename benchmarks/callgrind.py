"""Callgrind told from inside of a process when to count instructions, by the requests of <valgrind/callgrind.h>.

A request is a sequence of instructions that does nothing on a processor, and that Valgrind knows. It is the same in
every version; here is the one for x86-64, called by ctypes from memory that may be run.
"""

import ctypes
import platform
from collections.abc import Callable
from functools import cache
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE, mmap

MACHINE = "x86_64"
REQUEST = bytes.fromhex(
    "4889f8"  # mov rax, rdi: the address of the request and its arguments
    "31d2"  # xor edx, edx: the answer of a real processor
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi by 3, 13, 61 and 51: together a whole turn
    "4887db"  # xchg rbx, rbx: here Valgrind does what is asked for
    "4889d0 c3"  # mov rax, rdx; ret
)
RUNNING_ON_VALGRIND = 0x1001
CALLGRIND = int.from_bytes(b"CT") << 16
DUMP_STATS = CALLGRIND
TOGGLE_COLLECT = CALLGRIND + 2
START_INSTRUMENTATION = CALLGRIND + 4


def is_running() -> bool:
    """Tell if Valgrind runs this process."""
    return platform.machine() == MACHINE and bool(requester()(RUNNING_ON_VALGRIND))


def start() -> None:
    """Instrument what runs from here on; nothing is counted yet."""
    requester()(START_INSTRUMENTATION)


def toggle() -> int:
    """Begin to count, or stop; 0, so that it can stand in for a clock."""
    return requester()(TOGGLE_COLLECT)


def dump() -> None:
    """Write what was counted since the last time to a file of its own, whose name ends with .1, .2 and so on."""
    requester()(DUMP_STATS)


@cache
def requester() -> Callable[[int], int]:
    memory = mmap(-1, len(REQUEST), MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE | PROT_EXEC)
    memory.write(REQUEST)
    code = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(code)
    arguments = (ctypes.c_uint64 * 6)()

    def request(number: int) -> int:
        arguments[0] = number
        return call(ctypes.addressof(arguments)) if memory else 0

    return request
