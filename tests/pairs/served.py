"""Random applications on real servers, whose workers are replaced and killed: ``python -m tests.pairs.served``.

The same rules hold as in process, and responses are the same, whatever worker gives them. A request that kills its
worker gets no response or a cut one, and has at most one effect; with an Idempotency-Key, so has its repeat.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from random import Random
from socket import create_connection
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, NamedTuple

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from antiphon.http import URL
from antiphon.http.headers import Headers
from antiphon.testing import BrokenResponse
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import HandshakeRefused
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Around, Program, Route, Sent
from antiphon.testing.pairs.rules import (
    Failure,
    Observed,
    effects,
    ends,
    is_accepted,
    refusals,
    secrets,
    shown,
    ways,
)  # fmt: skip
from antiphon.testing.pairs.running import WAYS, Interface, Left, NotMade, Outcome, Seen, Visitors, Way, run
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import OfPrograms, apart
from tests.contract.http2 import HTTP2Client
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, ReceivedResponse, SentRequest
from tests.helpers.processes import RUN
from tests.helpers.waiting import DEADLINE, eventually
from tests.pairs.shared import FOLDER, OpenStreams, SharedList


class Server(NamedTuple):
    """A server, with what is done to its workers."""

    name: str
    command: tuple[str, ...]
    interface: Interface = "asgi"
    version: str = "1.1"
    restarts: tuple[int, str] | None = None
    """The signal that replaces its workers, and what it writes when they are."""
    can_be_killed: bool = False
    """True if another worker replaces one that is killed."""
    ends_cut_streams: bool = False
    """True if a body that fails looks whole, whatever the application does."""


_RUN = (*RUN, "--workers", "2", "--interface")
_REPLACED = signal.SIGUSR2, "All workers were replaced."
_GUNICORN = ("-m", "gunicorn", "{app}", "--preload", "--workers", "2", "--threads", "4", "--bind", "127.0.0.1:{port}")
_HYPERCORN = "-m", "hypercorn", "{app}", "--bind", "127.0.0.1:{port}"
SERVERS = (
    Server("antiphon run, ASGI", (*_RUN, "asgi"), restarts=_REPLACED, can_be_killed=True),
    Server("antiphon run, RSGI", (*_RUN, "rsgi"), "rsgi", "1.1", _REPLACED, True, True),
    Server("antiphon run, WSGI", (*_RUN, "wsgi"), "wsgi", "1.1", _REPLACED, True, True),
    Server("antiphon run, HTTP/2", (*_RUN, "asgi"), "asgi", "2", _REPLACED, can_be_killed=True),
    Server("Granian, HTTP/2", ("-m", "granian", "{app}", "--interface", "asgi", "--port", "{port}"), version="2"),
    Server("Hypercorn", _HYPERCORN),
    Server("Hypercorn, HTTP/2", _HYPERCORN, version="2"),
    Server("Gunicorn", _GUNICORN, "wsgi", can_be_killed=True),
)
KILLED = """
@app.middleware
def dying(request):
    die_at("before")
    yield
    die_at("after")"""
NEVER_LOGGED = ("was never awaited", "was destroyed but it is pending", "never retrieved", "Exception ignored in")
ENDED = Seen(0, (), b"", False, (), ())
"""What is seen of a request that nothing responds to."""
STEPS = ("restart", "restart", "start again", "look", "restart the database")
"""The workers are replaced one by one, the server ends and starts again, another process opens the store and ends."""
LOOK = "import sys; from antiphon.features import SQLiteStore; SQLiteStore(sys.argv[1]).load('key')"
AT_RANDOM = frozenset({"cache-status"})
"""Fields that depend on the worker that has responded before."""


class Served(Program):
    """A program whose workers share what it keeps."""

    effects = SharedList
    """The class of the list of effects."""

    @property
    def source(self) -> str:
        """The application's source."""
        kind = self.effects
        shared = f"from {kind.__module__} import *\nfrom tests.pairs.shared import OpenStreams, die_at, folder\n\n\n"
        lists = f"EFFECTS, OPEN, STORE = {kind.__name__}('effects'), OpenStreams('open'), "
        return shared + super().source.replace("EFFECTS, OPEN, STORE = [], [], ", lists)


