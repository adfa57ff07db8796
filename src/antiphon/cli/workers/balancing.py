"""The distribution of new connections among the workers of a server, on Linux.

| the worker of a slot | new connections |
|---|---|
| serves, and its loop turns | each goes to one of these at random |
| serves, but its loop is late: it is blocked, overloaded or stopped | none, until it turns |
| serves, and its loop turns, but it is almost full (`--max-connections`) | none, until it has room |
| is starting or has ended | none; those that wait are served by the slot's next worker |
| any, if none turns and has room | each goes to one that serves; if none does, to any slot |

Each slot has a listening socket, kept open by the supervisor; all share one address (SO_REUSEPORT). A program in the
kernel chooses a socket for each connection, and the supervisor replaces it whenever a worker's state changes. If all
workers shared one socket, the kernel would prefer one that is idle, and a blocked one would go on accepting, since the
threads of its server need no Python.

A loop is late once it has broken its promise to turn. It promises again at each turn, which a thread causes, also while
there are no requests, since a stopped worker can't report anything. It doesn't promise while it is almost full.
"""

import asyncio
import socket
import struct
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Protocol

OFTEN = 0.1
"""Seconds between two turns that are caused. This takes 2 milliseconds of CPU a second, in each process."""
LATE = 0.3
"""Seconds by which a turn may be late."""

_SO_ATTACH_REUSEPORT_CBPF = 51
_LOAD, _MODULO, _IF_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06
"""Instructions of classic BPF (linux/bpf_common.h): BPF_LD+W+ABS, BPF_ALU+MOD+K, BPF_JMP+JEQ+K and BPF_RET+K."""
_RANDOM = 0xFFFFF000 + 56
"""The address of a random number: SKF_AD_OFF + SKF_AD_RANDOM."""


def direct(listeners: Sequence[socket.socket], chosen: Sequence[int]) -> None:
    """Direct new connections to some of the listeners, by their indexes, at random. Raises OSError."""
    program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(chosen))]
    for number, index in enumerate(chosen):
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, index)]
    program.append((_RETURN, 0, 0, chosen[0]))  # never reached, but a program has to end
    code = array("B", b"".join(struct.pack("=HBBI", *each) for each in program))
    described = struct.pack("HP", len(program), code.buffer_info()[0])  # struct sock_fprog
    listeners[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)


class Promising(Protocol):
    """The place of a worker."""

    @property
    def due(self) -> float | None:
        """The time by which the worker's loop has promised to turn and to have room; None if no worker is serving."""
        ...


class Balance:
    """The choice of the workers that get new connections."""

    def __init__(self, listeners: Sequence[socket.socket], slots: Sequence[Promising]) -> None:
        self._listeners = listeners
        self._slots = slots
        self._is_wanted = asyncio.Event()
        self._chosen = [*range(len(listeners))]
        self._until = 0.0

    def look(self) -> None:
        """Choose again soon, because a worker has begun to serve or has ended."""
        self._is_wanted.set()

    def has_turned(self, due: float) -> None:
        """Take in the promise of a worker: choose again if it was late, or may be late before the next look."""
        if due < self._until or len(self._chosen) < len(self._listeners):
            self.look()

    async def keep(self) -> None:
        """Choose at once, and again whenever something has changed."""
        while True:
            self._is_wanted.clear()
            now = time.monotonic()
            serving = {index: slot.due for index, slot in enumerate(self._slots) if slot.due is not None}
            punctual = [index for index, due in serving.items() if due > now]
            self._choose(punctual or [*serving] or [*range(len(self._listeners))])
            self._until = min((serving[index] or now for index in punctual), default=now + OFTEN)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_wanted.wait(), self._until - now)

    def _choose(self, chosen: list[int]) -> None:
        if chosen != self._chosen:
            with suppress(OSError):  # the kernel lacks memory, and has some at the next look
                direct(self._listeners, chosen)
                self._chosen = chosen


def promise_turns(
    loop: asyncio.AbstractEventLoop | None, has_room: Callable[[], bool], promise: Callable[[float], object]
) -> None:
    """In a worker, call ``promise`` at each turn with the seconds within which the next one comes, if it has room.

    Without a loop, turns are those of a thread, which needs only the GIL.
    """
    has_turned = Event()
    has_turned.set()

    def turn() -> None:
        promise(OFTEN + LATE if has_room() else 0.0)
        has_turned.set()

    def turn_for_ever() -> None:
        while True:
            if has_turned.is_set():
                has_turned.clear()
                try:
                    turn() if loop is None else loop.call_soon_threadsafe(turn)
                except RuntimeError:  # the loop is closed
                    return
            time.sleep(OFTEN)

    Thread(target=turn_for_ever, name="antiphon-turns", daemon=True).start()
