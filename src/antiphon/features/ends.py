"""The ends of users in all processes: what is open for them is closed, and logins under way come too late.

| who | writes | reads |
|---|---|---|
| ``Users.end`` | a number in the user's entry, higher than all before; when all is deleted, a message in a channel | |
| ``Users.disconnect`` | the same number, of what the user has open; then the message | |
| ``look_again`` | once credentials are deleted, such as a session or an API key, a message with the user's key | |
| a login | | the last number, when it begins; the user's number, when it is written: it must not be higher |
| a process with open streams or sockets of users | | the channel, and then the credentials again, as at their end |

Credentials are deleted before the message is sent. So a stream that begins too late to get the message finds that its
credentials are gone.

Most requests log nobody in, so what a login notes when it begins depends on its request. What is unknown is refused:

| the request | notes | has come too late for a higher number |
|---|---|---|
| looks like a login, to a route that may log in | the last number in the store | always |
| does not, or the store is away | the last number known here, and the time | unless it began ``CLOCKS_APART`` later |
| is to a route whose code logs nobody in, as it seems | nothing | always |
"""

import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import Context, ContextVar
from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary, WeakSet, ref

from antiphon import Dependency, Request, current_request
from antiphon.embedding import FeatureStore, RequestState, arrivals, over_limit, unwatched
from antiphon.features import MemoryStore, Store, StoreUnavailable
from antiphon.http import Forbidden, HTTPError, TooManyRequests, Unauthorized

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event, Task
    from asyncio import Lock as AsyncLock

    from antiphon.features import UserSource
    from antiphon.features.channels.channel import ChannelListener
    from antiphon.features.channels.hub import Hub
    from antiphon.features.ending import Ending

__reads__ = ()

_named = FeatureStore.declare("ended users", until="major", unreadable="refused")
LONGEST_LOGIN = 3600.0
"""The seconds for which the end of a user's tokens is remembered: a request that logs the user in takes less."""
LONGEST_SESSION = 90 * 24 * 3600.0
"""The seconds for which a user's end is remembered: a session in which half a login waits lasts no longer."""
CLOCKS_APART = 300.0
"""The seconds by which the clocks of machines may differ, or be set, while a user is ended."""
LOOK_EVERY = 1.0
"""The seconds after which an open stream or socket is watched. Most responses have ended by then."""
RENEWED_FOR = 60.0
"""The seconds after which credentials are checked again that should have ended, but were renewed by other requests."""
TOKENS = "tokens"
"""The name of the end of a user's tokens."""
OPENED = "opened"
"""The name of the end of what a user has open."""
MOST_KEPT = 1000
"""The number of ends that the channel keeps for processes that are slow to read them."""


class Cuttable(Protocol):
    """A stream or a socket that is open for a user."""

    is_over: bool
    """True once it has ended."""

    loop: "AbstractEventLoop | None"
    """The loop that sends it; None over WSGI."""

    def cut(self) -> None:
        """End it soon, from any thread."""
        ...


class Render(Protocol):
    """A render that is kept, and made again when a login on which it depends has ended."""

    def note_login(self, keys: Iterable[str], seconds: float) -> None:
        """Note that it depends on the login of a user with these keys, which ends after that time."""
        ...


render_in_progress: ContextVar[Render | None] = ContextVar("antiphon_render", default=None)
told_of_ends: list[Callable[[str], object]] = []
"""What is called with the key of a user whose logins have ended."""


