"""A stored response, the request that it was made for, and the key under which it is found."""

import re
from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Self, TypeAlias
from urllib.parse import quote_plus

from antiphon import Limits, Request, Response
from antiphon.embedding import (
    FileBody,
    Head,
    KeptResponse,
    Reads,
    RequestHead,
    SharedFields,
    parse_or_none,
    response_of,
    split_list,
)
from antiphon.features.cache.files import BodyFiles
from antiphon.features.cache.rules import Control, age_when_received, control_of, hit_status
from antiphon.http import (
    InnerList,
    Item,
    MediaType,
    MultiDict,
    MutableHeaders,
    format_structured_dictionary,
    parse_query,
)

_WITHOUT_CASE = ("accept-charset", "accept-encoding", "accept-language")

_OPEN = (":", "accept")
"""The beginnings of names whose values tell nothing secret."""

_MOST_CONTENT = 64 << 10
"""The maximum size in bytes of a QUERY's content that can be part of a key."""

CONTENT_FIELDS = ("content-type", "content-encoding", "content-language", "content-location")
"""Fields that define the meaning of the content (RFC 9110 §8), which are part of a QUERY's key."""

_json_tokens = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|([{}\[\],:])[ \t\n\r]*|[ \t\n\r]+', re.DOTALL)

_LIMITS = Limits()
Chunks: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]
Fields: TypeAlias = list[tuple[str, str]] | SharedFields
Args: TypeAlias = frozenset[str] | None
"""The names of the query's arguments on which responses depend; None if they may depend on the whole query."""

MOST_VARIANTS = 32
"""The maximum number of responses stored for one URL, each for different values of the fields in its Vary."""