def server_of(seed: int) -> Server:
    """Return the server on which the program of a seed runs."""
    return Random(f"served {seed}").choice(SERVERS)


def served(seed: int) -> Served:
    """Return the program of a seed with steps between its requests."""
    random, server = Random(f"served {seed}"), server_of(seed)
    random.choice(SERVERS)
    program = prepared(Served(*program_of(seed, features())), server)
    if server.can_be_killed:
        sent = [*program.sent]
        may = [each for each in sent if (route := program.route(each)) and _can_be_killed(program, each, route)]
        for number, each in enumerate(random.sample(may, min(2, len(may)))):
            sent[sent.index(each) + 1 : sent.index(each) + 1] = _kill(each, random, number)
        program = program._replace(sent=tuple(sent))
    return with_steps(program, server, random, STEPS[:4])


def prepared(program: Served, server: Server) -> Served:
    """Return a program with a shared store, and without what a server can't be sent."""
    sent = [
        each._replace(fields=tuple([field for field in each.fields if field[0] != "upgrade" or server.version != "2"]))
        for each in program.sent
        if each.like not in ("left", *(["socket"] if server.interface == "wsgi" else []))
    ]  # HTTP/2 has no Upgrade (RFC 9113 §8.2.2)
    return program._replace(
        store="SQLiteStore(folder() / 'store.db', timeout=30)",
        around=(*program.around, Around("dying", KILLED.strip())),
        sent=tuple(sent),
    )


def with_steps(program: Served, server: Server, random: Random, steps: Sequence[str]) -> Served:
    """Return a program with some of these steps between its requests."""
    sent = [*program.sent]
    for each in random.sample(steps, random.choice([0, 1, 1, 2])):
        if each != "restart" or server.restarts:
            sent.insert(random.randint(1, len(sent)), Sent(program.sent[0].caller, "", "", "", like=each))
    return program._replace(sent=tuple(sent))


def _can_be_killed(program: Program, sent: Sent, route: Route) -> bool:
    return (
        route.kind in ("effect", "form", "stream")
        and not sent.like
        and sent.beside is None
        and "x-hook" not in dict(sent.fields)  # the same webhook again is a duplicate of the one before
        and program.expects(sent, route) == "accepted"
    )


def _kill(sent: Sent, random: Random, number: int) -> list[Sent]:
    """Return a request that kills its worker, and its repeat. Another may be the same write, under the same key."""
    place = random.choice(["before", "after"]) if sent.write else "stream"
    key = f'"killed {number} {dict(sent.fields).get("idempotency-key", "")[1:]}'
    fields = [(name, key if name == "idempotency-key" else value) for name, value in sent.fields]
    again = sent._replace(fields=tuple(fields), write=sent.write and f"{sent.write} killed {number}", like="after kill")
    return [again._replace(fields=(*again.fields, ("x-die", place)), like="killed"), again]


def failures(program: Served) -> list[Failure]:
    """Return the rules that a program breaks on its server."""
    server = server_of(program.seed)
    way = Way(server.name, "rsgi" if server.ends_cut_streams else server.interface)
    in_process = program._replace(sent=tuple([each for each in program.sent if not _is_step(each)]))
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        try:
            with in_folder(one), apart():
                expected = iter(run(in_process, WAYS[0]).seen)
        except NotMade:  # which is looked at in process
            return []
        try:
            with in_folder(other):
                outcome = outcome_of(program, server, way, Path(other))
        except TimeoutError as error:
            return [Failure("ends", "it hangs", (way,), what=str(error))]
    given = outcome._replace(
        seen=tuple([
            ENDED if _is_step(sent) else _comparable(seen)
            for sent, seen in zip(program.sent, outcome.seen, strict=True)
        ])
    )  # fmt: skip
    wanted = given._replace(
        way=WAYS[0], seen=tuple([ENDED if _is_step(sent) else _comparable(next(expected)) for sent in program.sent])
    )
    observed = Observed(program, (outcome,))
    found = [each for rule in (effects, shown, secrets, refusals, ends, kills) for each in rule(observed)]
    return [*found, *ways(Observed(program, (wanted, given)))]


