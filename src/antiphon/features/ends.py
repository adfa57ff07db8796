"""The ends of users: everything that is kept or open for a user ends by one call, in all processes.

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
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable
from weakref import WeakKeyDictionary, WeakSet, ref

from antiphon.app.store import RETRY_AFTER, Store, StoreUnavailable, store_name
from antiphon.concurrency.loop import running_loop, thread
from antiphon.features.stores.memory import MemoryStore
from antiphon.handler.scope import find_current_request
from antiphon.http.head import server_head
from antiphon.request.dependencies import Dependency
from antiphon.request.lifetime import Lifetime
from antiphon.request.request import Request
from antiphon.response.files import is_for_any_thread
from antiphon.response.message import watched
from antiphon.response.response import Response

if TYPE_CHECKING:
    import asyncio

    from antiphon.app.application import App
    from antiphon.features.channels.channel import ChannelListener
    from antiphon.features.channels.hub import Hub

LONGEST_LOGIN = 3600.0
"""The seconds for which a user's end is remembered: a request that logs the user in takes less."""
LOOK_EVERY = 1.0
"""The seconds after which an open stream or socket is watched. Most responses have ended by then."""
MOST_KEPT = 1000
"""The number of ends that the channel keeps for processes that are slow to read them."""


@runtime_checkable
class HoldsForUsers(Protocol):
    """A feature, or a source of users, that can end everything that it holds for a user."""

    holds: str
    """What it holds, in the plural."""

    def end_all_of(self, user: Any, key: str | None) -> int | None:
        """End it and return how much it was, or None if it isn't known what belongs to the user. ``key`` is the key
        that a session keeps, or the user's id as text; None if there is neither. Raises StoreUnavailable.
        """
        ...


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
        """The process whose task watches, if any."""

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
        from antiphon.features.channels.message import Recorder
        from antiphon.serialization.json import encode_json

        name, hub = self._name("channel"), self._hub()
        hub.send(name, Recorder(MOST_KEPT), encode_json(identity))
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
            from asyncio import run_coroutine_threadsafe

            from antiphon.concurrency.background import background_loop

            run_coroutine_threadsafe(self._watch(), background_loop().loop)

    def _hub(self) -> "Hub":
        from antiphon.features.channels.hub import hub_of

        try:
            return hub_of(self._store, self._name("channel"), "Users")
        except TypeError:  # a store of the application's own has no channels
            return hub_of(_of_this_process, self._name("channel"), "Users")

    async def _watch(self) -> None:
        from asyncio import sleep

        await sleep(LOOK_EVERY)
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

        from antiphon.features.channels.channel import ChannelListener
        from antiphon.features.channels.message import Recorder

        async with ChannelListener(self._hub(), self._name("channel"), Recorder(MOST_KEPT), None) as listener:
            reading = create_task(self._read(listener))
            try:
                while self._is_any_open() and not reading.done():
                    await self._check_new()
                    await sleep(LOOK_EVERY)
            finally:
                reading.cancel()
                await wait([reading])

    async def _read(self, listener: "ChannelListener") -> None:
        from antiphon.features.channels.message import MissedMessages

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


_of_this_process = MemoryStore()


# Logins


class LoginBegun(NamedTuple):
    """The number of the last end when a request began that may log someone in; None if it is unknown."""

    ends: Ends
    number: int | None


BEGUN = Dependency[LoginBegun]("login begun")
"""What a login compares when its session is written. It is read before the handler can look at a password."""


def _begin(ends: Ends, request: Request) -> LoginBegun:  # noqa: ARG001
    try:
        return LoginBegun(ends, ends.number())
    except StoreUnavailable:  # which is already logged, and the login can't be written either
        return LoginBegun(ends, None)


async def _begin_on_loop(ends: Ends, request: Request) -> LoginBegun:
    return _begin(ends, request)


def _begin_unknown(ends: Ends, request: Request) -> LoginBegun:  # noqa: ARG001
    return LoginBegun(ends, None)


def _may_log_in(request: Request) -> bool:
    """Return False for a request that contains nothing with which anyone could log in."""
    return request.method not in ("GET", "HEAD") or bool(request.head.query_string)


def is_too_late(begun: Dependency[LoginBegun], owner: str) -> bool:
    """Return True if a user has ended since the current request began, so that nothing new of the user may live."""
    request = find_current_request()
    if request is None or begun not in request:
        return False
    ends, number = request[begun]
    return number is not None and ends.is_marked(owner, number)


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


# Streams


class _OpenStream:
    """A streamed response that can be ended as if its client had disconnected. ``loop`` is None over WSGI."""

    __slots__ = ("__weakref__", "_lifetime", "_loop", "is_cut", "is_over")

    def __init__(self, lifetime: Lifetime, loop: "asyncio.AbstractEventLoop | None") -> None:
        self._lifetime = lifetime
        self._loop = loop
        self.is_cut = self.is_over = False

    async def end(self) -> None:
        """Record that the response has ended."""
        self.is_over = True

    def cut(self) -> None:
        self.is_cut = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._lifetime._cut)

    def check(self, _: object = None) -> None:
        """Raise the error with which a server's thread cuts the response off, once the stream has ended."""
        if self.is_cut:
            from antiphon.adapters.disconnect import client_gone

            raise client_gone("The user of this stream has ended.")


