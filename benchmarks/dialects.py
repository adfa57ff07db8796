"""`python -m benchmarks.dialects`: each dialect beside the library that it speaks, in this process.

Fails where the dialect is not as many times faster as is promised of it.
"""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlencode

from werkzeug.exceptions import NotFound

from .cases import CASES, FETCH, PAGE, Case, WrongAnswerError, sending
from .dialect_apps.flask_app import SECRET_KEY
from .forms import PICTURE
from .harness import BATCH, AsgiServer, Exchange, Message, Server, WsgiServer, compare, expect_statuses, scope_of

ACCOUNT = {"name": "Zoë Müller", "email": "zoe@example.com", "age": 36, "tags": ["lamps", "shades"]}
JSON_BODY = json.dumps(ACCOUNT).encode()
FORM_BODY = urlencode({"name": "Zoë Müller", "email": "zoe@example.com", "note": "100 % sure!"}).encode()
BOUNDARY = b"----WebKitFormBoundaryZ1x2C3v4B5n6M7"
PARTS = (
    b'--%b\r\nContent-Disposition: form-data; name="title"\r\n\r\nLamp\r\n'
    b'--%b\r\nContent-Disposition: form-data; name="file"; filename="lamp.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n%b\r\n--%b--\r\n"
) % (BOUNDARY, BOUNDARY, PICTURE, BOUNDARY)

ASKED = {
    case.name: case
    for case in (
        Case("hello", "GET", "/hello", PAGE, "text/plain", "Hello, world!"),
        Case("args", "GET", "/args", PAGE, "text/plain", "page 3 of 20 by price-asc", "page=3&size=20&sort=price-asc"),
        Case(
            "json",
            "POST",
            "/json",
            sending(JSON_BODY, "application/json", FETCH),
            "application/json",
            {"created": "Zoë Müller", "tags": 2},
            body=JSON_BODY,
        ),
        Case("created", "GET", "/created", FETCH, "application/json", {"created": True}, status=201),
        Case(
            "form",
            "POST",
            "/form",
            sending(FORM_BODY, "application/x-www-form-urlencoded", PAGE),
            "text/plain",
            "Zoë Müller, zoe@example.com, 100 % sure!",
            body=FORM_BODY,
        ),
        Case(
            "multipart",
            "POST",
            "/upload",
            sending(PARTS, f"multipart/form-data; boundary={BOUNDARY.decode()}", PAGE),
            "text/plain",
            "Lamp: lamp.bin, 10240 bytes",
            body=PARTS,
        ),
    )
}
"""What applications written for small frameworks are asked: little at a time."""

MISSING = Case("404", "GET", "/missing", PAGE, "text/html", NotFound().get_body(), status=404)


class PageOfLamps(Case):
    """A page that has a text."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:  # noqa: ARG002
        if status != 200 or str(self.answer) not in body.decode():
            raise WrongAnswerError(f"{self.name}: {status}: {body.decode()[:500]}")


def _signed(session: dict[str, Any]) -> str:
    """Return the cookie of a session of Flask."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    app = Flask(__name__)
    app.secret_key = SECRET_KEY
    serializer: Any = SecureCookieSessionInterface().get_signing_serializer(app)
    return str(serializer.dumps(session))


class Dialect(NamedTuple):
    """A library, the dialect that speaks it, how many times faster that has to be, and at what.

    `serve` is given the application of one of them, and an event loop. `floors` are those of cases in which most of the
    time is spent in other libraries.
    """

    library: str
    package: str
    floor: float
    cases: Iterable[Case]
    serve: Callable[[Any, asyncio.AbstractEventLoop], Server]
    floors: Mapping[str, float] = {}


def main() -> int:
    options = parse_options()
    loop = asyncio.new_event_loop()
    behind = [line for dialect in options.dialect for line in measured(dialect, loop, options)]
    loop.close()
    for line in behind:
        print(f"TOO SLOW: {line}")
    return 1 if behind else 0


def measured(dialect: Dialect, loop: asyncio.AbstractEventLoop, options: Namespace) -> list[str]:
    """Print the times of a dialect, and give the cases in which it is too slow."""
    build = import_module(f"benchmarks.dialect_apps.{dialect.library}_app").build
    servers = {name: dialect.serve(build(name), loop) for name in (dialect.library, dialect.package)}
    print(f"{dialect.library}: microseconds a request; {dialect.floor:g} times as fast is promised")
    behind = []
    for case in dialect.cases:
        times = compare(servers, case, options.rounds, BATCH if options.quick else 4 * BATCH)
        theirs, ours = times.values()
        print(f"  {case.name:10}{theirs:10.1f}{ours:10.1f}{theirs / ours:8.1f}x", flush=True)
        if theirs < dialect.floors.get(case.name, dialect.floor) * ours:
            behind.append(f"{dialect.library}, {case.name}: {theirs / ours:.1f} times as fast")
    for server in servers.values():
        server.close()
    return behind