def _is_step(sent: Sent) -> bool:
    return sent.like in (*STEPS, "killed", "after kill")


def _comparable(seen: Seen) -> Seen:
    """Return what does not depend on the worker, nor on effects of requests that were killed."""
    body = re.sub(rb'(\\?)"number\1": ?[0-9]+', b'"number": 0', seen.body)  # escaped in the text of a tool's result
    body = re.sub(rb"port=[0-9]+", b"port=0", body)  # that of a client, which each connection has of its own
    return seen._replace(body=body, fields=tuple([each for each in seen.fields if each[0] not in AT_RANDOM]))


def kills(observed: Observed) -> Iterator[Failure]:
    """A killed request has no complete response and at most one effect, as has its repeat if it is to happen once."""
    program, [outcome] = observed.program, observed.outcomes
    killed = ENDED
    for number, (sent, seen) in enumerate(zip(program.sent, outcome.seen, strict=True)):
        route = program.route(sent)
        if route is None or sent.like not in ("killed", "after kill"):
            continue
        expected = (program.who(sent.caller, route), sent.note)
        wrong = ""
        if any(each[1:] != expected for each in seen.effects):
            wrong = "an effect is another caller's"
        elif sent.like == "killed":
            killed = seen
            if seen.status and seen.is_whole:
                wrong = f"a worker that is killed gives a whole {seen.status}"
            elif len(seen.effects) > 1:
                wrong = "a request that is killed has several effects"
        elif route.is_once and len(killed.effects) + len(seen.effects) > 1:
            wrong = "the repeat of a killed write has another effect"
        elif is_accepted(sent, seen) and sent.write:
            if len(seen.effects) + (len(killed.effects) if route.is_once else 0) != 1:
                wrong = "an accepted repeat of a killed write has no effect"
        elif not is_accepted(sent, seen) and not (route.is_once and seen.status == 409):
            wrong = f"{seen.status} after a kill"
        if wrong:
            yield Failure("kills", wrong, (outcome.way,), number, seen.text[:200])


@contextmanager
def in_folder(folder: str) -> Iterator[None]:
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[FOLDER]


def outcome_of(program: Served, server: Server, way: Way, folder: Path, restart: Callable[[], object] = int) -> Outcome:
    """Send all requests of a program to a server, and return what is seen of them. ``restart`` is for its database."""
    (folder / "program.py").write_text(program.source)
    names = {"EFFECTS": program.effects("effects"), "OPEN": OpenStreams("open")}
    signed = {each.name for each in program.routes if "signer" in each.requires}
    with ServerProcess(server.command, "tests.pairs.site:app") as process:
        visitors = Visitors(_Wire(process, server), names, way._replace(interface=server.interface), signed)
        seen, restarts, files = [], False, {}
        for sent in program.sent:
            if sent.like in STEPS:
                restarts = sent.like == "restart" or (restarts and sent.like == "look")
                _take(sent.like, process, server, folder, restart)
                seen.append(ENDED)
                continue
            try:
                seen.append(asyncio.run(visitors.send(sent)))
            except Exception as error:
                asked = (
                    f"request {len(seen) + 1} of --seed {program.seed} to {server.name}: {sent.method} {sent.target}"
                )
                kind = TimeoutError if isinstance(error, TimeoutError) else RuntimeError
                raise kind(f"{type(error).__name__}: {error}, at {asked}\n{process.stderr[-2000:]}") from error
            if sent.like == "killed":
                (folder / "open").unlink(missing_ok=True)
            files = files or _files(process)
        if restarts:
            eventually(lambda: server.restarts[1] in process.stderr or None, "SIGUSR2 replaces no worker", 120.0)
        left = [*_left(process, files)]
        try:
            process.end()
        except AssertionError as error:
            left.append(Left("the server", str(error)[-2000:]))
        logged = process.stderr
    left += [Left(f"a warning: {each}", logged[-2000:]) for each in NEVER_LOGGED if each in logged]
    return Outcome(way, tuple(seen), tuple(left), logged, "", visitors.secrets(), ())


