"""An attack: what is sent, and what must hold of the answers. The judge says how the answers fail it."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from tests.dialects.attacks.sites.common import SECRET
from tests.dialects.attacks.wire import converse, host_of

ALL = ("asok", "flask", "kay", "microdot", "pyramid", "webob", "werkzeug")
INTERFACES = ("wsgi", "asgi", "rsgi")
ANSWERED = range(200, 500)
REFUSED = range(400, 500)
CLOSED = None
"""In place of a status: the connection is closed without an answer."""

LEAKS = (SECRET.encode(), b"Traceback", b"site-packages", b"root:x:0")
MARKUP = (b"<script>alert", b'"onload=alert')
TAKEN_FOR_HTML = re.compile(r"^$|html|xml|svg")


@dataclass(frozen=True)
class Attack:
    """Bytes that are sent on one connection, and what must hold; what must always hold goes without saying.

    ``sent`` is bytes, a list of pieces, or a function of the site. ``/static/`` in it is the site's own path.
    """

    name: str
    sent: Any
    statuses: Collection[int | None] = ANSWERED
    """The statuses that the first answer may have; ``CLOSED`` among them if there may be none."""
    says: bytes = b""
    """What the body of the first answer has, if its status is 2xx."""
    most: int = 1
    """The largest number of answers."""
    methods: tuple[str, ...] = ("GET",)
    dialects: Collection[str] = ALL
    interfaces: Collection[str] = INTERFACES
    is_half_closed: bool = False
    may_leave: bool = False
    """True if the site was told to redirect to where the client says."""
    check: Callable[[Any], str | None] = field(default=lambda conversation: None)
    """Returns how a conversation fails in a way of its own."""

    def failure(self, site):
        """Attack a site. Return how that fails, in words; None if all holds."""
        sent = self.sent(site) if callable(self.sent) else self.sent
        pieces = [sent] if isinstance(sent, bytes) else sent
        pieces = [piece.replace(b"/static/", site.static) for piece in pieces]
        conversation = converse(site.address, *pieces, is_half_closed=self.is_half_closed, methods=self.methods)
        return self._judged(conversation) or unsafe(conversation, self.may_leave)

    def _judged(self, conversation):
        if conversation.is_hanging:
            return "the connection hangs"
        if len(conversation.answers) > self.most:
            return f"{len(conversation.answers)} answers: {[answer.status for answer in conversation.answers]}"
        first = conversation.first
        status = first.status if first else CLOSED
        if status not in self.statuses:
            return f"status {status} {first.body[:200] if first else conversation.rest[:200]!r}"
        if first and status < 300 and self.says not in first.body:
            return f"{status} without {self.says!r}: {first.body[:200]!r}"
        return self.check(conversation)


@dataclass(frozen=True)
class Play:
    """An attack in several steps: a function of the site that returns how it fails, or None."""

    name: str
    play: Callable[[Any], str | None]
    dialects: Collection[str] = ALL
    interfaces: Collection[str] = INTERFACES

    def failure(self, site):
        return self.play(site)


def unsafe(conversation, may_leave=False):
    """How answers are unsafe, whatever was asked; None if they are not."""
    if conversation.rest:
        return f"a malformed answer: {conversation.rest[:200]!r}"
    for answer in conversation.answers:
        if leaks := [leak for leak in LEAKS if leak in answer.body]:
            return f"an answer has {leaks}"
        if any(each in answer.body.lower() for each in MARKUP) and TAKEN_FOR_HTML.search(
            answer.get("content-type").lower()
        ):
            return f"a script in {answer.get('content-type')!r}: {answer.body[:200]!r}"
        if any(name.startswith("x-injected") for name, _ in answer.fields):
            return f"an injected field: {answer.fields}"
        if any(cookie.startswith("injected") for cookie in answer.all("set-cookie")):
            return f"an injected cookie: {answer.fields}"
        for location in answer.all("location"):
            if not may_leave and host_of(location) not in ("localhost", "127.0.0.1"):
                return f"a redirect to another site: {location!r}"
    return None


def request(method, target, *fields, body=b"", ends=True):
    """The bytes of a request. It has one Host, the length of its body, and ends the connection unless not ``ends``."""
    lines = [b"%b %b HTTP/1.1" % (method, target), b"Host: localhost", *fields]
    if body or method in (b"POST", b"PUT"):
        lines.append(b"Content-Length: %d" % len(body))
    if ends:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", body])


def get(target, *fields, **more):
    return request(b"GET", target, *fields, **more)


def post(target, content_type, body, *fields):
    return request(b"POST", target, b"Content-Type: " + content_type, *fields, body=body)
