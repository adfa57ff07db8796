"""A shared cache in front of an application, as a CDN has one (RFC 9111), which gives others what it stores for one.

It stores all that a response lets it store, and heeds no directive of requests, as most of them don't. Of what a
response leaves open it chooses what reaches most visitors.
"""

from collections import defaultdict
from time import time
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from antiphon.http.dates import parse_http_date
from antiphon.http.errors import HTTPError
from antiphon.http.grammar import parse_or_none, split_list
from antiphon.http.headers import combined
from antiphon.http.structured_fields import InnerList, Item, parse_structured_dictionary
from antiphon.request.request import Request
from antiphon.response.response import Response

Fields: TypeAlias = tuple[tuple[str, str], ...]

_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-range", "range"})
"""The fields of a request that a cache evaluates itself (RFC 9111 §4.3.2), and replaces in what it sends on."""
_VALIDATORS = (("if-none-match", "etag"), ("if-modified-since", "last-modified"))
_UNSAID = 60.0
"""The seconds for which a response stays fresh that is public, and gives no lifetime (RFC 9111 §4.2.2)."""
_READING = ("GET", "HEAD", "QUERY")


class Asked(NamedTuple):
    """A request; of its body, only a QUERY's matters."""

    method: str
    target: str
    fields: Fields = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def arguments(self, no_vary_search: str | None) -> list[tuple[str, str]]:
        """Return the arguments of the query on which a response with this No-Vary-Search depends."""
        members = parse_or_none(parse_structured_dictionary, no_vary_search) or {}
        lists = {
            name: {str(item.value) for item in each.items}
            for name, each in members.items()
            if isinstance(each, InnerList)
        }
        ignored, kept = lists.get("params", set()), lists.get("except", set())
        is_any = "params" in members and "params" not in lists
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        pairs = [pair for pair in pairs if (pair[0] in kept if is_any else pair[0] not in ignored)]
        return sorted(pairs, key=lambda pair: pair[0]) if "key-order" in members else pairs


class Message(NamedTuple):
    """A response, as a client or a cache gets it."""

    status: int
    fields: Fields
    body: bytes
    is_whole: bool = True

    def directives(self) -> dict[str, str]:
        """Return the directives for shared caches, with their arguments (RFC 9111 §5.2, RFC 9213)."""
        said = combined([*self.fields])
        if members := parse_or_none(parse_structured_dictionary, said.get("cdn-cache-control")):
            values = {name: each.value for name, each in members.items() if isinstance(each, Item)}
            return {name: "" if value is True else str(value) for name, value in values.items()} | {"targeted": ""}
        pairs = [each.partition("=") for each in split_list(said.get("cache-control", ""))]
        return {name.strip().lower(): value.strip('" ') for name, _, value in pairs}

    def lifetime(self) -> float:
        """Return the seconds for which it is fresh in a shared cache (RFC 9111 §4.2.1)."""
        said, directives = combined([*self.fields]), self.directives()
        for name in ("s-maxage", "max-age"):
            if name in directives:
                return _seconds(directives[name])
        if "expires" in said and "targeted" not in directives:
            expires = parse_or_none(parse_http_date, said["expires"])
            return 0.0 if expires is None else expires.timestamp() - time()
        return _UNSAID if "public" in directives else 0.0

    def may_be_stored_for(self, asked: Asked) -> bool:
        """Return True if a shared cache may store it as the response to a request (RFC 9111 §3, §3.5)."""
        directives, vary = self.directives(), combined([*self.fields]).get("vary", "")
        is_forbidden = "no-store" in directives or directives.get("private") == "" or "*" in vary
        if asked.method not in _READING or not self.is_whole or self.status in (304, 412, 416) or is_forbidden:
            return False
        has_credentials = "authorization" in dict(asked.fields)
        is_for_all = not {"public", "s-maxage"}.isdisjoint(directives)
        if has_credentials and not (is_for_all or "must-revalidate" in directives):
            return False
        return is_for_all or self.lifetime() > 0 or "no-cache" in directives