def _take(step: str, process: ServerProcess, server: Server, folder: Path, restart: Callable[[], object]) -> None:
    if step == "restart":
        process.send_signal(server.restarts[0])
    elif step == "restart the database":
        restart()
    elif step == "start again":
        process.restart()
    else:
        subprocess.run([sys.executable, "-c", LOOK, folder / "store.db"], check=True)


_MAY_OPEN = re.compile(r"store\.db|^/dev/null$|/wgunicorn-").search
"""What may be opened later: uvloop keeps /dev/null in reserve, and Gunicorn's parent has a file for each worker, the
last of which may begin after the first response.
"""


def _files(process: ServerProcess) -> dict[str, int]:
    """Return the number of files that each of a server's processes has open, but for sockets, logs and the store."""
    found = {}
    for links in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            if os.getpgid(int(links.parent.name)) == process.pid:
                targets = [os.readlink(each) for each in links.iterdir()]
                found[links.parent.name] = sum(each[0] == "/" and not _MAY_OPEN(each) for each in targets)
    return found


def _left(process: ServerProcess, before: dict[str, int]) -> Iterator[Left]:
    """Yield how many more files a process has open than any had after the first request."""
    try:
        eventually(lambda: True if _most(process) <= max(before.values(), default=0) else None, "files are open")
    except TimeoutError:
        yield Left("a descriptor", f"{_most(process)}, first {before}")


def _most(process: ServerProcess) -> int:
    return max(_files(process).values(), default=0)


class _Wire:
    """The client of visitors, over sockets: each request has a connection of its own."""

    base_url = URL("http://testserver/")

    def __init__(self, process: ServerProcess, server: Server) -> None:
        self._process = process
        self._server = server
        self.cookies = CookieJar(self.base_url.host)

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, *, headers: list[tuple[str, str]], body: bytes | list[bytes] | None = None
    ) -> AsyncIterator["_Opened"]:
        """Send a request, and give its response."""
        fields = [*headers]
        if (cookies := self.cookies.header(self.base_url)) and "cookie" not in dict(fields):
            fields.append(("cookie", cookies))
        sent = tuple(body) if isinstance(body, list) else body
        received = self._exchange(SentRequest(method, target, tuple(fields), sent, self.base_url.host))
        self.cookies.store(self.base_url, received.values("set-cookie"))
        yield _Opened(received)

    def _exchange(self, request: SentRequest) -> ReceivedResponse:
        try:
            if self._server.version == "2":
                with HTTP2Client(self._process.port) as client:
                    return client.exchange(request)
            return self._process.respond(request)
        except (Closed, ConnectionError):
            return ReceivedResponse(0, (), b"", whole=False)

    def websocket(self, target: str, *, headers: list[tuple[str, str]]) -> Any:
        """Open a WebSocket. Raises HandshakeRefused."""
        fields = [*headers]
        if cookies := self.cookies.header(self.base_url):
            fields.append(("cookie", cookies))
        return _socket(self._process.port, target, fields)


class _Opened:
    """A response as visitors read it."""

    def __init__(self, received: ReceivedResponse) -> None:
        self.status = received.status
        self.headers = Headers(received.fields)
        self._received = received

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._received.body
        if not self._received.whole:
            raise BrokenResponse("the response is cut")


@asynccontextmanager
async def _socket(port: int, target: str, fields: list[tuple[str, str]]) -> AsyncIterator[Any]:
    try:
        async with connect(
            f"ws://testserver{target}",
            sock=create_connection(("127.0.0.1", port), DEADLINE),
            additional_headers=fields,
            open_timeout=DEADLINE,
            origin="http://testserver",
            proxy=None,
        ) as opened:
            yield SimpleNamespace(send=opened.send, receive=opened.recv)
    except InvalidStatus as error:
        refusal = error.response
        seen = SimpleNamespace(
            status=refusal.status_code, headers=Headers([*refusal.headers.raw_items()]), body=refusal.body, reason=""
        )
        raise HandshakeRefused(seen) from error


if __name__ == "__main__":
    sys.exit(OfPrograms(served, failures).main(__doc__, 60.0))
