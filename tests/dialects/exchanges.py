"""What clients see of the rows of the table: exchanges with a program that is served over each interface.

Beside the tests of each dialect, ``test_served_rows.py`` has a table of exchanges, each with the view that answers it.
The original, where it runs, is served by the same server, over WSGI or ASGI, and asked the same.
"""

import http.client
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from tests.dialects.programs import served
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

INTERFACES = ("wsgi", "asgi", "rsgi")
ORIGINAL = "original"
BROKEN = "broken"
"""The answer of which not all comes before the connection is closed."""
Address = tuple[str, int]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=between"}
PARTS = (
    b'--between\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n'
    b'--between\r\nContent-Disposition: form-data; name="file"; filename="../a b.txt"\r\n'
    b"Content-Type: text/x-own\r\n\r\ncontent\r\n"
    b'--between\r\nContent-Disposition: form-data; name="empty"; filename=""\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\r\n--between--\r\n"
)


DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    # Granian says over WSGI that there is one process; ASGI and RSGI don't say.
    "kay-061 kay-062 kay-063": {"wsgi": "(False, True, False)", ORIGINAL: "(False, True, False)"},
    # `read()` of Granian's `wsgi.input` gives nothing after `read(2)`.
    "kay-081": {ORIGINAL: "(b'ab', b'')"},
    # Flask tells the length of the whole file, and sends its rest.
    "flask-079 flask-080 flask-081 flask-082": {ORIGINAL: BROKEN},
    # Granian's WSGI has one name for `X_Forwarded_For` and `X-Forwarded-For`: behind a proxy no address is believed.
    "asok-011": {"wsgi": "('',)"},
    "asok-012": {"wsgi": "('',)"},
    "asok-018 asok-019 asok-020 asok-021 asok-022 asok-023": {"wsgi": "('Unknown', 'Unknown', 0.0, 0.0)"},
    # Microdot, over ASGI, loses a byte of a body that is read in parts.
    "microdot-025 microdot-026 microdot-029 microdot-030": {ORIGINAL: "(b'', b'xxx', 996)"},
    # Under a virtual root, Pyramid counts the view's name among those that it traversed.
    "pyramid-026 pyramid-027": {ORIGINAL: "('b', '', (), ('a', 'b', 'edit'), 'edit', 'a', ('a',))"},
}
"""All that differs: what answers say in place of ``sees``, by the rows of the exchange and where."""