class Ends:
    """The ends of one application's users, in all processes that use the store. ``space`` tells them from the users of
    other applications with the same store.
    """

    def __init__(self, store: Store, space: Callable[[], str]) -> None:
        self._store = store
        self._space = space
        self._known = 0
        """The number of the last end of which this process knows."""
        self._told = set[str]()
        self._lock = Lock()
        self._open: dict[str, WeakKeyDictionary[Any, _Opened]] = {}
        self._to_check: list[_Opened] = []
        self._watched_in: int | None = None
        """The process whose task watches, or soon will, if any."""
        self._tasks: set[Task[None]] = set()
        self._locks: dict[UserSource[Any], AsyncLock] = {}

    @property
    def blocks(self) -> bool:
        """True if the methods wait for a disk or a network."""
        return self._store.blocks

    # Logins

    def begin(self, request: Request) -> "LoginBegun":
        """Return the number of the last end: what a login compares. Calls the store."""
        try:
            return LoginBegun(self, self._look(), None)
        except StoreUnavailable:  # which is already logged
            return request[BEGUN]  # as it was noted

    def note(self) -> "LoginBegun":
        """Return what this process knows, which costs nothing."""
        return LoginBegun(self, self._known, monotonic())

    def _look(self) -> int:
        entry = self._store.load(self._name("last"))
        self._known = known = 0 if entry is None else entry.data["number"]
        return known

    def mark(self, key: str, what: str = "user") -> None:
        """Let all logins of a user that have begun come too late, or end the user's tokens that were checked."""
        name, data, made = self._name("last"), dict[str, int](), None
        while made is None:  # not a counter, which begins again if the clock is set back
            last = self._store.load(name)
            data = {"number": 1 if last is None else last.data["number"] + 1}
            add, replace = self._store.add, self._store.replace
            made = add(name, data) if last is None else replace(name, last.data | data, version=last.version)
        self._store.change(self._name(what, key), data, ttl=LONGEST_LOGIN if what == TOKENS else LONGEST_SESSION)
        self._known = data["number"]

    def has_ended(self, key: str, begun: "LoginBegun", what: str) -> bool:
        """Return True if a user has ended since a login began, or may have."""
        end = self._store.load(self._name(what, key))
        if end is None:
            return False
        if begun.since is not None and not end.changed < begun.since <= self._store.clock() + CLOCKS_APART:
            return True
        if begun.number < 0:
            return self._store.clock() - end.changed < LONGEST_LOGIN
        is_later: bool = end.data["number"] > begun.number
        if begun.at is None or not is_later:
            return is_later
        with suppress(StoreUnavailable):
            self._look()  # so that the next login here knows of this end
        return self._store.clock() - end.changed <= monotonic() - begun.at + CLOCKS_APART

    def _name(self, *parts: str) -> str:
        return _named(self._space(), *parts)

    # Open streams and sockets

    def tell(self, identity: str) -> None:
        """Close what is open for a user, in all processes."""
        self._send(identity, identity)

    def look_again(self, key: str, *, tokens: bool = False) -> None:
        """Close what is open for a user by credentials that have ended, in all processes. With ``tokens``, those of
        which nothing else here tells whether they have ended, end now.
        """
        if tokens:
            self.mark(key, TOKENS)
        self._send(key, [key])

    def _send(self, login: str, message: object) -> None:
        from antiphon.embedding import encode_json
        from antiphon.features.channels.feed import Keep

        for told in told_of_ends:
            told(login)
        name, hub = self._name("channel"), self._hub()
        hub.send(name, Keep(MOST_KEPT), encode_json(message))
        hub.expire(name, LONGEST_LOGIN)

    def watch(
        self, identity: str, keys: set[str], opened: Cuttable, request: Request, ending: "Ending", most: int
    ) -> None:
        """Close a stream or a socket when its user ends, or soon if the credentials of its request have ended by now,
        and when they end. ``keys`` are the key of the user, and of those who act as the user, as text.

        It is forgotten when nothing else refers to it. Raises TooManyRequests if ``most`` are open for the user.
        """
        with self._lock:
            others = sum(not each.is_over for each in self._open.get(identity, ()))
            check_share(self._told, "open", most, identity, others + 1)
            new = _Opened(ref(opened), ref(request), keys, ending)
            self._open.setdefault(identity, WeakKeyDictionary())[opened] = new
            self._to_check.append(new)
            starts, self._watched_in = self._watched_in != os.getpid(), os.getpid()
        if starts:
            from antiphon.embedding import background_loop

            # Not in the context of this request, which would be kept for as long as anything is open.
            Context().run(background_loop().loop.call_soon_threadsafe, self._look_later)

    def _look_later(self) -> None:
        from asyncio import get_running_loop

        get_running_loop().call_later(LOOK_EVERY, self._begin_to_watch)

    def _begin_to_watch(self) -> None:
        if self._is_any_open(or_ends=True):  # a task only for what stays open: most streams have ended
            self._begin(self._watch())

    def _begin(self, steps: "Coroutine[Any, Any, None]") -> None:
        from asyncio import create_task

        task = create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
            with self._lock:  # what has ended in the meantime was not read
                self._to_check = [each for opened in self._open.values() for each in opened.values()]
            await sleep(LOOK_EVERY)

    def _is_any_open(self, *, or_ends: bool = False) -> bool:
        """Forget what is no longer open, and check that whose credentials should have ended. Return False if nothing is
        open, which may end the task that watches.
        """
        with self._lock:
            now = monotonic()
            for identity, opened in [*self._open.items()]:
                for each in [each for each in opened if each.is_over]:
                    del opened[each]
                for due in [each for each in opened.values() if each.checked_at <= now]:
                    due.checked_at = inf
                    self._to_check.append(due)
                if not opened:
                    del self._open[identity]
            if or_ends and not self._open:
                self._to_check.clear()
                self._watched_in = None
            return bool(self._open)

    async def _listen(self) -> None:
        from asyncio import Event, create_task, timeout, wait

        from antiphon.features.channels.channel import ChannelListener
        from antiphon.features.channels.feed import Keep

        async with ChannelListener(self._hub(), self._name("channel"), Keep(MOST_KEPT), None) as listener:
            told = Event()
            reading = create_task(self._read(listener, told))
            try:
                while self._is_any_open() and not reading.done():
                    told.clear()
                    await self._check()
                    with suppress(TimeoutError):
                        async with timeout(LOOK_EVERY):
                            await told.wait()
            finally:
                reading.cancel()
                await wait([reading])

    async def _read(self, listener: "ChannelListener", told: "Event") -> None:
        from antiphon.embedding import Crossing

        async for message in listener:
            with self._lock:
                value = getattr(message, "value", None)  # missed messages have none
                if value and isinstance(value, list):
                    every = [each for opened in self._open.values() for each in opened.values()]
                    self._to_check += [each for each in every if not each.keys.isdisjoint(value)]
                    told.set()
                    continue
                ended = [each for name, opened in self._open.items() if value in (name, []) for each in opened]
            for opened in ended:
                opened.cut()
            if ended:  # so that what its clients open now is known to be later
                with suppress(StoreUnavailable):
                    await Crossing().run(self._look)

    async def _check(self) -> None:
        from antiphon.embedding import Crossing

        while self._to_check:
            each = self._to_check[0]
            opened, request = each.opened(), each.request()
            if opened is not None and request is not None:
                left = await Crossing().run(each.ending.seconds_open, request)
                if left <= 0:
                    opened.cut()
                if not each.is_asked:  # in a task of its own: others don't wait for what a loader waits for
                    each.is_asked = True
                    self._begin(each.ask_again(each.ending.sources_of(request), self._locks, left))
            del opened, request, self._to_check[0]