class LeavingServer(AsgiServer):
    """A server whose clients leave when they have the response: some applications wait for that."""

    def verify(self, case: Case) -> None:
        exchange = LeavingExchange(scope_of(case), case.body, [])
        answered = exchange.answered
        self.loop.run_until_complete(self.timed([exchange]))
        (start,) = exchange.started
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
        body = b"".join(message["body"] for message in answered)
        case.check(start["status"], [("content-length", str(len(body))), *headers], body)

    async def sampled(self, case: Case, calls: int) -> float:
        template = scope_of(case)
        elapsed = 0
        for _ in range(calls // BATCH):
            started: list[Message] = []
            elapsed += await self.timed([LeavingExchange(template, case.body, started) for _ in range(BATCH)])
            expect_statuses([message["status"] for message in started], case)
        return elapsed / calls / 1000


class LeavingExchange(Exchange):
    """One request, from a client that leaves when it has the response."""

    __slots__ = ("has_all", "is_over")

    def __init__(self, template: Mapping[str, Any], body: bytes, started: list[Message]) -> None:
        super().__init__(template, body, started)
        self.is_over = False
        self.has_all: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        if not self.delivered:
            self.delivered = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        if not self.is_over:
            self.has_all = asyncio.get_running_loop().create_future()
            await self.has_all
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        (self.started if "status" in message else self.answered).append(message)
        if "body" in message and not message.get("more_body"):
            self.is_over = True
            if self.has_all is not None:
                self.has_all.set_result(None)


ASKED_OF_FLASK = (
    CASES["hello"],
    CASES["read"],
    ASKED["json"],
    CASES["form"],
    CASES["hello"]._replace(name="hooks", path="/hooks", fields=(("x-language", "de"),)),
    PageOfLamps("page", "GET", "/page", PAGE, "text/html", "lamp 4"),
    Case(
        "session",
        "GET",
        "/session",
        PAGE | {"cookie": f"session={_signed({'count': 7})}"},
        "text/plain",
        "8",
        fields=(("vary", "cookie"),),
    ),
)

DIALECTS = (
    Dialect(
        "asok",
        "antiphon.dialects.asok",
        10.0,
        [
            *(ASKED[name] for name in ("hello", "args", "json", "form")),
            PageOfLamps("page", "GET", "/page", PAGE, "text/html", "lamp 4"),
        ],
        lambda app, _loop: WsgiServer(app),
        {"page": 3.0},
    ),
    Dialect(
        "flask",
        "antiphon.dialects.flask",
        3.0,
        ASKED_OF_FLASK,
        lambda app, _loop: WsgiServer(app),
        {"page": 1.5, "session": 1.5},
    ),
    Dialect("microdot", "antiphon.dialects.microdot", 5.0, ASKED.values(), LeavingServer),
    Dialect(
        "pyramid",
        "antiphon.dialects.pyramid",
        3.0,
        [CASES["hello"], CASES["read"], ASKED["json"], CASES["form"]],
        lambda app, _loop: WsgiServer(app),
    ),
    Dialect(
        "webob",
        "antiphon.dialects.webob",
        1.7,
        [CASES[name] for name in ("headers", "form", "multipart", "built", "304", "206")],
        lambda app, _loop: WsgiServer(app),
    ),
    Dialect(
        "werkzeug",
        "antiphon.dialects.werkzeug",
        2.0,
        # Of the larger JSON, most of the time is the application's own.
        [
            *(CASES[name] for name in ("hello", "read", "form", "multipart", "headers", "built", "304", "206")),
            ASKED["json"],
            MISSING,
        ],
        lambda app, _loop: WsgiServer(app),
    ),
)


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.dialects", description=__doc__)
    names = {dialect.library: dialect for dialect in DIALECTS}
    parser.add_argument("dialect", nargs="*", choices=[*names, []], help="measure only these")
    parser.add_argument("--rounds", type=int, help="samples for each case (40; 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    options = parser.parse_args()
    options.dialect = [names[name] for name in options.dialect] or [*DIALECTS]
    options.rounds = options.rounds or (5 if options.quick else 40)
    return options


if __name__ == "__main__":
    sys.exit(main())
