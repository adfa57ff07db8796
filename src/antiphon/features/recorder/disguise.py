"""Requests without their secrets: each secret is replaced with a value of the same shape, so that parsers still accept
the request.
"""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from hashlib import shake_256
from os import urandom
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus
from weakref import proxy

from antiphon import HTTPError, Request
from antiphon.features.masking import MASK, Mask, is_card_number
from antiphon.features.secret_names import is_opaque, is_secret, name_of_secret, named_items, secrets_of_path
from antiphon.http import MediaType

Line = tuple[str, str]

LONGEST_TEXT = 16 << 10
"""The length up to which a string is searched for secrets. A longer one is replaced entirely."""
MOST_SEARCHED = 128 << 10
"""The number of characters in a record that are searched. Any text beyond that is replaced entirely."""
MOST_KNOWN = 8_000
"""The maximum total length of the secrets that are searched for everywhere.

In a record whose secrets are longer, all text is replaced.
"""
_LONGEST_COOKIE = 15
"""The maximum length of a cookie value that may also be an ordinary word. Longer values are searched for everywhere."""
_LONGEST_ADDED = 200
"""The maximum length of a secret that may be only part of a string and is searched for everywhere."""
_PUNCTUATION = "!#$*?^~"
_KEY = urandom(32)
"""This process's key: with it, equal secrets get equal replacements, which don't reveal the secrets."""
_PAIRS = re.compile(rb"([&;])")
_is_url = re.compile(r"(?:[a-zA-Z][\w+.-]{0,30}:/)?/[^\s\"'<>]*").fullmatch
_is_form = re.compile(rb"[!#-;=?-~]*").fullmatch
"""Match what browsers write, in which some characters are percent-encoded."""
_is_hex = re.compile("[0-9a-fA-F-]{8,}").fullmatch
_in_xml = re.compile(r"<[!/?\w]").search
_cells = re.compile(r"[^,;|\t:=]+").findall
_PLAIN = frozenset(("accept", "content-type", "host", "user-agent"))
"""Fields whose values may look random, such as a boundary, and are not secret."""
FILLER = b"*"
"""The byte that replaces each byte of a file, or of a message, that is not a form or JSON."""


def same_shape(secret: str) -> str:
    """Return text of the same length, with a different letter for each letter and a different digit for each digit.

    Hexadecimal digits, as in a UUID, remain hexadecimal. A payment card number is replaced with one that has a valid
    check digit.
    """
    letters = 6 if _is_hex(secret) else 26
    steps = shake_256(hmac.digest(_KEY, secret.encode("utf-8", "surrogatepass"), "sha256")).digest(len(secret) or 1)
    made = "".join([_stepped(character, step, letters) for character, step in zip(secret, steps, strict=False)])
    return _with_check_digit(made) if is_card_number(secret) else made


@lru_cache(maxsize=1 << 15)  # large text takes a third of the time; all of ASCII fits in
def _stepped(character: str, step: int, letters: int) -> str:
    for first, count in (("0", 10), ("a", letters), ("A", letters)):
        if 0 <= (place := ord(character) - ord(first)) < count:
            return chr(ord(first) + (place + 1 + step % (count - 1)) % count)
    if character in _PUNCTUATION:
        return _PUNCTUATION[(_PUNCTUATION.index(character) + 1 + step % 6) % 7]
    if character.isascii():
        return character
    return "\N{LATIN SMALL LETTER O WITH STROKE}" if character.isalnum() else "\N{MIDDLE DOT}"


def _with_check_digit(number: str) -> str:
    place = max(index for index, character in enumerate(number) if character.isdigit())
    for digit in "0123456789":
        made = f"{number[:place]}{digit}{number[place + 1 :]}"
        if is_card_number(made):
            return made
    return number