class _Opened:
    """A stream or a socket since whose begin the credentials of its request may have ended."""

    __slots__ = ("checked_at", "ending", "is_asked", "keys", "opened", "request")

    def __init__(self, opened: "ref[Any]", request: "ref[Request]", keys: set[str], ending: "Ending") -> None:
        self.opened = opened
        self.request = request
        self.keys = keys
        self.ending = ending
        self.is_asked = False
        """True while loaders are called again."""
        self.checked_at = inf
        """The time of the next check, by the ``monotonic`` clock."""

    async def ask_again(
        self, sources: "Iterable[UserSource[Any]]", locks: "dict[UserSource[Any], AsyncLock]", left: float
    ) -> None:
        """End it if a loader no longer finds its user, and check it again after that and ``left`` seconds."""
        from asyncio import Lock as AsyncLock

        for source in sources:
            async with locks.setdefault(source, AsyncLock()):  # one after another: a loader may hash a password
                opened, request = self.opened(), self.request()
                if opened is not None and request is not None and await _finds_nobody(source, request, opened.loop):
                    opened.cut()
                del opened, request
        self.checked_at, self.is_asked = monotonic() + left, False


async def _finds_nobody(source: "UserSource[Any]", request: Request, loop: "AbstractEventLoop | None") -> bool:
    """Call a loader again, on the loop of its request or on a thread, and return True if it finds no user."""
    from asyncio import run_coroutine_threadsafe, timeout, wrap_future

    from antiphon.embedding import Crossing, background_loop, contained, is_async

    try:
        with unwatched(request):
            given = source.credentials(request)
        if given is None or (loop is not None and loop.is_closed()):
            return False
        if not is_async(source.loader):
            return is_nobody(await Crossing().run(source.loader, *given))
        async with timeout(RENEWED_FOR):
            steps: Any = source.loader(*given)
            found = await wrap_future(run_coroutine_threadsafe(contained(steps), loop or background_loop().loop))
            return is_nobody(found)
    except (Forbidden, Unauthorized):
        return True
    except (HTTPError, TimeoutError):  # nobody can tell at the moment
        return False
    except (Exception, SystemExit, KeyboardInterrupt):
        if source not in _FAILING:  # each stream asks, each minute
            _FAILING.add(source)
            logging.getLogger("antiphon").exception(
                "whether the user of open streams is still found can't be told: loaders are called again outside of a"
                " request, so one that reads current_request() needs Users.end"
            )
        return False


def is_nobody(user: object) -> bool:
    """Return True for what a loader returns if it finds no user. Empty text is nobody, too."""
    return user is None or (isinstance(user, str) and not user)


_FAILING: "WeakSet[UserSource[Any]]" = WeakSet()
"""The sources whose failure is logged, once."""


