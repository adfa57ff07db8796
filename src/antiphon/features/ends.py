"""The ends of users in all processes: what is open for them is closed, and logins under way come too late.

| who | writes | reads |
|---|---|---|
| ``Users.end`` | a number in the user's entry, higher than all before; when all is deleted, a message in a channel | |
| a login | | the last number, when it begins; the user's number, when its session is written: it must not be higher |
| a process with open streams or sockets of users | | the channel, and then the credentials of each once more |

Credentials are deleted before the message is sent. So a stream that begins too late to get the message finds that its
credentials are gone.
"""

import logging
import os
from collections.abc import Callable
from contextvars import Context
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakSet, ref

from antiphon.app.store import Store, StoreUnavailable, store_name
from antiphon.features.live.statements import tell_login
from antiphon.features.stores.memory import MemoryStore
from antiphon.handler.scope import find_current_request
from antiphon.http.errors import Unauthorized
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

if TYPE_CHECKING:
    from asyncio import Task

    from antiphon.features.channels.channel import ChannelListener
    from antiphon.features.channels.hub import Hub
    from antiphon.features.ending import Ending

LONGEST_LOGIN = 3600.0
"""The seconds for which a user's end is remembered: a request that logs the user in takes less."""
LOOK_EVERY = 1.0
"""The seconds after which an open stream or socket is watched. Most responses have ended by then."""
MOST_KEPT = 1000
"""The number of ends that the channel keeps for processes that are slow to read them."""


class Cuttable(Protocol):
    """A stream or a socket that is open for a user."""

    is_over: bool
    """True once it has ended."""

    def cut(self) -> None:
        """End it soon, from any thread."""
        ...


class Ends:
    """The ends of one application's users, in all processes that use the store. ``space`` tells them from the users of
    other applications with the same store.
    """

    def __init__(self, store: Store, space: Callable[[], str]) -> None:
        self._store = store
        self._space = space
        self._lock = Lock()
        self._open: dict[str, WeakSet[Any]] = {}
        self._new: list[_New] = []
        self._watched_in: int | None = None
        """The process whose task watches, or soon will, if any."""
        self._task: Task[None] | None = None

    @property
    def blocks(self) -> bool:
        """True if the methods wait for a disk or a network."""
        return self._store.blocks

    # Logins

    def number(self) -> int:
        """Return the number of the last end."""
        return self._store.increment(self._name("count"), by=0).value

    def mark(self, key: str) -> None:
        """Let all logins of a user that have begun come too late."""
        number = self._store.increment(self._name("count")).value
        self._store.change(self._name("user", key), {"number": number}, ttl=LONGEST_LOGIN)

    def is_marked(self, key: str, since: int) -> bool:
        """Return True if a user has ended since the end with the number ``since``."""
        entry = self._store.load(self._name("user", key))
        return entry is not None and entry.data["number"] > since

    def _name(self, *parts: str) -> str:
        return store_name("ended users", self._space(), *parts)

    # Open streams and sockets

    def tell(self, identity: str) -> None:
        """Close what is open for a user, in all processes."""
        from antiphon.app.channel_log import Keep
        from antiphon.serialization.json import encode_json

        tell_login(identity)
        name, hub = self._name("channel"), self._hub()
        hub.send(name, Keep(MOST_KEPT), encode_json(identity))
        hub.expire(name, LONGEST_LOGIN)

    def watch(self, identity: str, opened: Cuttable, request: Request, is_valid: Callable[[Request], bool]) -> None:
        """Close a stream or a socket when its user ends, or soon if the credentials of its request have ended by now.

        It is forgotten when nothing else refers to it.
        """
        with self._lock:
            self._open.setdefault(identity, WeakSet()).add(opened)
            self._new.append(_New(ref(opened), ref(request), is_valid))
            starts, self._watched_in = self._watched_in != os.getpid(), os.getpid()
        if starts:
            from antiphon.concurrency.background import background_loop

            # Not in the context of this request, which would be kept for as long as anything is open.
            Context().run(background_loop().loop.call_soon_threadsafe, self._look_later)

    def _look_later(self) -> None:
        from asyncio import get_running_loop

        get_running_loop().call_later(LOOK_EVERY, self._begin_to_watch)

    def _begin_to_watch(self) -> None:
        from asyncio import create_task

        if self._is_any_open(or_ends=True):  # a task only for what stays open: most streams have ended
            self._task = create_task(self._watch())

    def _hub(self) -> "Hub":
        from antiphon.features.channels.hub import hub_of

        try:
            return hub_of(self._store, self._name("channel"), "Users")
        except TypeError:  # a store of the application's own has no channels
            return hub_of(OF_THIS_PROCESS, self._name("channel"), "Users")

    async def _watch(self) -> None:
        from asyncio import sleep

        while self._is_any_open(or_ends=True):
            try:
                await self._listen()
            except StoreUnavailable:  # which is already logged
                pass
            except Exception:
                logging.getLogger("antiphon").exception("the ends of users can't be read")
            await sleep(LOOK_EVERY)

    def _is_any_open(self, *, or_ends: bool = False) -> bool:
        """Forget what is no longer open. Return False if nothing is, which may end the task that watches."""
        with self._lock:
            left = {identity: [each for each in opened if not each.is_over] for identity, opened in self._open.items()}
            self._open = {identity: WeakSet(opened) for identity, opened in left.items() if opened}
            if or_ends and not self._open:
                self._new.clear()
                self._watched_in = None
            return bool(self._open)

    async def _listen(self) -> None:
        from asyncio import create_task, sleep, wait

        from antiphon.app.channel_log import Keep
        from antiphon.features.channels.channel import ChannelListener

        async with ChannelListener(self._hub(), self._name("channel"), Keep(MOST_KEPT), None) as listener:
            reading = create_task(self._read(listener))
            try:
                while self._is_any_open() and not reading.done():
                    await self._check_new()
                    await sleep(LOOK_EVERY)
            finally:
                reading.cancel()
                await wait([reading])

    async def _read(self, listener: "ChannelListener") -> None:
        from antiphon.app.channel_log import MissedMessages

        async for message in listener:
            with self._lock:
                ended = [*self._open] if isinstance(message, MissedMessages) else [message.value]
                found = [each for identity in ended for each in self._open.get(identity, ())]
            for each in found:
                each.cut()

    async def _check_new(self) -> None:
        from antiphon.concurrency.crossing import Crossing

        while self._new:
            new = self._new[0]
            opened, request = new.opened(), new.request()
            if opened is not None and request is not None and not await Crossing().run(new.is_valid, request):
                opened.cut()
            del opened, request, self._new[0]


