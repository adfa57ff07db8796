"""A conversation with an application: its answers are kept by the run with the original, and compared by the others."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

ORIGINAL = "original"
KEPT = Path(os.environ["ANSWERS"])
PER_RUN = re.compile(
    r"""(?<=session=)[^;]+|nonce[-=]"?[\w-]+|(?=[\w.-]*\d)[\w.-]{20,}|\d{10,}"""
    r"""|127\.0\.0\.1:\d+|\w{3}, \d\d \w{3} \d{4} [\d:]{8}|\d{4}-\d\d-\d\d[ T][\d:]{8}\.\d+"""
)
"""What differs from one run to the next: tokens, signatures, times and the address."""
WORDED_BY_LIBRARY = re.compile(r"<!doctype html>\n<html lang=en>\n<title>(Redirecting|\d{3} )")
"""The beginning of a page that tells of a redirect or an error in the words of Werkzeug, or of the dialect."""
PRESENT = {"date", "server", "content-length", "etag", "last-modified"}
"""Headers of which only the presence is compared."""


class Exchange(NamedTuple):
    """A request, and the name of its test."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    fields: Mapping[str, str] | None = None
    """Fields of a form, to be sent as the body."""
    body: str | None = None

    @property
    def name(self) -> str:
        parts = (self.method, self.path, urlencode(self.headers), urlencode(self.fields or {}), self.body)
        return " ".join(part for part in parts if part)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(application: Any) -> Iterator[int]:
    """The port at which the standard library serves an application, alike for the original and the dialect."""
    server = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Conversation:
    """A browser of a few lines: it keeps cookies, and the last token that a page gave for forms."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token_pattern = re.compile(token)
        self.token = ""
        self.cookies: dict[str, str] = {}

    def answer(self, exchange: Exchange) -> dict[str, Any]:
        """Send a request, and return what has to be the same with the dialect."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **exchange.headers}
        body = exchange.body
        if exchange.fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(exchange.fields)
        filled = {name: value.replace("TOKEN", self.token) for name, value in headers.items()}
        connection.request(exchange.method, exchange.path, body and body.replace("TOKEN", self.token), filled)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        connection.close()
        self._learn(response.getheaders(), text)
        kept = sorted(
            (name.lower(), _unordered(name, PER_RUN.sub("*", value))) for name, value in response.getheaders()
        )
        return {
            "status": response.status,
            "headers": [f"{name}: {value}" for name, value in kept if name not in PRESENT],
            "has": sorted({name for name, _ in kept} & PRESENT),
            "body": None if WORDED_BY_LIBRARY.match(text) else PER_RUN.sub("*", text).splitlines(),
        }

    def _learn(self, headers: list[tuple[str, str]], text: str) -> None:
        for name, value in headers:
            if name.lower() == "set-cookie":
                pair = value.partition(";")[0].partition("=")
                self.cookies[pair[0]] = pair[2]
        if found := self.token_pattern.search(text):
            self.token = found[1]


def _unordered(name: str, value: str) -> str:
    """Return a value whose items are in one order, for a header that Flask writes from a set."""
    return ", ".join(sorted(value.split(", "))) if name.lower() == "allow" else value


def answers(application: Any, exchanges: list[Exchange], token: str) -> tuple[list[Any], list[Any]]:
    """Return what the application answers to each request, and what it answered on the original."""
    with served(application) as port:
        talk = Conversation(port, token)
        given = [talk.answer(each) for each in exchanges]
    if os.environ["ANSWERS_OF"] == ORIGINAL:
        KEPT.write_text(json.dumps(given, indent=1))
    return given, json.loads(KEPT.read_text())