def check_share(told: set[str], limit: str, most: int, client: str, count: int) -> None:
    """Raise TooManyRequests (429) for a user or an address that has more than ``most`` streams open, with this one. The
    first is logged, after which ``told`` has the limit.
    """
    if count <= most:
        return
    if limit not in told:
        told.add(limit)
        is_address = client.lstrip("0123456789:").startswith("address ")  # else it is a user's key
        advice = ": declare it if it is a proxy" if is_address else ""
        logging.getLogger("antiphon").warning("%s has %d %s streams%s", client[:100], most, limit, advice)
    error = over_limit(TooManyRequests, limit, most, "You have started too much at once. Try again soon.")
    error.headers["retry-after"] = "5"
    raise error


OF_THIS_PROCESS = MemoryStore()


# Logins


class LoginBegun(NamedTuple):
    """The number of the last end when a request began that may log someone in, -1 if unknown. If that is only the last
    one of which the process knew, ``at`` is the time by the ``monotonic`` clock. ``since`` is the time by the store's
    clock at which the request's session began, unless it is the user's own: half a login may have waited in it.
    """

    ends: Ends
    number: int
    at: float | None
    since: float | None = None

    def is_too_late(self, key: str, what: str = "user") -> bool:
        """Return True if a user has ended since then, or may have. Calls the store."""
        return self.ends.has_ended(key, self, what)


ENDING: Dependency["Ending"] = Dependency("ending of users")
"""How the users of an application end."""

BEGUN = Dependency[LoginBegun]("login begun")
"""What a login compares when it is written. It is noted for handlers whose code may lead to code that names it, before
they can look at a password.
"""


NOTED = Dependency[LoginBegun]("credential begun")
"""The same for an API key, whose code is a part of all code that asks for the user: it is noted without the store."""


def note_begin(ends: Ends, has_login: Callable[[Request], bool], request: Request) -> bool:
    """Note when a request began. Return True if it has something with which anyone could log in."""
    request[BEGUN] = ends.note()
    with unwatched(request):  # no response depends on that
        return has_login(request)


def noted(request: Request) -> LoginBegun:
    """Return what was noted."""
    return RequestState(request).values[BEGUN]  # type: ignore[no-any-return]


def may_log_in(request: Request) -> bool:
    """Return True for a request that may contain something with which someone logs in, unless its path or its
    credentials do.
    """
    return request.method not in ("GET", "HEAD") or bool(request.head.query_string)


def may_log_in_here(request: Request) -> bool:
    """Return True for such a request to a handler that logs people in, which may also take that from its path."""
    return may_log_in(request) or bool(request.path_params) or request.head.field("authorization") is not None


def begin_of(request: Request, begun: Dependency[LoginBegun], key: str) -> LoginBegun:
    """Return when a login began of the user with this key. If that was not noted, any end of an hour is later."""
    values = RequestState(request).values
    known: LoginBegun | None = values.get(BEGUN, values.get(begun))
    session = values.get(Request.session)
    since_of = getattr(session, "since", None)  # of sessions that know when they began
    unknown = LoginBegun(request[ENDING].of(request.app), -1, None)
    return (unknown if known is None else known)._replace(since=since_of and since_of(key))


def refuse_if_late(owner: str, delete: Callable[[], object], begun: Dependency[LoginBegun]) -> None:
    """Delete what has just been stored for a user who has ended since the current request began, and raise
    Unauthorized. Code that makes a credential passes ``BEGUN`` or ``NOTED``, which is noted for the code that names it.
    """
    apps = [each for each in arrivals(current_request(None)) if each.app is not None and each.app.is_provided(ENDING)]
    if not apps:
        return
    request = apps[0]
    ending = request[ENDING]
    is_late = not ending.is_login_of(owner, request) and begin_of(request, begun, owner).is_too_late(owner)
    if is_late or ending.seconds_left(request) <= 0:
        delete()
        raise Unauthorized("Log in again: all logins of this user have ended.")


class NewOwner(NamedTuple):
    """The user to whom a session belongs from now on, unless the user ends before it is written."""

    begun: LoginBegun
    key: str
    end_rest: Callable[[], object]
    """A function that ends everything of the user but sessions."""
    by: tuple[str, ...]
    """The keys of the users in whose session the login began."""

    def is_too_late(self) -> bool:
        """Return True if the user has ended since the login began, or may have, which is logged."""
        own = self.begun._replace(since=None)
        is_late = self.begun.is_too_late(self.key) or any(map(own.is_too_late, self.by))
        if is_late:
            logging.getLogger("antiphon").warning(
                "a login of the user %r is refused: all logins of this user have ended since it began", self.key
            )
        return is_late

    def end_others(self, end: Callable[[], object]) -> None:
        """End the user's other sessions, those of logins under way, and then the rest of the user."""
        self.begun.ends.mark(self.key)
        end()
        self.end_rest()
