"""One program in each way of writing it: all of them run here, and their responses are compared."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

from antiphon import App
from antiphon.testing import Client
from examples.dialects.programs import PROGRAMS, Program

BY_NAME = {program.name: program for program in PROGRAMS}
TITLES = {"native": "Antiphon", "webob": "WebOb"}
_lock = Lock()


class Way(NamedTuple):
    """A way of writing a program: its source, and its response with what differs from Antiphon's own."""

    name: str
    path: str
    source: str
    parts: list[tuple[str, str, str]]
    """The name of each part of the response, its text, and "same", "same value", "differs" or "only here"."""

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name.capitalize())


@cache
def _app(name: str) -> App:
    os.environ.setdefault("SECRET_KEY", "Asok's, for this tour alone, which keeps nothing")
    app = App()
    for way in BY_NAME[name].ways():
        app.mount(f"/ways/{name}/{way}", BY_NAME[name].load(way))
    return app


def app_of(name: str) -> App:
    """Return an app with all ways of a program, each under its own path. The dialects are imported by the first."""
    with _lock:
        return _app(name)


def compared(name: str, interface: Literal["wsgi", "asgi", "rsgi"]) -> list[Way]:
    """Send each way of a program its request over an interface. The first way is Antiphon's own."""
    program = BY_NAME[name]
    sent = {}
    for way in program.ways():
        path = f"/ways/{name}/{way}"
        client = Client(app_of(name), interface, base_url="http://localhost", follow_redirects=False)
        if program.content_type:
            client.headers["content-type"] = program.content_type
        response = client.request(program.method, path + program.target, body=program.body)
        fields = sorted((field.lower(), value) for field, value in response.headers.items())
        sent[way] = [("status", str(response.status)), *fields, ("body", response.text.replace(path, ""))]
    own = dict(sent["native"])
    return [
        Way(way, f"ways/{name}/{way}{program.target}", _source(program, way), [*_marked(own, dict(parts))])
        for way, parts in sent.items()
    ]


def _marked(own: dict[str, str], parts: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, wanted in own.items():
        text = parts.pop(name, "")
        same = "same" if text == wanted else "same value" if _value(text) == _value(wanted) else "differs"
        yield name, text, same
    yield from ((name, text, "only here") for name, text in parts.items())


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.lower()


def _source(program: Program, way: str) -> str:
    path: Path = program.path(way)
    files = [path] if path.is_file() else sorted(path.rglob("*.py"), reverse=True)
    return "\n\n".join(f"# {file.name}\n{file.read_text()}" if len(files) > 1 else file.read_text() for file in files)