class StoredResponse:
    """A stored response, and the values of the request fields that select it.

    ``asked`` and ``received`` are the times of the request and the response, as Unix time in seconds.
    """

    __slots__ = (
        "_data",
        "_files",
        "_lines",
        "_repeats",
        "_told",
        "age_at_first",
        "asked",
        "control",
        "fresh_until",
        "is_in_file",
        "received",
        "selected_by",
    )

    def __init__(self, data: Mapping[str, Any], files: BodyFiles | None = None) -> None:
        self._data = data
        self._files = files
        self.is_in_file = "file" in data
        self.asked: float = data["asked"]
        self.received: float = data["received"]
        self.selected_by: list[list[str | None]] = data["selected_by"]
        fields = [(name, value) for name, value in data["fields"]]
        self._lines = [line for line in fields if line[0] != "age"]
        if data["status"] == 200 and not any(name == "accept-ranges" for name, _ in fields):
            self._lines.append(("accept-ranges", "bytes"))
        if self.is_in_file:
            self._lines.append(("content-length", str(data["length"])))
        self.control: Control = control_of(fields, self.received)
        names = [name for name, _ in self._lines]
        self._repeats = self.is_in_file or len({*names, "cache-status"}) <= len(names)
        self._told: tuple[tuple[int, str], tuple[tuple[str, str], ...]] = (-1, ""), ()
        self.age_at_first = age_when_received(fields, self.asked, self.received)
        may_be_used = self.control.directives.no_cache is not True
        self.fresh_until = self.received + self.control.lifetime - self.age_at_first if may_be_used else 0.0

    @classmethod
    def of(
        cls, head: Head, response: Response, names: Iterable[str], asked: float, received: float,
        left_out: Collection[str],
    ) -> Self:  # fmt: skip
        """Create a stored response, without some fields, from a response; it is selected by the given request
        fields.
        """
        said = control_of([*response._fields], received).directives
        selected_by = [[name, value_of(head, name)] for name in sorted(names)]
        kept = KeptResponse.data(response, {*left_out, *_field_names(said.no_cache), *_field_names(said.private)})
        body = response.body if isinstance(response.body, bytes) else b""
        return cls({**kept, "body": body, "selected_by": selected_by, "asked": asked, "received": received})

    def in_file(self, files: BodyFiles, name: str, length: int) -> "StoredResponse":
        """Return a copy whose body is in a file."""
        return StoredResponse({**self._data, "body": b"", "file": name, "length": length}, files)

    @property
    def data(self) -> Mapping[str, Any]:
        """The data that the store contains."""
        return self._data

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields, without Age."""
        return [*self._lines]

    @property
    def name(self) -> str:
        """The name that distinguishes this variant of its URL's response from the others."""
        return "v" + repr(self.selected_by)

    @property
    def status(self) -> int:
        """The status code."""
        return self._data["status"]  # type: ignore[no-any-return]

    @property
    def body(self) -> bytes | FileBody:
        """The whole body. Raises FileNotFoundError if its file is gone: check ``is_there`` first."""
        if not self.is_in_file:
            return self._data["body"]  # type: ignore[no-any-return]
        found = self._file()
        if found is None:
            raise FileNotFoundError(f"the file {self._data['file']} of a stored response no longer exists")
        return found

    @property
    def is_there(self) -> bool:
        """True unless the body's file no longer exists."""
        if not self.is_in_file or self._files is None:
            return not self.is_in_file
        return self._files.has(self._data["file"], self._data["length"])

    def hold(self) -> bool:
        """Record that the body is about to be used. Return False if the body no longer exists."""
        return not self.is_in_file or self._file() is not None

    def remove_file(self) -> None:
        """Remove the body's file, if there is one."""
        if self.is_in_file and self._files is not None:
            self._files.remove(self._data["file"])

    def _file(self) -> FileBody | None:
        return None if self._files is None else self._files.body(self._data["file"], self._data["length"])

    @property
    def _length(self) -> str:
        """The length of the whole body, as in Content-Length."""
        return str(self._data["length"] if self.is_in_file else self.size)

    @property
    def size(self) -> int:
        """The number of the body's bytes that are in memory."""
        return len(self._data["body"])

    def field(self, name: str) -> str | None:
        """Return the combined value of a header field, by its name in lower case."""
        return MutableHeaders.over([(name, value) for name, value in self._data["fields"]]).get(name)

    def age(self, now: float) -> float:
        """Return the age in seconds (RFC 9111 §4.2.3)."""
        return self.age_at_first + (now - self.received if now > self.received else 0.0)

    def satisfies(self, head: Head) -> bool:
        """Return True if a request has the field values for which this response was selected (RFC 9111 §4.1)."""
        return not self.selected_by or all(value_of(head, name or "") == value for name, value in self.selected_by)

    def whole(self, age: int, status: str) -> Response:
        """Return the whole response, with an Age in seconds and a Cache-Status.

        Responses within the same second share their fields, which are encoded once.
        """
        told, fields = self._told  # one read, for thread safety
        if told != (age, status):
            lines = [*self._lines, ("age", str(age)), ("cache-status", status)]
            fields = tuple(lines) if self._repeats else SharedFields.of(lines)
            self._told = (age, status), fields
        response = response_of(self.body, fields if isinstance(fields, SharedFields) else [*fields])
        if self._data["status"] != 200:
            response.status = self._data["status"]
        return response

    def told_until(self, now: float) -> tuple[float, float, Fields]:
        """Return the start and end of the period in which hits have the same fields, and those fields. They include Age
        and ``ttl`` in whole seconds.
        """
        age, first, lifetime = self.age(now), self.received - self.age_at_first, self.control.lifetime
        ttl = int(lifetime - age)
        fields = self.whole(int(age), hit_status(ttl, is_collapsed=False))._fields
        until = min(first + int(age) + 1, first + lifetime - ttl, self.fresh_until)
        return now, until if type(fields) is SharedFields else now, fields

    def response(self, request: Request, age: int) -> Response:
        """Return the response to a request, applying its conditions and ranges, with an Age in seconds.

        Raises PreconditionFailed (412) or RangeNotSatisfiable (416).
        """
        response = response_of(self.body, [*self._lines, ("age", str(age))])
        if self._data["status"] != 200:
            response.status = self._data["status"]
        if self._is_known_to(request.head):
            response.status, response.body = 304, b""
            response.headers.discard(("content-length", "content-type", "content-encoding"))
            return response
        return response.make_conditional(request)

    def _is_known_to(self, head: Head) -> bool:
        """Return True if a client sends this exact ETag, even in an invalid form, such as without quotes."""
        etag, given = self.field("etag"), head.field("if-none-match")
        return etag is not None and given is not None and given.strip('"') == etag.strip('"')

    def compared_with(self, response: Response) -> bool | None:
        """Return True if a response to HEAD confirms this one, False if it contradicts it, or None (RFC 9111 §4.3.5).

        A matching validator confirms it. A matching length does not, since a page may change and keep its length.
        """
        told = response.headers
        same = {name: told[name] == self.field(name) for name in ("etag", "last-modified") if name in told}
        body = response.body
        length = told.get("content-length") or (str(len(body)) if isinstance(body, bytes) and body else None)
        is_coded_alike = told.get("content-encoding") == self.field("content-encoding")
        if not all(same.values()) or (is_coded_alike and length not in (None, self._length)):
            return False
        return True if same else None

    def updated(self, response: Response, asked: float, received: float, left_out: Collection[str]) -> "StoredResponse":
        """Return a copy with the fields of a 304 or a response to HEAD that confirms this response (RFC 9111 §3.2)."""
        told = [[name, value] for name, value in response._fields if name not in left_out]
        names = {name for name, _ in told} | {"age"}
        fields = [field for field in self._data["fields"] if field[0] not in names] + told
        return StoredResponse({**self._data, "fields": fields, "asked": asked, "received": received}, self._files)


def _field_names(said: bool | tuple[str, ...]) -> tuple[str, ...]:
    return said if isinstance(said, tuple) else ()


