"""Tests of conditions and ranges over sockets: each kind of body, in every way, against a plain reading of RFC 9110.

The requests of a test share one connection, so that wrong framing spoils the next response.
"""

import itertools
import os
import re
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.served.conditional import FOR_CACHES, MODIFIED, STRONG, WEAK
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

CONTENT = bytes(range(256)) + b"\r\n--boundary\r\n\r\n" + bytes(range(255, -1, -1))
SIZE = len(CONTENT)
EARLIER, LATER = "Sat, 05 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"


class Kind(NamedTuple):
    """A kind of body: its validators, and whether its length is known."""

    name: str
    etag: str | None = STRONG
    modified: str | None = MODIFIED
    has_length: bool = True


KINDS = (
    Kind("bytes"), Kind("weak", etag=WEAK), Kind("undated", modified=None), Kind("dated", etag=None), Kind("path"),
    Kind("file"), Kind("pipe", has_length=False), Kind("stream", has_length=False),
    Kind("measured"), Kind("measured-async"),
)  # fmt: skip

HIT, ALIKE, MISS = "{etag}", "W/{etag}", '"v0"'
"""The tag of the content, in which `{etag}` is filled in; a weak one like it; another."""
CONDITIONS = {
    "If-Match": (HIT, ALIKE, MISS, f"{MISS}, {HIT}", "*"),
    "If-None-Match": (HIT, ALIKE, MISS, f"{MISS}, {ALIKE}", "*"),
    "If-Modified-Since": (EARLIER, MODIFIED, LATER, "yesterday"),
    "If-Unmodified-Since": (EARLIER, MODIFIED, LATER, "yesterday"),
    "If-Range": (HIT, ALIKE, MISS, EARLIER, MODIFIED, LATER, "yesterday"),
}
OPPOSED = {
    "If-Match": (HIT, MISS),
    "If-None-Match": (HIT, MISS),
    "If-Modified-Since": (EARLIER, LATER),
    "If-Unmodified-Since": (EARLIER, LATER),
    "If-Range": (HIT, MISS),
}
RANGES = (None, "bytes=0-9", "bytes=-10", "bytes=0-260,270-279", "bytes=9999-", "bytes=first")
OTHER_RANGES = (
    "bytes=500-9999", "bytes=-9999", "bytes=0-", "bytes=270-279,0-260", "bytes=0-4,9999-", "bytes=9999-,-0",
    "bytes=0-9,first", "bytes=9-0", "lines=0-9",
)  # fmt: skip

ONE_BY_ONE = [{}, *({name: value} for name, values in CONDITIONS.items() for value in values)]
TOGETHER = [
    {name: value for name, value in zip(OPPOSED, values, strict=True) if value}
    for values in itertools.product(*[(None, *values) for values in OPPOSED.values()])
]


def requests(conditions, ranges):
    """Return methods and header fields: each of these conditions with each of these ranges."""
    return [
        (method, fields | ({"Range": range_} if range_ else {}))
        for method, fields, range_ in itertools.product(("GET", "HEAD"), conditions, ranges)
    ]


def is_among(field, etag, *, strongly):
    """True if a field lists the tag of the current version (RFC 9110 §8.8.3.2, §13.1.1, §13.1.2)."""
    if field == "*":
        return True
    if etag is None or (strongly and etag.startswith("W/")):
        return False
    listed = field.split(", ")
    return etag in listed if strongly else etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in listed]


def is_after(modified, field):
    """True if ``modified`` is after the date in a field; None where the field is ignored (§13.1.3, §13.1.4)."""
    if modified is None or field == "yesterday":
        return None
    return parsedate_to_datetime(modified) > parsedate_to_datetime(field)


def is_same_version(field, etag, modified):
    """True if If-Range matches (§13.1.5): by a strong tag, or by the same date without a weak tag (§8.8.2.2)."""
    if field.endswith("GMT"):
        return field == modified and not (etag or "").startswith("W/")
    return is_among(field, etag, strongly=True)


def status_by_conditions(fields, etag, modified):
    """Return the status by §13.2.2, steps 1 to 4, for reading a resource that exists."""
    if "If-Match" in fields:
        if not is_among(fields["If-Match"], etag, strongly=True):
            return 412
    elif "If-Unmodified-Since" in fields and is_after(modified, fields["If-Unmodified-Since"]):
        return 412
    if "If-None-Match" in fields:
        return 304 if is_among(fields["If-None-Match"], etag, strongly=False) else 200
    if "If-Modified-Since" in fields and is_after(modified, fields["If-Modified-Since"]) is False:
        return 304
    return 200


def wanted_parts(header):
    """Return the start and stop of each range (§14.1.2); None for a header that may be ignored (§14.2)."""
    if not re.fullmatch(r"bytes=(\d+-\d*|-\d+)(,(\d+-\d*|-\d+))*", header):
        return None
    parts = []
    for first, last in re.findall(r"(\d*)-(\d*)", header):
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(SIZE - int(last), 0)
        stop = int(last) + 1 if first and last else SIZE
        if start < SIZE:
            parts.append((start, min(stop, SIZE)))
    return parts