def error_of(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What a call gives, or the name of the error that it raises."""
    try:
        return function(*arguments, **named)
    except Exception as error:
        return type(error).__name__


class Exchange(NamedTuple):
    """A request and the answer that a client sees, with the rows that they show."""

    rows: str
    """The rows, separated by spaces."""
    request: str
    """The method and the target."""
    view: Callable[..., Any] | None
    """The view that answers, of the library's package; None if the program has it."""
    sees: str | re.Pattern[str] = ""
    """The body of the answer; as a pattern, what is in it."""
    status: int = 200
    fields: Mapping[str, str | re.Pattern[str] | None] = {}
    """Header fields of the answer, among others, of a name the last; None for one that is not there."""
    sent: Mapping[str, str] = {}
    """Header fields of the request, besides Host and Content-Length."""
    body: bytes = b""
    rule: str = ""
    """The rule of the view; by default the path of the request."""
    methods: Collection[str] = ()
    """The methods of the view; by default that of the request, and GET for HEAD and OPTIONS."""

    @property
    def method(self) -> str:
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.rule or self.request.partition(" ")[2].partition("?")[0]

    @property
    def view_methods(self) -> list[str]:
        return [*self.methods] or ["GET" if self.method in ("HEAD", "OPTIONS") else self.method]


class Answer(NamedTuple):
    """The end-to-end part of an answer, without times and nonces."""

    status: int
    fields: list[tuple[str, str]]
    body: str


def each(exchanges: Iterable[Exchange]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each exchange, as one test that has the marks of all their rows."""
    table = [pytest.param(exchange, id=exchange.request) for exchange in exchanges]
    shown = [row for param in table for row in param.values[0].rows.split()]
    marks = [pytest.mark.feature(*shown), pytest.mark.served(*shown)]
    return lambda test: marks[0](marks[1](rows("exchange", table)(test)))


@contextmanager
def serving(
    make: Callable[[], Any], original: Callable[[], Any] | None = None, its_interface: str = "wsgi"
) -> Iterator[dict[str, Address]]:
    """The addresses of a program over each interface, and of the original over its own."""
    with ExitStack() as stack:
        addresses = {interface: stack.enter_context(served(make, interface)) for interface in INTERFACES}
        if original is not None:
            addresses[ORIGINAL] = stack.enter_context(served(original, its_interface))
        yield addresses


def check(addresses: Mapping[str, Address], exchange: Exchange, visitors: Mapping[str, Mapping[str, str]] = {}) -> None:
    """Have an exchange with each server, and see that its answer is the expected one, and the same everywhere.

    ``visitors`` has fields that are sent to a server, unless the exchange has them.
    """
    differences = DIFFERENCES.get(exchange.rows, {})
    answers = {}
    for name, address in addresses.items():
        if differences.get(name) == BROKEN:
            with pytest.raises((http.client.HTTPException, ConnectionError)):
                ask(address, exchange)
            continue
        sent = {**visitors.get(name, {}), **exchange.sent}
        answer = answers[name] = ask(address, exchange._replace(sent=sent))
        assert answer.status == exchange.status, (name, answer)
        assert is_as(differences.get(name, exchange.sees), answer.body), (name, answer)
        fields = dict(answer.fields)
        assert all(is_as(value, fields.get(field)) for field, value in exchange.fields.items()), (name, answer)
    alike = [name for name in answers if name not in differences]
    for one, other in pairwise(alike):
        is_own = other == ORIGINAL and isinstance(exchange.sees, re.Pattern)
        wordless = without_words if is_own else lambda answer: answer
        assert wordless(answers[one]) == wordless(answers[other]), (one, answers[one], other, answers[other])


def is_as(expected: str | re.Pattern[str] | None, found: str | None) -> bool:
    """Return True for what is as expected, or has a pattern."""
    return bool(expected.search(found or "")) if isinstance(expected, re.Pattern) else found == expected


def without_words(answer: Answer) -> Answer:
    """An answer without its page, whose words are the library's."""
    return Answer(answer.status, [field for field in answer.fields if field[0] != "content-length"], "")


def ask(address: Address, exchange: Exchange) -> Answer:
    """Send the request of an exchange, and return the answer."""
    with closing(http.client.HTTPConnection(*address, timeout=DEADLINE)) as connection:
        connection.putrequest(*exchange.request.split(" "), skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": "localhost", **exchange.sent}.items():
            connection.putheader(name, value)
        if exchange.body or exchange.method not in ("GET", "HEAD", "OPTIONS"):
            connection.putheader("Content-Length", str(len(exchange.body)))
        connection.endheaders(exchange.body)
        response = connection.getresponse()
        return Answer(response.status, end_to_end(response.getheaders()), _nonce.sub("?", response.read().decode()))


_OF_A_CONNECTION = ("connection", "keep-alive", "server", "transfer-encoding")
_THIS_YEAR = datetime.now(UTC).year
_time = re.compile(r"(?<=expires=)[^;]+", re.IGNORECASE)
_nonce = re.compile(r"""(?<=nonce[-=])"?[\w-]+""")
_signed = re.compile(r"^session=[^;]+")


def end_to_end(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header fields that are not of one connection, without times, nonces and the order of sets."""
    return sorted(
        (name.lower(), _timeless(name.lower(), value)) for name, value in fields if name.lower() not in _OF_A_CONNECTION
    )


def _timeless(name: str, value: str) -> str:
    if name in ("date", "expires") and parsedate_to_datetime(value).year >= _THIS_YEAR:
        return "now"
    if name == "last-modified" and datetime.now(UTC) - parsedate_to_datetime(value) < timedelta(minutes=1):
        return "now"
    if name == "allow":
        return ", ".join(sorted(value.split(", ")))
    if name == "set-cookie":
        return _signed.sub("session=?", _time.sub("?", value))
    return _nonce.sub("?", value)
