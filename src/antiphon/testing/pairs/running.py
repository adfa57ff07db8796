"""A program over one interface in process: the responses, the effects, and what is left when all has ended."""

import asyncio
import gc
import linecache
import logging
import os
import re
import zlib
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import lru_cache
from time import sleep
from types import CodeType
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from antiphon.app.application import App
from antiphon.features.signatures.signing import sign
from antiphon.request.request import NO_BODY, Request
from antiphon.testing.client import AsyncClient
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import BrokenResponse, HandshakeRefused, LifespanError
from antiphon.testing.loop_thread import LoopThread
from antiphon.testing.pairs.downstream import Asked, Downstream, Message
from antiphon.testing.pairs.going_on import HIDDEN, MOST_BYTES, most_lines
from antiphon.testing.pairs.measuring import counted, kept_texts
from antiphon.testing.pairs.programs import Caller, Program, Sent
from antiphon.websockets.channel import WebSocketClosed

T = TypeVar("T")
P = TypeVar("P", bound=Program)
Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]


class Way(NamedTuple):
    """A way to an application."""

    name: str
    interface: Interface
    prefix: str = ""
    """The path at which it is mounted in another application."""
    version: Literal["1.1", "2"] = "1.1"
    is_inside: bool = False
    """True if it is mounted in another application, at the root of that, which changes nothing at all."""
    is_behind_cache: bool = False
    """True if a shared cache is in front of it."""


WAYS = (
    Way("asgi", "asgi"), Way("wsgi", "wsgi"), Way("rsgi", "rsgi"), Way("mounted, asgi", "asgi", "/mounted"),
    Way("mounted, wsgi", "wsgi", "/mounted"), Way("HTTP/2, asgi", "asgi", version="2"),
    Way("HTTP/2, rsgi", "rsgi", version="2"), Way("inside, asgi", "asgi", is_inside=True),
    Way("inside, wsgi", "wsgi", is_inside=True), Way("cached, asgi", "asgi", is_behind_cache=True),
    Way("cached, wsgi", "wsgi", is_behind_cache=True), Way("cached, rsgi", "rsgi", is_behind_cache=True),
)  # fmt: skip