def value_of(head: Head, name: str) -> str | None:
    """Return a request's value for a name that a watch has recorded, without spaces around commas (RFC 9111 §4.1).

    Cookies and fields that may contain credentials are hashed, because the store keeps the value.
    """
    value = Reads.value(head, name)
    if value is not None and name[0] != ":":
        value = ", ".join(split_list(value.lower() if name in _WITHOUT_CASE else value))
    if value is None or (name.startswith(_OPEN) and not name.startswith(Reads.COOKIE)):
        return value
    return sha256(repr(value).encode()).hexdigest()


def selecting(vary: str | None, reads: Iterable[str]) -> set[str]:
    """Return the names of everything that a response depends on: those in its Vary, and those read to make it.

    Conditions are not included: a response that depends on a client's conditions is not stored. If cookies were read
    only by their names, these names stand for the whole field in Vary.
    """
    named = {name.lower() for name in split_list(vary or "")}
    kinds = Reads.HTTP_VERSION, Reads.CHOICE, Reads.COOKIE
    read = {name for name in reads if name.startswith(kinds) or name[0] not in (":", Reads.EVERYTHING)}
    if "cookie" not in read and any(name.startswith(Reads.COOKIE) for name in read):
        named.discard("cookie")
    return (named | read) - {*RequestHead.CONDITIONS}


def fields_in(names: Iterable[str]) -> list[str]:
    """Return the header fields for a Vary: those that select a response, and those from which something is chosen."""
    chosen = [Reads.choices[name].fields for name in names if name in Reads.choices]
    cookie = {"cookie" for name in names if name.startswith(Reads.COOKIE)}
    return sorted({name for name in names if name[0] != ":"}.union(cookie, *chosen))


def key_of(head: Head, app: str, args: Args = None) -> str:
    """Return the key of a request's URL in an application, which has a name: all URL components, both as sent and as
    routed, but only these arguments of the query.

    Another application in the same store, even one on the same host, has other keys.
    """
    authority, root, query = head.authority, head.root_path, _reduced(head.query_string, args)
    place = f"{root!r} {root + head.path!r} {head.raw_path!r} {query!r}"
    return f"cache {app} {head.scheme} {len(authority)}:{authority} {place}"


def _reduced(query: bytes, args: Args) -> object:
    """Return the query, or the names and values of these arguments, each name with its values in order."""
    if args is None or len(query) > _LIMITS.query or query.count(b"&") >= _LIMITS.fields:
        return query  # of one that is too long, no argument can be read
    pairs = MultiDict(parse_query(query))
    return [(name, pairs.getall(name)) for name in sorted(args)]


def args_in(reads: Iterable[str] | None) -> Args:
    """Return the names of the query's arguments among what was read; None if the whole query, or unknown things, were
    read.
    """
    names = {Reads.QUERY} if reads is None else set(reads)
    if Reads.QUERY in names:
        return None
    return frozenset(name.removeprefix(Reads.ARG) for name in names if name.startswith(Reads.ARG))


def no_vary_search(args: Collection[str]) -> str:
    """Return the No-Vary-Search that tells caches that only these arguments of the query matter, in any order."""
    members: dict[str, Any] = {"key-order": True, "params": True}
    if args:
        members["except"] = InnerList([Item(quote_plus(name)) for name in sorted(args)])
    return format_structured_dictionary(members)


def key_of_query(request: Request, app: str) -> str | None:
    """Return the key of a QUERY: its URL's key and a hash of the content (RFC 10008 §2.7).

    None if the content has not been received yet, or is larger than 64 KiB.
    """
    head = request.head
    key, content = key_of(head, app), content_of(request)
    if content is None:
        return None
    written, *fields = map(head.field, CONTENT_FIELDS)
    media = parse_or_none(MediaType.parse, written)
    if media is not None and media.is_json:
        content = _without_white_space(content)
    meaning = (str(media) if media else written, fields, content)
    return f"{key} QUERY {sha256(repr(meaning).encode()).hexdigest()}"


def content_of(request: Request) -> bytes | None:
    """Return a QUERY's content, or b"" for other methods; None if it has not arrived, or is too large for a key."""
    if request.head.method != "QUERY":
        return b""
    content = request.content
    if content.is_complete:
        return None if content.size > _MOST_CONTENT else content.read_all()
    return b"" if content.is_empty else None


def _without_white_space(content: bytes) -> bytes:
    """Return JSON without insignificant white space (RFC 8259 §2).

    Bodies that differ in any other way remain different.
    """

    def shortened(found: re.Match[bytes]) -> bytes:
        token = found[0]
        if found[1] is not None:
            return found[1]
        is_last = found.end() == len(content) or content[found.end()] in b"}],:"
        return token if token[0] == 0x22 else b"" if is_last or found.start() == 0 else b" "

    return _json_tokens.sub(shortened, content)
