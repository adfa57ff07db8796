"""A kept request as the source of a test, which sends it with the ``antiphon.testing`` client."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pprint import pformat
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from antiphon import App, Dependency, HTTPError
from antiphon.features.recorder.disguise import FILLER
from antiphon.features.recorder.record import Record
from antiphon.features.secret_names import is_secret_name
from antiphon.http import MediaType, parse_cookies

_WIDTH = 100
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"})
_OF_CONNECTION = frozenset({
    "accept-encoding", "connection", "content-length", "cookie", "dnt", "expect", "host", "keep-alive", "origin",
    "priority", "te", "transfer-encoding", "upgrade-insecure-requests", "x-request-id",
})  # fmt: skip
"""Fields that are specific to one connection or browser, which a test doesn't need."""
_OF_SOCKET = ("upgrade", "sec-websocket-")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_EMPTY: dict[str, Any] = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "dict": {}, "bytes": b""}
"""Values of the kinds that a session can contain, as substitutes for values that were not kept."""


class AppSource(NamedTuple):
    """The names under which a test imports the application and the function that makes users."""

    module: str
    attribute: str
    user: str | None = None


def written_test(app: Any, record: Record, id_: str, source: AppSource, *, needs_clock: bool) -> str:
    """Return the source of a module with one test, which fails as long as the request fails."""
    return _Test(app, record, id_, source, needs_clock).text()


class _Test:
    """A test under construction: its imports, its client's options, and its lines."""

    def __init__(self, app: Any, record: Record, id_: str, source: AppSource, needs_clock: bool) -> None:
        self._app = app
        self._record = record
        self._id = id_
        self._source = source
        self._needs_clock = needs_clock
        self._imports: dict[str, set[str]] = {"antiphon.testing": {"Client"}}
        self._modules: set[str] = set()
        self._setup: list[str] = []

    def text(self) -> str:
        """Return the source of the whole module."""
        record = self._record
        what = record.error or f"status {record.status}"
        made = self._import_app()
        body = [f"client = Client({', '.join(['app', *self._client_options()])})", *self._visitor(), *self._blocks()]
        name = "_".join(re.findall("[a-z0-9]+", f"{record.method} {record.pattern}".lower()))[:60]
        heading = (
            f'"""{_plain(f"{record.method} {record.pattern or record.path}: {what}")[:90]} (kept as {self._id})."""'
        )
        imports = [f"import {module}" for module in sorted(self._modules)]
        imports += [
            f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self._imports.items())
        ]
        lines = [heading, "", *imports, *(["", made] if made else []), "", ""]
        lines += [f"def test_{name}_{self._id}():", *(f"    {line}" if line else "" for line in body)]
        return "\n".join(lines) + "\n"

    def _import_app(self) -> str:
        name = self._source.attribute.removesuffix("()")
        first = name.partition(".")[0]
        self._imports.setdefault(self._source.module, set()).add(first)
        is_made = self._source.attribute.endswith("()") or not _is_application(self._source)
        value = f"{name}()" if is_made else name
        return "" if value == "app" else f"app = {value}"

    def _client_options(self) -> Iterator[str]:
        record = self._record
        if record.interface == "wsgi" and not record.is_socket:
            yield '"wsgi"'
        host = record.authority.partition(":")[0]
        if record.scheme == "https" or not re.fullmatch(r"testserver|localhost|[\d.]+|\[.*", host):
            yield f"base_url={json.dumps(f'{record.scheme}://{record.authority}')}"
        if record.root_path:
            yield f"root_path={record.root_path!r}"
        if record.http_version not in ("1.1", "3"):
            yield f"http_version={record.http_version!r}"

    def _visitor(self) -> Iterator[str]:
        """Yield the lines of code that restore the user and the session."""
        record = self._record
        if record.user and self._source.user is not None:
            module, _, name = self._source.user.partition(":")
            self._imports.setdefault(module, set()).add(name)
            yield f"client.login({name}({record.user!r}))"
        elif record.user:
            yield "# It was sent by a user: client.login(...) logs one in."
        if record.session and isinstance(self._app, App):
            yield "with client.session as session:  # its values were not kept"
            for name, kind in sorted(record.session.items()):
                yield f"    session[{name!r}] = {empty_of(kind)!r}"

    def _blocks(self) -> Iterator[str]:
        """Yield the request and its assertion, inside the blocks that they need."""
        blocks = [*self._overrides()]
        if self._needs_clock:
            self._modules.add("time_machine")
            blocks.append(f"time_machine.travel({self._record.time:.0f}, tick=True)")
        if self._record.is_socket:
            yield from self._socket(blocks)
            return
        call = self._call()
        if blocks:
            yield f"with {', '.join(blocks)}:"
            yield from (f"    {line}" for line in call)
        else:
            yield from call
        status = self._record.status
        if status >= 500:
            yield "assert response.status < 500  # a guess: write the status that should come"
        else:
            yield f"assert response.status != {status}  # a guess: write the status that should come"

    def _overrides(self) -> Iterator[str]:
        if not isinstance(self._app, App):
            return
        for dependency in kept_dependencies(self._app, self._record):
            if (place := _place_of(dependency)) is not None:
                self._imports.setdefault(place[0], set()).add(place[1])
                yield f"app.override({place[1]}, {self._record.dependencies[dependency.name]!r})"

    def _socket(self, blocks: list[str]) -> Iterator[str]:
        options = ", ".join([repr(self._record.target), *self._fields(), *self._cookies()])
        yield f"with {', '.join([*blocks, f'client.websocket({options}) as socket'])}:"
        for kind, data in self._record.messages:
            yield f"    socket.send({(data.decode() if kind == 'text' else data)!r})"
        yield "# A guess: the handler must not fail, which closes the socket with 1011."
        yield "assert socket.closed is None or socket.closed.code != 1011"

    def _call(self) -> list[str]:
        record = self._record
        method = record.method.lower() if record.method in _METHODS else ""
        start = f"response = client.{method}(" if method else f"response = client.request({record.method!r}, "
        options = [repr(record.target), *self._body(), *self._fields(), *self._cookies()]
        options.append("follow_redirects=False")
        whole = f"{start}{', '.join(options)})"
        if len(whole) <= _WIDTH and "\n" not in whole:
            return [whole]
        lines = [line for option in options for line in _indented(f"{option},")]
        return [start.rstrip(" "), *lines, ")"]

    def _fields(self) -> Iterator[str]:
        left_out = set(_OF_CONNECTION)
        if self._typed_body is not None:
            left_out.add("content-type")
        kept = [
            (name, value)
            for name, value in self._record.fields
            if name not in left_out and not name.startswith(("sec-ch-", "sec-fetch-"))
            and not (self._record.is_socket and name.startswith(_OF_SOCKET))
        ]  # fmt: skip
        if kept:
            yield f"headers={_literal(dict(kept) if len(dict(kept)) == len(kept) else kept)}"

    def _cookies(self) -> Iterator[str]:
        sent = "; ".join(value for name, value in self._record.fields if name == "cookie")
        is_restored = bool(self._record.user or self._record.session)  # restoring them sets a new cookie
        cookies = {name: value for name, value in parse_cookies(sent) if not (is_restored and is_secret_name(name))}
        if cookies:
            yield f"cookies={_literal(cookies)}"

    # The body

    def _body(self) -> Iterator[str]:
        if self._typed_body is not None:
            yield from self._typed_body
        elif self._record.body:
            yield f"body={_literal(self._record.body)}"

    @property
    def _typed_body(self) -> list[str] | None:
        """The options for a body that the client encodes, or None for a body that has to be sent as received."""
        record = self._record
        if not record.body or record.lack or any(name == "content-encoding" for name, _ in record.fields):
            return None
        with suppress(ValueError, HTTPError, RecursionError, LookupError):
            kind = MediaType.parse(record.content_type)
            if kind == "application/json":
                return _json(record.body)
            if kind.essence == _FORM and not kind.parameters:
                return _form(record.body)
            if kind.essence == _MULTIPART:
                return _multipart(record)
        return None