class Seen(NamedTuple):
    """What a client sees of a response, and the effects that the request had."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    is_whole: bool
    effects: tuple[tuple[str, dict[str, str | None], str], ...]
    left_open: tuple[str, ...]
    lines: int = 0
    """The lines of Python that a hostile request took."""
    size: int = 0
    """The bytes that it took at most."""

    @property
    def text(self) -> str:
        """The body as text, as a client decodes it."""
        return self.body.decode("latin-1")


class Outcome(NamedTuple):
    """A program over one way."""

    way: Way
    seen: tuple[Seen, ...]
    left: tuple["Left", ...]
    """What is alive after the end."""
    logged: str
    shown: str
    """What features keep of requests for others to see."""
    secrets: dict[Caller, frozenset[str]]
    """The credentials of each caller: tokens, keys, cookies of sessions, and passwords in bodies."""
    kept: tuple[str, ...]
    """The places from the application or its store to a text that has a secret."""


class Left(NamedTuple):
    """What is alive after the end: a kind of it, and which."""

    kind: str
    what: str


PAUSE = 15.0
"""The seconds between two requests to a cache: what is fresh for a minute is asked for again after four of them."""
_hidden = re.compile(rf"{HIDDEN}\w+").findall
_GIVEN = {
    "state": re.compile(r'"requestState":"([^"]+)"'),
    "task": re.compile(r'"taskId":"([^"]+)"'),
    "question": re.compile(r'"inputRequests":\{"([^"]+)"'),
}
"""What responses give to go on with."""
_LACKING = re.compile(rb'"\$(state|task|question)"')
NOT_GIVEN = b"nothing to go on from"
"""The body that stands for the response to a request whose URL or id no earlier response has given."""
TURNS = 300
"""The number of looks after which what is still alive is a failure: a busy machine delays them as it delays its end."""


def is_reached(sent: Sent, seen: Seen) -> bool:
    """Return True if a response has what its request is sent for, again and again."""
    wanted = sent.like.removeprefix("until ")
    return wanted in (sent.like, *[f"{name}: {value}" for name, value in seen.fields]) or wanted in seen.text


def _is_final(sent: Sent, seen: Seen) -> bool:
    """Return True if nothing else will come of a request."""
    return seen.status >= 300 or is_reached(sent, seen) or '"isError":true' in seen.text


class NotMade(Exception):
    """An application that could not be made or started."""


_FILE = "<pairs "
"""The beginning of the names of files that programs seem to be in, so that their code can be read."""


def load(program: Program) -> dict[str, Any]:
    """Run the source of a program, and return its names. Raises NotMade."""
    source = program.source
    file = f"{_FILE}{program.seed} {hash(source)}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    names: dict[str, Any] = {"__name__": "pairs_program"}
    try:
        exec(_compiled(source, file), names)  # noqa: S102 - this package has written it
    except Exception as error:
        raise NotMade(f"{type(error).__name__}: {error}") from error
    return names


@lru_cache(2)
def _compiled(source: str, file: str) -> CodeType:
    return compile(source, file, "exec")


def forget() -> None:
    """Forget the sources of all programs."""
    for file in [each for each in linecache.cache if each.startswith(_FILE)]:
        del linecache.cache[file]


def carried(program: P, *ways: Way) -> P:
    """Return a program without WebSockets if a way has none: their handshakes count towards limits."""
    if all(way.interface != "wsgi" for way in ways):
        return program
    return program._replace(sent=tuple([each for each in program.sent if each.like != "socket"]))


def run(program: Program, way: Way, *, wants_kept: bool = False, wants_garbage: bool = False) -> Outcome:
    """Send all requests of a program over one way. Raises NotMade, and TimeoutError for what hangs.

    ``wants_kept`` looks at all that the application refers to, and counts the work of hostile requests. With
    ``wants_garbage`` they are sent again, to find out what Python's collector has to free after them.
    """
    names = load(program)
    app = names["app"]
    if way.prefix or way.is_inside:
        outer = App()
        outer.mount(way.prefix, app)
        app = outer
    files = _files()
    with _logged() as records:
        client = AsyncClient(
            app, way.interface, raise_errors=False, follow_redirects=False, timeout=10.0, http_version=way.version
        )
        signed = {each.name for each in program.routes if "signer" in each.requires}
        visitors = Visitors(client, names, way, signed, counts=wants_kept)
        try:
            seen, garbage = _on_loop(visitors.send_all(program.sent, wants_garbage))
        except TimeoutError as error:
            raise TimeoutError(f"{error or 'no end'}, after {visitors.last}") from error
        shown = [repr(eval(each.shows, names)) for _, each in program.features if each.shows]  # noqa: S307
        logged = "\n".join([f"{record.getMessage()} {_extra(record)}" for record in records])
        records.clear()
    secrets = visitors.secrets()
    kept = tuple(_kept(frozenset().union(*secrets.values()), app, names["STORE"])) if wants_kept else ()
    if (close := getattr(names["STORE"], "close", None)) is not None:
        close()
    del client, visitors
    left = (*_left(files), *([Left("what only the collector frees is", str(garbage))] if garbage else []))
    return Outcome(way, seen, left, logged, "\n".join(shown), secrets, kept)


def _kept(secrets: frozenset[str], *roots: object) -> Iterator[str]:
    search = re.compile("|".join(map(re.escape, secrets)) or "(?!)").search
    texts = [(place, text if isinstance(text, str) else text.decode("latin-1")) for place, text in kept_texts(*roots)]
    if search("\0".join([text for _, text in texts])):  # at once: an application has thousands of texts
        yield from (_named(place) for place, text in texts if search(text))


def _named(place: tuple[Any, ...]) -> str:
    return " ".join([place[0].__name__, *([_named(place[1])] if place[1] else [])])


@contextmanager
def kept_garbage() -> Iterator[list[object]]:
    """Keep what the collector finds in the block, in the list that this gives, which is filled at its end."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