class Stored(NamedTuple):
    """A stored response, with the request for which it was made, and the time since which it has an age."""

    asked: Asked
    message: Message
    since: float

    def fits(self, asked: Asked) -> bool:
        """Return True if it may be selected for a request: by its URL, its Vary, its range (RFC 9111 §4.1, §3.3)."""
        own, other, said = combined([*self.asked.fields]), combined([*asked.fields]), combined([*self.message.fields])
        varied = [*split_list(said.get("vary", "").lower()), *(["range"] if self.message.status == 206 else [])]
        return (
            (self.asked.method == asked.method or (self.asked.method, asked.method) == ("GET", "HEAD"))
            and (asked.method != "QUERY" or self.asked.body == asked.body)
            and all(own.get(name) == other.get(name) for name in varied)
            and len({tuple(each.arguments(said.get("no-vary-search"))) for each in (self.asked, asked)}) == 1
        )

    def stands_for_error(self, age: float) -> bool:
        """Return True if it may be served instead of an error (RFC 5861 §4)."""
        directives = self.message.directives()
        is_forbidden = {"must-revalidate", "proxy-revalidate", "s-maxage", "no-cache"} & directives.keys()
        return not is_forbidden and age - self.message.lifetime() < _seconds(directives.get("stale-if-error", ""))


class Fill(NamedTuple):
    """A request as the cache sends it on, and the stale response that it asks about."""

    asked: Asked
    fields: Fields
    stale: Stored | None = None


class Downstream:
    """A shared cache for one host, whose time a caller may set forward: ``now``, in seconds.

    ``find`` returns the response to a request, or a fill that has to be sent to the application. Of the application's
    response, ``take`` returns what the client gets.
    """

    def __init__(self) -> None:
        self.now = time()
        self._stored = defaultdict[str, list[Stored]](list)

    def find(self, asked: Asked) -> Message | Fill:
        """Return the stored response to a request, or the fill for it."""
        stored = next((each for each in self._stored[asked.path] if each.fits(asked)), None)
        if stored is None:
            return Fill(asked, asked.fields)
        message = stored.message
        if self.now - stored.since < message.lifetime() and message.directives().get("no-cache") != "":
            return self._served(asked, stored)
        said = combined([*message.fields])
        kept = [field for field in asked.fields if field[0] not in _CONDITIONS]
        return Fill(asked, (*kept, *[(name, said[of]) for name, of in _VALIDATORS if of in said]), stored)

    def take(self, fill: Fill, message: Message) -> Message:
        """Return what the client gets of the application's response, and store it if that is allowed."""
        asked, stale = fill.asked, fill.stale
        if asked.method not in _READING and message.status < 400:
            self._stored[asked.path].clear()
            if asked.method == "POST" and ("content-location", asked.target) in message.fields:  # RFC 9110 §9.3.3
                self._store(asked._replace(method="GET"), message)
        if stale is None or asked.method not in _READING:
            self._store(asked, message)
            return message
        if (message.status >= 500 or not message.is_whole) and stale.stands_for_error(self.now - stale.since):
            return self._served(asked, stale)
        if message.status == 304:
            given = {name for name, _ in message.fields} | {"age"}
            kept = [field for field in stale.message.fields if field[0] not in given]
            message = stale.message._replace(fields=(*kept, *message.fields))
        self._stored[asked.path] = [each for each in self._stored[asked.path] if each is not stale]
        new = self._store(asked, message)
        return self._served(asked, new) if message.is_whole else message

    def _store(self, asked: Asked, message: Message) -> Stored:
        directives = message.directives()
        dropped = {name.lower() for each in ("private", "no-cache") for name in split_list(directives.get(each, ""))}
        fields = tuple([field for field in message.fields if field[0] not in dropped])
        age = combined([*fields]).get("age", "")
        new = Stored(asked, message._replace(fields=fields), self.now - _seconds(age))
        if message.may_be_stored_for(asked):
            self._stored[asked.path] = [new, *[each for each in self._stored[asked.path] if not each.fits(asked)]]
        return new

    def _served(self, asked: Asked, stored: Stored) -> Message:
        """Return a response with its age, after the conditions of a request."""
        status, body = stored.message.status, stored.message.body
        fields = [field for field in stored.message.fields if field[0] != "age"]
        fields.append(("age", str(int(self.now - stored.since))))
        if status == 200 and (given := [field for field in asked.fields if field[0] in _CONDITIONS]):
            fields = [field for field in fields if field[0] != "content-length"]
            try:
                response = Response(body, 200, fields).make_conditional(Request.blank(asked.target, "GET", given))
            except HTTPError as error:
                response = Response(str(error), error.status, error.headers)
            status, fields, body = response.status, response.headers.items(), bytes(response.freeze().body)  # type: ignore[arg-type]
        return Message(status, tuple(fields), b"" if asked.method == "HEAD" else body)


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
