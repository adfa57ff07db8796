"""A program over each interface in process, and what its requests leave behind."""

import asyncio
import gc
import gzip
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon import App, Request
from antiphon.testing import BrokenResponse, Client
from tests.helpers.garbage import kept_garbage
from tests.helpers.waiting import eventually
from tests.random_apps.programs import Program
from tests.random_apps.requests import TOKEN, TOKEN_PATH, SentRequest

Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]
INTERFACES: tuple[Interface, ...] = ("wsgi", "asgi", "rsgi")
OWN = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "date", "server", "age", "content-length", "retry-after"}
)
"""Fields that differ by server or time. The length of a body follows from the body."""

_varying = re.compile(
    r"(?<=session=)[^;]+|[0-9a-f]{32}|(?<=ttl=)[0-9]+|(?<=;t=)[0-9]+|(?<=__csrf:)[0-9a-f]+|(?<=Try again in )[0-9]+"
).sub
"""Keys of sessions, ids of requests, and seconds that are left."""


class Answer(NamedTuple):
    """What a client sees: status, end-to-end fields and body, without what is random."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    is_whole: bool = True

    def unlike(self, other: "Answer") -> str:
        """Return the status, and of all else what is not as in another answer."""
        fields = [f"{name}: {value}" for name, value in self.fields if (name, value) not in other.fields]
        end = "" if self.is_whole else ", cut off"
        return " | ".join(
            [str(self.status), *fields, *([f"{self.body[:300]!r}{end}"] if self.body != other.body else [])]
        )


def answer_of(request: SentRequest, status: int, fields: list[tuple[str, str]], body: bytes, is_whole: bool) -> Answer:
    """Return what is compared of a response. A body that broke off may have ended anywhere."""
    seen = sorted((name.lower(), _alike(name.lower(), value)) for name, value in fields if name.lower() not in OWN)
    if ("content-encoding", "gzip") in seen and body:
        body = gzip.decompress(body)
    if request.target == TOKEN_PATH and status == 200:
        body = b"a token"
    return Answer(status, tuple(seen), _varying("...", body.decode("latin-1")).encode("latin-1"), is_whole)


def _alike(name: str, value: str) -> str:
    """Return a field's value without what varies: in sets (RFC 9110 §10.2.1 and §12.5.5), the order, too."""
    return ", ".join(sorted(value.split(", "))) if name in ("allow", "vary") else _varying("...", value)


def load(program: Program) -> App:
    """Run the source of a program, and return its application."""
    names: dict[str, Any] = {"__name__": "random_app"}
    exec(compile(program.source, "random_app.py", "exec"), names)
    app: App = names["app"]
    return app


def mounted(app: App) -> App:
    """Return an application in which another is mounted, in place of its own paths."""
    outer = App()
    outer.mount("", app)
    return outer


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what the applications log, which would keep errors, and with them all that they refer to."""
    logger = logging.getLogger("antiphon")
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    try:
        yield
    finally:
        logger.level, logger.propagate = before


def answers(client: Client, program: Program) -> list[Answer]:
    """Send all requests of a program, and return the answers."""
    client.cookies.clear()
    token = ""
    found = []
    for request in program.requests:
        answer, body = _send(client, request, token)
        if request.target == TOKEN_PATH and answer.status == 200:
            token = body.decode("latin-1")
        found.append(answer)
    return found


def _send(client: Client, request: SentRequest, token: str) -> tuple[Answer, bytes]:
    fields = [(name, token if value == TOKEN else value) for name, value in request.fields]
    options: dict[str, Any] = {"headers": fields}
    if request.is_cut:
        assert isinstance(request.body, bytes)
        fields.append(("content-length", str(len(request.body))))
        options["body"] = [request.body[:-7]]
    elif request.body is not None:
        options["body"] = [*request.body] if isinstance(request.body, tuple) else request.body
    body, is_whole = b"", True
    with client.stream(request.method, request.target, **options) as response:
        status, received = response.status, [*response.headers.items()]
        try:
            body = b"".join(response)
        except BrokenResponse:
            is_whole = False
    return answer_of(request, status, received, body, is_whole), body


WAYS: dict[str, tuple[Interface, Callable[[App], App]]] = {
    **{interface: (interface, lambda app: app) for interface in INTERFACES},
    **{f"{interface}, mounted": (interface, mounted) for interface in INTERFACES[:2]},
}


class Difference(NamedTuple):
    """Two ways whose answers to a request differ, or what one way leaves behind."""

    what: str
    ways: tuple[str, ...]
    request: int | None = None

    @property
    def kind(self) -> str:
        """What stays the same when a program is made shorter: no counts, and no names."""
        return re.sub(r"[0-9]+|\{.*\}|b'.*?'|b\".*?\"", "", self.what)


def differences(program: Program, ways: Iterable[str] = WAYS, *, looks_for_leftovers: bool = True) -> list[Difference]:
    """Return in what a program differs from way to way, the first of them being the measure, and what it leaves."""
    found: list[Difference] = []
    first: tuple[str, list[Answer]] | None = None
    with quiet():
        for way in ways:
            interface, around = WAYS[way]
            app = around(load(program))
            try:
                with Client(app, interface, raise_errors=False, follow_redirects=False, timeout=10.0) as client:
                    given = answers(client, program)
                    if looks_for_leftovers and "mounted" not in way:
                        found += [Difference(f"{way} leaves {what}", (way,)) for what in leftovers(client, program)]
            except TimeoutError as error:
                found.append(Difference(f"{way} hangs: {error}", (way,)))
                continue
            if first is None:
                first = way, given
            else:
                found += compare(program, *first, way, given)
    return found


def compare(program: Program, one: str, first: list[Answer], other: str, given: list[Answer]) -> list[Difference]:
    """Return the differences between the answers of two ways."""
    return [
        Difference(f"{one}: {expected.unlike(answer)}\n{other}: {answer.unlike(expected)}", (one, other), number)
        for number, (expected, answer) in enumerate(zip(first, given, strict=True))
        if not are_alike(program.requests[number], expected, answer)
    ]


def are_alike(request: SentRequest, one: Answer, other: Answer) -> bool:
    """Return True for equal answers. Only the status counts where a body broke off, which RSGI doesn't tell.

    A client that leaves before its request is complete sees no answer.
    """
    if request.is_cut:
        return True
    return one == other if one.is_whole and other.is_whole else one.status == other.status


def leftovers(client: Client, program: Program) -> list[str]:
    """Send the requests of a program again, and return what of them is still open."""
    answers(client, program)
    gc.collect()
    files, tasks = _files(), _tasks()
    found = Counter[str]()
    for _ in range(2):  # a thread of something else may have left garbage
        with kept_garbage() as garbage:
            answers(client, program)
        found = Counter(type(each).__qualname__ for each in garbage)
        garbage.clear()
        if not found:
            break
    left = [f"{sum(found.values())} objects to the collector: {dict(found.most_common(5))}"] if found else []
    if not eventually_same(_files, files):
        left.append(f"files: {files} before, {_files()} after")
    if not eventually_same(_tasks, tasks):
        left.append(f"tasks: {tasks} before, {_tasks()} after")
    if not eventually_same(_requests, 0):
        left.append(f"{_requests()} requests")
    return left


def eventually_same(count: Callable[[], int], expected: int) -> bool:
    """Wait, for a moment, until there are no more than expected."""
    try:
        eventually(lambda: True if count() <= expected else None, "more than expected are left", 0.3)
    except TimeoutError:
        return False
    return True


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _tasks() -> int:
    return sum(1 for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done())


def _requests() -> int:
    return sum(1 for each in gc.get_objects() if type(each) is Request)