_loops: list[LoopThread] = []
"""The loop of all programs: a thread for each would take as long as its requests."""


def _on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    if not _loops or not _loops[0].is_usable:
        _loops[:] = [LoopThread()]
    try:
        return _loops[0].run(coroutine, 60.0)
    except TimeoutError:
        _loops.clear()  # what hangs stays on it
        raise


class Visitors:
    """The callers of a program, each with its own cookies and responses."""

    def __init__(
        self, client: AsyncClient, names: dict[str, Any], way: Way, signed: set[str], *, counts: bool = False
    ) -> None:
        self._client = client
        self._counts = counts
        self._names = names
        self._way = way
        self._signed = signed
        self._cache = Downstream() if way.is_behind_cache else None
        self._jars: dict[Caller, CookieJar] = {}
        self._texts: dict[tuple[Caller, str], str] = {}
        self._hidden: dict[Caller, set[str]] = {}
        self._counted = 0
        """The number of effects that requests have so far."""
        self._is_over = False
        """True once something was waited for in vain."""
        self.last: Sent | None = None
        self._given: dict[tuple[Caller, str], dict[str, str]] = {}

    def secrets(self) -> dict[Caller, frozenset[str]]:
        """Return the credentials of each caller."""
        return {caller: self._secrets(caller) for caller in self._jars}

    def _secrets(self, caller: Caller) -> frozenset[str]:
        cookies = [
            morsel.partition("=")[2] for morsel in (self._jars[caller].header(self._client.base_url) or "").split("; ")
        ]
        fields = [value.split(" ")[-1] for name, value in self._filled(caller, caller.fields) if name != "x-tenant"]
        return frozenset([each for each in (*cookies, *fields, *self._hidden.get(caller, ())) if len(each) > 8])

    async def send_all(self, sent: tuple[Sent, ...], wants_garbage: bool) -> tuple[tuple[Seen, ...], dict[str, int]]:
        """Start the application, send all requests, and shut it down. Raises NotMade."""
        try:
            await self._client.__aenter__()
        except LifespanError as error:
            raise NotMade(str(error)) from error
        except Exception as error:  # over WSGI, the startup's own error
            raise NotMade(f"{type(error).__name__}: {error}") from error
        try:
            seen = [await self.send(each) for each in sent]
            seen = [await self._least(each, one) for each, one in zip(sent, seen, strict=True)]
            return tuple(seen), await self._garbage(sent) if wants_garbage else {}
        finally:
            await self._client.__aexit__(None, None, None)

    async def _garbage(self, sent: tuple[Sent, ...]) -> dict[str, int]:
        """Send all requests again, and return how many objects of each type are left: a thread may leave some once."""
        counts: Counter[str] = Counter()
        for _ in range(2):
            with kept_garbage() as found:
                for each in sent:
                    await self.send(each)
            counts = Counter(type(each).__qualname__ for each in found)
            found.clear()
            if not counts:
                break
        return dict(counts.most_common(5))

    async def send(self, sent: Sent) -> Seen:
        """Send a request, and return what is seen of its response."""
        sent = self._going_on(sent)
        if sent.target.startswith("$") or (isinstance(sent.body, bytes) and _LACKING.search(sent.body)):
            return Seen(404, (), NOT_GIVEN, True, (), ())
        body = b"".join(sent.body) if isinstance(sent.body, tuple) else sent.body or b""
        self._hidden.setdefault(sent.caller, set()).update(_hidden(body.decode("latin-1")))
        self._client.cookies = self._jar(sent.caller)
        if sent.like == "hostile":
            return await self._measured(sent)
        seen, pause = await self._send(sent), 0.002
        for _ in range(TURNS // 5):
            if self._is_over or _is_final(sent, seen):
                break
            await asyncio.sleep(pause := min(2 * pause, 0.05))
            again = await self._send(sent)
            seen = again._replace(effects=seen.effects + again.effects)
        self._is_over = self._is_over or not _is_final(sent, seen)
        return seen

    async def _measured(self, sent: Sent) -> Seen:
        """Send a hostile request, and count its work over the way for which that is wanted."""
        self._client.cookies = deepcopy(self._jar(sent.caller))  # without its own cookie, it may begin a session
        if not self._counts:
            return await self._send(sent)
        with counted(wants_size=len(self._texts) % 4 == 0) as work:
            seen = await self._send(sent)
        return seen._replace(lines=work.lines, size=work.size)

    async def _least(self, sent: Sent, seen: Seen) -> Seen:
        """Send a hostile request again that takes too much, after all others, and return its first response with the
        least work: the first may import modules, and threads still have work of others.
        """
        for pause in (0.05, 0.5):
            if sent.like != "hostile" or (seen.lines <= most_lines(sent) and seen.size <= MOST_BYTES):
                break
            await asyncio.sleep(pause)
            again = await self._measured(sent)
            lines, size = min((seen.lines, seen.size), (again.lines, again.size))
            seen = seen._replace(lines=lines, size=size)
        return seen

    async def _send(self, sent: Sent) -> Seen:
        self.last, opened = sent, self._names["OPEN"]
        if sent.like == "socket":
            return await self._converse(sent)
        status, fields, content, is_whole = await self._respond(sent, self._fields(sent))
        if ("content-encoding", "gzip") in fields and content:
            content = zlib.decompressobj(31).decompress(content)  # as far as it goes
        self._texts[sent.caller, sent.target] = text = content.decode("latin-1")
        given = {name: found for name, pattern in _GIVEN.items() if (found := pattern.search(text))}
        kept = self._given.setdefault((sent.caller, sent.route), {})
        kept |= {name: found[1] for name, found in given.items()}
        if status == 201 and (location := dict(fields).get("location")):
            kept["location"] = location.removeprefix(self._way.prefix)
        for _ in range(TURNS):
            if not opened:
                break
            await asyncio.sleep(0.01)
        effects = tuple(self._names["EFFECTS"][self._counted :])  # also those since the last request
        self._counted += len(effects)
        return Seen(status, fields, content, is_whole, effects, tuple(opened))

    async def _respond(self, sent: Sent, fields: list[tuple[str, str]]) -> Message:
        """Return the response to a request: the application's, or that of the cache in front of it."""
        if self._cache is None:
            return await self._ask(sent, fields)
        self._cache.now += PAUSE
        cookie = None if "cookie" in dict(fields) else self._client.cookies.header(self._client.base_url)
        jar = () if cookie is None else (("cookie", cookie),)
        found = self._cache.find(Asked(sent.method, self._way.prefix + sent.target, (*fields, *jar)))
        if isinstance(found, Message):
            lines = [value for name, value in found.fields if name == "set-cookie"]
            self._client.cookies.store(self._client.base_url, lines)
            return found
        own = [field for field in found.fields if field not in jar]  # the client sends those of its jar
        return self._cache.take(found, await self._ask(sent, own))

    async def _ask(self, sent: Sent, fields: list[tuple[str, str]]) -> Message:
        options: dict[str, Any] = {"headers": fields}
        if sent.body is not None:
            options["body"] = [*sent.body] if isinstance(sent.body, tuple) else sent.body
        body, is_whole = list[bytes](), True
        async with self._client.stream(sent.method, self._way.prefix + sent.target, **options) as response:
            try:
                async for chunk in response:
                    body.append(chunk)
            except BrokenResponse:
                is_whole = False
        return Message(response.status, tuple(response.headers.items()), b"".join(body), is_whole)

    async def _converse(self, sent: Sent) -> Seen:
        """Open a WebSocket, say the note, and return what the application says then."""
        try:
            target, fields = self._way.prefix + sent.target, self._fields(sent)
            async with self._client.websocket(target, headers=fields) as socket:
                await socket.send(sent.note)
                said = await socket.receive()
        except HandshakeRefused as refused:
            return Seen(
                refused.response.status, tuple(refused.response.headers.items()), refused.response.body, True, (), ()
            )
        except WebSocketClosed:  # as an error does
            return Seen(500, (), b"", False, (), ())
        return Seen(200, (), said if isinstance(said, bytes) else said.encode(), True, (), ())

    def _going_on(self, sent: Sent) -> Sent:
        """Return a request with what its route has given before in place of "$location" and the like."""
        for name, value in self._given.get((sent.beside or sent.caller, sent.route), {}).items():
            body = sent.body.replace(f"${name}".encode(), value.encode()) if isinstance(sent.body, bytes) else sent.body
            fields = tuple([(each, text.replace(f"${name}", value)) for each, text in sent.fields])
            sent = sent._replace(target=sent.target.replace(f"${name}", value), body=body, fields=fields)
        return sent

    def _filled(self, caller: Caller, fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        """Return fields with the bodies of earlier responses in place of "$path"."""
        return [
            (name, self._texts.get((caller, value[1:]), "") if value.startswith("$") else value)
            for name, value in fields
        ]

    def _jar(self, caller: Caller) -> CookieJar:
        if caller not in self._jars:
            jar = self._jars[caller] = CookieJar(self._client.base_url.host)
            for each in caller.signs:
                if each.cookie:
                    jar.set(*each.cookie.split("="))
        return self._jars[caller]

    def _fields(self, sent: Sent) -> list[tuple[str, str]]:
        given = self._filled(sent.caller, (*sent.fields, *sent.credentials))
        signer = sent.caller.signer
        if signer is None or sent.route not in self._signed or sent.like == "hostile":
            return given
        url = f"{self._client.base_url.origin}{self._way.prefix}{sent.target}"
        content = b"".join(sent.body) if isinstance(sent.body, tuple) else sent.body or b""
        signed = sign(Request.blank(url, sent.method, given, content), signer.key, keyid=signer.value)
        return [*signed.headers.items()]


@contextmanager
def _logged() -> Iterator[list[logging.LogRecord]]:
    """Collect what an application logs."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.INFO)
    setattr(handler, "emit", records.append)  # noqa: B010 - its parameter has another name
    logger = logging.getLogger("antiphon")
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


def _extra(record: logging.LogRecord) -> str:
    """Return what a record has beside its message: an error with its traceback, and values of the access log."""
    error = "" if record.exc_info is None else logging.Formatter().formatException(record.exc_info)
    values = [str(value) for name, value in vars(record).items() if name in ("path", "query", "target", "user", "url")]
    return " ".join([*values, error])


def _left(files: int) -> Iterator[Left]:
    """Yield what is still alive: descriptors, tasks, requests."""
    if not _eventually(lambda: _files() <= files):
        yield Left("a descriptor", f"{_files() - files} more than before")
    # Most are freed at once, without a collection.
    if not _eventually(lambda: not _alive() or (gc.collect() >= 0 and not _alive())):
        for each in _alive():
            yield Left("a request", repr(each)) if type(each) is Request else Left("a task", str(each.get_coro()))


def _alive() -> list[Any]:
    """Return the requests, and the tasks that are not done."""
    found = [each for each in gc.get_objects() if type(each) in (Request, asyncio.Task)]
    return [each for each in found if not (each is NO_BODY if type(each) is Request else each.done())]


def _files() -> int:
    """Return the number of open files and pipes; not of sockets, which loops on other threads have, nor of stores."""
    folder, count = "/proc/self/fd", 0
    for each in os.listdir(folder) if os.path.isdir(folder) else ():
        with suppress(FileNotFoundError):
            target = os.readlink(f"{folder}/{each}")
            count += not (target.startswith(("anon_inode", "socket")) or "store.db" in target or "-bodies-" in target)
    return count


def _eventually(is_so: Any) -> bool:
    """Wait, for some turns, until something is so."""
    for _ in range(TURNS):
        if is_so():
            return True
        sleep(0.01)
    return False