def is_open_long(request: Request, response: Response) -> bool:
    """Return True for a stream or a WebSocket, but not for a file."""
    return response.is_streamed and request.method != "HEAD" and not is_for_any_thread(response.body)


def opened_for(request: Request, response: Response) -> tuple[Cuttable, Response]:
    """Return what can be ended, and the response that can."""
    body: Any = response.body
    if hasattr(body, "cut"):  # a WebSocket's conversation
        return body, response
    outermost = request
    while outermost._outer_request is not None:
        outermost = outermost._outer_request
    blocks = request.head.blocks
    stream = _OpenStream(outermost.lifetime, None if blocks else running_loop() or thread.loop)
    outermost._defer_first(stream.end)  # this also keeps the stream as long as the request
    if blocks:
        head: Any = server_head(request.head)
        head._note_end(lambda: stream.is_cut)
        response = response.__copy__()
        response.body = watched(body, stream.check)
    return stream, response


# The end


def _space_of(name: str, app: "ref[App]") -> str:
    found = app()
    return f"{name} at {found._first_place if found is not None else ''}"  # noqa: SLF001 - as of rate limits


class Ending:
    """How one ``Users`` ends its users. ``revoke`` ends the credentials that only the application knows."""

    def __init__(self, revoke: Callable[[Any], object] | None) -> None:
        self._revoke = revoke
        self._of_apps: WeakKeyDictionary[App, Ends] = WeakKeyDictionary()

    @property
    def blocks(self) -> bool:
        """True if the end waits for a disk or a network."""
        return self._revoke is not None or any(ends.blocks for ends in self._of_apps.values())

    def install(self, app: "App", sources: Iterable[Any], name: str) -> None:
        """Record an application that has the users of these sources. ``name`` tells its users from any others."""
        sessions = next((found for source in sources if (found := source._kept_in(app)) is not None), None)
        own = getattr(app, "store", None) if sessions is None else sessions[0]
        store = own if isinstance(own, Store) and own.is_server_side else _of_this_process
        space = partial(_space_of, name, ref(app)) if sessions is None else lambda: f"{name} {sessions[1]}"
        ends = self._of_apps[app] = Ends(store, space)
        if not app.is_provided(BEGUN):
            begin = partial(_begin if store.blocks else _begin_on_loop, ends)
            app.provide(BEGUN, begin, blocking=store.blocks, when=_may_log_in, default=partial(_begin_unknown, ends))

    def of(self, app: "App | None") -> Ends:
        """Return the ends of an application's users."""
        return self._of_apps[app]  # type: ignore[index]  # of a request that has users

    def end(self, user: Any, key: str | None, identity: str, sources: Iterable[Any]) -> dict[str, int | None]:
        """End everything of a user, as far as the stores respond. ``identity`` tells users of all kinds apart.

        Raises StoreUnavailable, which says what has ended and what hasn't.
        """
        steps = dict(self._steps(user, key, sources))
        ended, failed = dict[str, int | None](), list[str]()
        if key is not None:
            for ends in self._of_apps.values():
                _try("logins under way", partial(ends.mark, key), ended={}, failed=failed)
        for what, step in steps.items():
            _try(what, step, ended, failed)
        for ends in self._of_apps.values():
            _try("open streams and sockets", partial(ends.tell, identity), ended={}, failed=failed)
        if failed:
            detail = (
                f"Not everything of the user has ended. Ended: {_listed(ended)}. Not ended: {_listed(failed)}."
                " Please try again in a moment."
            )
            raise StoreUnavailable(detail, retry_after=RETRY_AFTER)
        if unknown := [what for what, count in ended.items() if count is None]:
            logging.getLogger("antiphon").warning(
                "Users.end can't end a user's %s: end what the application itself keeps in Users(..., revoke=function)",
                _listed(unknown),
            )
        return ended

    def _steps(self, user: Any, key: str | None, sources: Iterable[Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what can end, with the function that ends it."""
        for source in sources:
            if isinstance(source, HoldsForUsers):
                yield source.holds, partial(source.end_all_of, user, key)
            elif self._revoke is None:
                public = [kind.__name__ for kind in type(source).__mro__ if kind.__name__[0] != "_"]
                yield f"{public[0]} credentials", lambda: None
        for feature in dict.fromkeys(each for app in self._of_apps for each in app.features):
            if isinstance(feature, HoldsForUsers):
                yield feature.holds, partial(feature.end_all_of, user, key)
        if self._revoke is not None:
            yield "revoked", partial(self._revoked, self._revoke, user)

    @staticmethod
    def _revoked(revoke: Callable[[Any], object], user: Any) -> int:
        count = revoke(user)
        return count if isinstance(count, int) else 0


def _try(what: str, step: Callable[[], Any], ended: dict[str, int | None], failed: list[str]) -> None:
    """End one kind of things, and record that, or its failure."""
    try:
        ended[what] = step()
    except StoreUnavailable:  # which is already logged
        failed.append(what)
    except Exception:
        logging.getLogger("antiphon").exception("a user's end has failed: %s", what)
        failed.append(what)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