class Disguise:
    """The replacement of one request's secrets, wherever they occur in it.

    Secrets that are recognized by their position, such as a password in a form, are then replaced everywhere else too.
    So everything is disguised twice, with ``search_again`` in between, and only the second result is kept. Text that
    can't be searched in time, because it is long or contains many secrets, is replaced entirely.
    """

    def __init__(self, marked: frozenset[str] = frozenset()) -> None:
        self._mask = Mask(partial(Disguise._hide, proxy(self)), most=LONGEST_TEXT)  # or each would keep the other
        self._marked = marked
        self._known: set[str] = set()
        self._left, self._room = MOST_SEARCHED, MOST_KNOWN
        self._searches_known = False

    def search_again(self) -> None:
        """From now on, also search for the secrets found so far."""
        self._left, self._searches_known = MOST_SEARCHED, True

    def is_secret(self, name: str, value: object = None) -> bool:
        """Return True for a field whose value must not be kept; without a value, if it is one whatever the value."""
        return name in self._marked or is_secret(name, value)

    def add(self, secret: str) -> str:
        """Replace a secret, here and wherever else it occurs."""
        self._know(secret)
        return same_shape(secret)

    def _know(self, secret: str) -> None:
        if secret not in self._known and self._room >= 0:
            self._known.add(secret)
            self._room -= len(secret)
            if self._room >= 0:
                self._mask.add(secret)

    def _hide(self, secret: str) -> str:
        if len(secret) <= _LONGEST_ADDED:
            self._know(secret)
        return same_shape(secret)

    def text(self, text: str) -> str:
        """Return a value of any name without its secrets. XML, settings and tables are replaced entirely."""
        made = self._words(text)
        if made != text or len(text) > LONGEST_TEXT:
            return made
        start = text.lstrip()[:1]
        if start in ("{", "[") and (read := self._json(text.encode("utf-8", "surrogatepass"))) is not None:
            return read.decode("utf-8", "surrogatepass")
        if _is_url(text):
            return self._url(text)
        if is_opaque(text):
            return self.add(text)
        return same_shape(text) if _in_xml(text) or any(map(_names_secret, text.splitlines())) else text

    def _words(self, text: str) -> str:
        self._left -= len(text)
        if len(text) > LONGEST_TEXT or self._left < 0 or self._room < 0:
            return same_shape(text)
        if self._searches_known and self._mask.known(text) != text:
            return same_shape(text)
        return self._mask.text_by_itself(text)

    def message(self, text: str) -> str:
        """Return an error's message, or a mask in its place if any part of it looks like a secret."""
        return text if self._words(text) == text else MASK

    def code(self, text: str) -> str:
        """Return source code without its secrets."""
        return self._mask.code(text)

    def named(self, name: str, value: str) -> str:
        """Return a field's value without secrets."""
        return self.add(value) if self.is_secret(name, value) else self.text(value)

    def _url(self, text: str) -> str:
        start, sign, query = text.partition("?")
        made = f"{self.path(start)}{sign}{self.pairs(query.encode('utf-8', 'surrogatepass')).decode('latin-1')}"
        return self._mask.text_by_itself(made)

    def path(self, path: str) -> str:
        """Return a path, which may be percent-encoded, without secrets."""
        for secret in secrets_of_path(unquote(path)):
            self._know(secret)
        segments = ((segment, unquote(segment)) for segment in path.split("/"))
        return "/".join(segment if (made := self._segment(each)) == each else quote(made) for segment, each in segments)

    def _segment(self, segment: str) -> str:
        if segment in self._known or (self._searches_known and self._mask.known(segment) != segment):
            return same_shape(segment)
        return self._mask.text_by_itself(segment)

    # Header fields

    def fields(self, lines: Iterable[Line]) -> list[Line]:
        """Return the header fields of a request or response without secrets."""
        return [(name, self._field(name, value)) for name, value in lines]

    def _field(self, name: str, value: str) -> str:
        if name == "cookie":
            return "; ".join(map(self._cookie, value.split("; ")))
        if name == "set-cookie":
            first, sign, attributes = value.partition(";")
            return f"{self._cookie(first)}{sign}{self.text(attributes)}"
        if name in ("authorization", "proxy-authorization"):
            return self._authorization(value)
        if name in _PLAIN:
            return self._words(value)
        return self.add(value) if name.endswith("-key") or self.is_secret(name, value) else self.text(value)

    def _cookie(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        if len(value) > _LONGEST_COOKIE or self.is_secret(name, value):
            self._know(value)
            self._know(unquote_plus(value))
        return f"{name}{sign}{same_shape(value)}"

    def _authorization(self, value: str) -> str:
        scheme, sign, credentials = value.partition(" ")
        if not sign:
            return self.add(value)
        if scheme.lower() == "basic":
            with suppress(ValueError):
                user, colon, password = b64decode(credentials).decode("latin-1").partition(":")
                made = f"{same_shape(user)}{colon}{self.add(password)}"
                self._know(credentials)
                return f"{scheme} {b64encode(made.encode('latin-1', 'replace')).decode()}"
        self._know(value)
        return f"{scheme} {self.add(credentials)}"

    # Bodies and queries

    def pairs(self, query: bytes) -> bytes:
        """Return a query, or a form encoded like one, without secrets. Other bytes do not change."""
        return b"".join(part if part in (b"&", b";") else self._pair(part) for part in _PAIRS.split(query))

    def _pair(self, pair: bytes) -> bytes:
        name, sign, value = pair.partition(b"=")
        if not sign:
            value, name = name, b""
        given = unquote_plus(value.decode("latin-1"))
        made = self.named(unquote_plus(name.decode("latin-1")), given)
        return pair if made == given else name + sign + quote_plus(made).encode("latin-1")

    def body(self, body: bytes, content_type: str) -> bytes | None:
        """Return a form or JSON without secrets, or None for any other body, which can't be kept."""
        with suppress(ValueError, HTTPError, RecursionError):
            kind = MediaType.parse(content_type)
            if kind.essence == "application/x-www-form-urlencoded":
                return self.pairs(body) if _is_form(body) else None
            if kind.essence == "multipart/form-data":
                return b"".join(self._multipart(body, content_type, kind.parameters.get("boundary", "")))
            if kind.essence.endswith("json"):
                return self._json(body)
        return None

    def content(self, content: bytes, content_type: str) -> bytes:
        """Return the content of a file or a message without secrets. Only its length is kept if it has no parser."""
        made = self.body(content, content_type)
        return FILLER * len(content) if made is None else made

    def _multipart(self, body: bytes, content_type: str, boundary: str) -> Iterator[bytes]:
        request = Request.blank("/", "POST", {"content-type": content_type}, body)
        for name, value in request.form.items():
            yield _part(boundary, self.text(name), self.named(name, value).encode())
        for name, upload in request.files.items():
            kind = str(upload.content_type or "")
            made = self.content(upload.read(), kind)
            yield _part(boundary, self.text(name), made, self.text(upload.filename or ""), kind)
        yield f"--{boundary}--\r\n".encode()

    def _json(self, body: bytes) -> bytes | None:
        """Return JSON without secrets; None for other text, and for an object with two members of one name."""
        with suppress(ValueError, RecursionError):
            read = json.loads(body, object_pairs_hook=_without_duplicates)
            made = self.value(read)
            return body if made == read else json.dumps(made, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return None

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON value without secrets."""
        if isinstance(value, Mapping):
            named = named_items(value.items(), _as_text, self.is_secret)
            return {
                self._key(key, name): self.value(each, name or self._name(label, each)) for label, key, each in named
            }
        if isinstance(value, list | tuple):
            made, header = [], ""
            for each in value:
                made.append(self.value(each, name or header))
                is_row = isinstance(each, list | tuple) and len(each) > 1
                names = each if is_row else [each] if len(value) == 2 else []
                header = header or name_of_secret(names, _as_text, self.is_secret)
            return made
        if isinstance(value, str):
            return self.add(value) if name else self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value, name)
        return value

    def _key(self, key: Any, name: str) -> Any:
        if not isinstance(key, str):
            return key
        return self.add(key) if name and is_secret("code", key) else self.text(key)

    def _name(self, name: str, value: object) -> str:
        """Return the name of a secret, which applies to everything inside the value; otherwise ""."""
        return name if self.is_secret(name, value) else ""

    def _number(self, value: float, name: str) -> float:
        text = str(value)
        made = self.add(text) if name else self.text(text)
        if made == text:
            return value
        with suppress(ValueError):
            return type(value)(made if made[:1] != "0" else f"1{made[1:]}")
        return 0


def _names_secret(line: str) -> bool:
    """Return True for a setting, such as ``password: ...``, and for the head of a table with such a column."""
    cells = [cell.strip() for cell in _cells(line)]
    return len(cells) > 1 and any(" " not in cell and name_of_secret([cell], _as_text) for cell in cells)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("two members have the same name")
    return members


def _part(boundary: str, name: str, content: bytes, filename: str | None = None, kind: str = "") -> bytes:
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        head += f'; filename="{_quoted(filename)}"' + f"\r\ncontent-type: {kind}" * bool(kind)
    return head.encode("utf-8", "replace") + b"\r\n\r\n" + content + b"\r\n"


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