def expected(kind, method, fields):
    """Return the status, and the part of a 206."""
    status = status_by_conditions(fields, kind.etag, kind.modified)
    if status != 200 or method != "GET" or "Range" not in fields or not kind.has_length:
        return status, None
    if "If-Range" in fields and not is_same_version(fields["If-Range"], kind.etag, kind.modified):
        return 200, None  # step 5
    parts = wanted_parts(fields["Range"])
    if parts is None or len(parts) > 1:
        return 200, None
    return (206, parts[0]) if parts else (416, None)


def check_content(kind, method, response, part):
    """Check the bytes, and the fields that measure them (§8.6, §14.3, §14.4)."""
    if response.status == 206:
        start, stop = part
        assert response.values("content-range") == [f"bytes {start}-{stop - 1}/{SIZE}"]
        assert response.body == CONTENT[start:stop]
        length = [str(len(response.body))]
    else:
        assert response.body == (b"" if method == "HEAD" else CONTENT)
        assert not response.values("content-range")
        length = [str(SIZE)] if kind.has_length else []
    assert response.values("content-length") == length
    assert response.values("accept-ranges") == (["bytes"] if kind.has_length else [])


def check_kept(kind, response):
    """Check the fields that a 304 and a 206 share with the 200 (§15.3.7, §15.4.5)."""
    for name, value in FOR_CACHES.items():
        assert response.values(name) == [value], name
    assert response.values("etag") == ([kind.etag] if kind.etag else [])
    if response.status != 304 or not kind.etag:
        assert response.values("last-modified") == ([kind.modified] if kind.modified else [])


def check(kind, method, fields, response):
    status, part = expected(kind, method, fields)
    assert response.whole
    assert response.status == status
    if status in (200, 206):
        check_content(kind, method, response, part)
    if status == 416:
        assert response.values("content-range") == [f"bytes */{SIZE}"]
    if status in (412, 416):
        assert response.values("content-type") == ["application/problem+json"]
        assert (response.body[:1] == b"{") == (method == "GET")
    if status == 304:
        assert response.body == b""
        assert response.values("content-length") in ([], [str(SIZE)])
    if status in (200, 206, 304):
        check_kept(kind, response)


class Asked:
    """Requests for one kind of body, on as few connections as the server allows."""

    def __init__(self, process, path, kind):
        self._process = process
        self._target = f"/{kind.name}?path={path}"
        self._kind = kind._replace(etag=f'"{path.stat().st_mtime_ns:x}-{SIZE:x}"') if kind.name == "path" else kind
        self._connection = process.connect()
        self.connections = 1

    def failures(self, requests):
        """Send requests, and return a line for each wrong response."""
        try:
            return [
                f"{method} {fields}: {wrong}"
                for method, fields in requests
                if (wrong := self._answered_wrongly(method, fields))
            ]
        finally:
            self._connection.close()

    def _answered_wrongly(self, method, fields):
        tag = (self._kind.etag or STRONG).removeprefix("W/")
        fields = {name: value.replace("{etag}", tag) for name, value in fields.items()}
        if not self._connection.reusable:
            self._connect_again()
        try:
            self._connection.send(SentRequest(method, self._target, tuple(fields.items())).encoded)
            check(self._kind, method, fields, self._connection.receive(method))
        except (AssertionError, ConnectionError, TimeoutError, ValueError) as wrong:
            self._connect_again()
            return f"{type(wrong).__name__}: {wrong}"
        return None

    def _connect_again(self):
        self._connection.close()
        self._connection = self._process.connect()
        self.connections += 1


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def process(request):
    with ServerProcess(request.param.command, "tests.helpers.served.conditional:app") as process:
        yield process


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("versions") / "content"
    path.write_bytes(CONTENT)
    modified = parsedate_to_datetime(MODIFIED).timestamp()
    os.utime(path, (modified, modified))
    return path


over_each_interface = pytest.mark.parametrize(
    "process", [server for server in SERVERS if "Granian" in server.name], ids=lambda server: server.name, indirect=True
)


@over_each_interface
@rows("kind", KINDS, ids=lambda kind: kind.name)
def test_conditions_and_ranges_are_answered_for_each_kind_of_body(process, path, kind):
    asked = Asked(process, path, kind)
    assert not asked.failures(requests(ONE_BY_ONE, RANGES) + requests([{}], OTHER_RANGES))
    assert asked.connections == 1


@over_each_interface
def test_conditions_count_in_their_order(process, path):
    assert not Asked(process, path, KINDS[0]).failures(requests(TOGETHER, [None, "bytes=0-9"]))


def test_each_server_sends_what_it_should_and_closes_what_it_should_not(process, path):
    asked = requests([{}], [*RANGES, "bytes=270-279,0-260"])
    asked += requests([{"If-None-Match": "*"}, {"If-Match": MISS}], [None, "bytes=0-9"])
    for kind in KINDS:
        assert not Asked(process, path, kind).failures(asked), kind

    def nothing_is_open():
        return process.respond(SentRequest("GET", "/open")).body == b"0" or None

    eventually(nothing_is_open, "a body is still open")