class _New(NamedTuple):
    """A stream or a socket since which the credentials of its request may have ended."""

    opened: "ref[Any]"
    request: "ref[Request]"
    is_valid: Callable[[Request], bool]


OF_THIS_PROCESS = MemoryStore()


# Logins


class LoginBegun(NamedTuple):
    """The number of the last end when a request began that may log someone in; None if it is unknown."""

    ends: Ends
    number: int | None


ENDING: Dependency["Ending"] = Dependency("ending of users")
"""How the users of an application end."""

BEGUN = Dependency[LoginBegun]("login begun")
"""What a login compares when its session is written. It is resolved for handlers whose code leads to one that names it,
before they can look at a password.
"""


def begin(ends: Ends, request: Request) -> LoginBegun:  # noqa: ARG001
    try:
        return LoginBegun(ends, ends.number())
    except StoreUnavailable:  # which is already logged, and the login can't be written either
        return LoginBegun(ends, None)


def begin_unknown(ends: Ends, request: Request) -> LoginBegun:  # noqa: ARG001
    return LoginBegun(ends, None)


def may_log_in(request: Request) -> bool:
    """Return False for a request that contains nothing with which anyone could log in."""
    return request.method not in ("GET", "HEAD") or bool(request.head.query_string)


def refuse_if_late(owner: str, delete: Callable[[], object], begun: Dependency[LoginBegun] | None = None) -> None:
    """Delete what has just been stored for a user who has ended since the current request began, and raise
    Unauthorized.

    Code that may itself log a user in passes ``BEGUN``, which is resolved for the code that names it.
    """
    if _is_too_late(owner, begun):
        delete()
        raise Unauthorized("Log in again: all logins of this user have ended.")


def _is_too_late(owner: str, begun: Dependency[LoginBegun] | None) -> bool:
    request = find_current_request()
    if request is None:
        return False
    if begun is not None and begun in request:
        ends, number = request[begun]
        if number is not None and ends.is_marked(owner, number):
            return True
    return request.app is not None and request.app.is_provided(ENDING) and not request[ENDING].is_valid(request)


class NewOwner(NamedTuple):
    """The user to whom a session belongs from now on, unless the user ends before it is written."""

    begun: LoginBegun
    key: str
    identity: str | None

    def is_too_late(self) -> bool:
        """Return True if the user has ended since the login began."""
        return self.begun.number is not None and self.begun.ends.is_marked(self.key, self.begun.number)

    def end_others(self, end: Callable[[], object]) -> None:
        """End the user's other sessions, those of logins under way, and what is open for the user."""
        self.begun.ends.mark(self.key)
        end()
        if self.identity is not None:
            self.begun.ends.tell(self.identity)