def _is_application(source: AppSource) -> bool:
    found: Any = sys.modules.get(source.module)
    for name in source.attribute.split("."):
        found = getattr(found, name, None)
    return found is None or not hasattr(found, "__code__")


def _place_of(dependency: Dependency[Any]) -> tuple[str, str] | None:
    """Return the module and the name from which a dependency can be imported."""
    for module in [*sys.modules.values()]:
        for name, value in [*getattr(module, "__dict__", {}).items()]:
            if value is dependency and not module.__name__.startswith("antiphon."):
                return module.__name__, name
    return None


def _json(body: bytes) -> list[str] | None:
    is_plain = True

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal is_plain
        members = dict(pairs)
        is_plain = is_plain and len(members) == len(pairs)
        return members

    read = json.loads(body.decode(), object_pairs_hook=note)
    if not is_plain or json.loads(json.dumps(read, allow_nan=False)) != read or read is None:
        return None
    return [f"json={_literal(read)}"]


def _form(body: bytes) -> list[str] | None:
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    if parse_qsl(urlencode(pairs), keep_blank_values=True) != pairs:
        return None
    return [f"form={_literal(dict(pairs) if len(dict(pairs)) == len(pairs) else pairs)}"]


def _multipart(record: Record) -> list[str] | None:
    request = record.request()
    fields, files = request.form, request.files
    if not (record.body.isascii() or all(upload.filename for _, upload in files.items())):
        return None
    found: dict[str, list[tuple[str, bytes, str]]] = {}
    for name, upload in files.items():
        content = upload.read()
        written = _Filler(content) if len(content) > 3 and set(content) == {*FILLER} else content
        found.setdefault(name, []).append((upload.filename or "", written, str(upload.content_type)))
    options = [f"form={_literal([*fields.items()])}"] if fields else []
    if not found:
        return None
    sent = {name: each[0] if len(each) == 1 else each for name, each in found.items()}
    return [*options, f"files={_literal(sent)}"]


class _Filler(bytes):
    def __repr__(self) -> str:
        return f"{FILLER!r} * {len(self)}"


def _literal(value: object) -> str:
    return pformat(value, width=_WIDTH - 12, sort_dicts=False)


def _indented(text: str) -> list[str]:
    first, *rest = text.split("\n")
    name = first.index("=") + 1 if "=" in first[:12] else 0
    return [f"    {first}", *(f"    {' ' * name}{line}" for line in rest)]


def _plain(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("\\", "/").replace('"', "'")


def kept_dependencies(app: App, record: Record) -> Iterable[Dependency[Any]]:
    """Yield the application's dependencies whose values a record includes."""
    for source in app.provided.sources:
        found = source.provides
        if isinstance(found, Dependency) and found.recorded and found.name in record.dependencies:
            yield found


def empty_of(kind: str) -> Any:
    """Return an empty value of this kind, which is one that a session can contain."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(_EMPTY.get(kind)))
