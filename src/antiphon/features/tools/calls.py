"""The request that a tool call becomes.

The application handles the request as if a client had sent it. The request keeps the address, the host and the header
fields of the client's request, so that guards, users, limits and logs see the same caller. The model determines only
the path, the query and the body.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import unquote

from antiphon import App, Request
from antiphon.embedding import MadeRequest, TypeDescription, arrivals, encode_json, quote_path, quoted_paths
from antiphon.features.openapi.code.responses import JSON, NDJSON
from antiphon.features.openapi.operations import MERGE_PATCH, URLENCODED
from antiphon.features.tools.arguments import Argument
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.protocol import Message
from antiphon.features.tools.tool_call import TOOL_CALL, ToolCall
from antiphon.http import Item, format_query, format_structured_dictionary
from antiphon.types import Route

_step = TypeDescription.pointer_step

_RESULTS = f"{JSON}, text/plain;q=0.9, text/*;q=0.8, */*;q=0.5"
"""The media types that results can have, in order of preference."""
_RESULTS_OF_STREAMS = f"{JSON};q=0.9, */*;q=0.5"
_LONG_ID = 16
"""The minimum length, in characters, of an id that isn't just a number within a session."""
_LONGEST_FIELD = 255
"""The maximum length of an argument for a header, in characters."""
_LARGEST_EXACT = 2**53
"""The largest number up to which each integer is a float."""
_LIMITS = {
    "minimum": "at least {}", "maximum": "at most {}", "enum": "one of {}", "pattern": "text like {}", "format": "a {}",
}  # fmt: skip
"""What the limits of a path's arguments are called in errors."""
_int = re.compile(r"-?[0-9]{1,19}").fullmatch


class BadArguments(Exception):
    """The error for arguments that can't be turned into a request. It contains lines for the model, each with an
    argument's JSON Pointer.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))


def _about(body: bytes) -> dict[str, str]:
    """Return the fields that describe a body, with its digest for routes that check it."""
    return {
        "content-length": str(len(body)),
        "content-digest": format_structured_dictionary({"sha-256": sha256(body).digest()}),
    }


class Call(MadeRequest):
    """The request that a call becomes. It enters where the client's request did: at the outermost application.

    ``target`` is the path, percent-encoded, and the query, as seen from the application with the tools.
    """

    def __init__(
        self, request: Request, method: str, target: str, fields: Mapping[str, str], body: bytes = b"",
        call: ToolCall | None = None, app: App | None = None,
    ) -> None:  # fmt: skip
        path, _, query = target.partition("?")
        inner = arrivals(request)[-1].head
        head = MadeRequest.Head(
            inner,
            method,
            request.root_path[len(inner.root_path) :] + unquote(path),
            (quoted_paths(request.head)[0] + path).encode(),
            query.encode(),
            {**fields, **(_about(body) if body else {})}.items(),
            MadeRequest.Head.OF_THE_MESSAGE.__contains__,
        )
        super().__init__(request, head, body, app)
        if app is not None:
            self.request.user = request.user
        if call is not None:
            self.request[TOOL_CALL] = call

    def leads_to(self, route: Route) -> bool:
        """True if the application handles the request with this route.

        The URL decides, as for clients: otherwise, a cache, for example, would take one route's response for another's.
        """
        found = self.route
        return found is not None and (found.app, found.hook, found.where) == (route.app, route.hook, route.where)

    def leads_to_view(self, definition: Definition) -> bool:
        """True if a dialect's application handles the request with the view that is the tool."""
        mount = None if self._plan is None else self._plan.mount
        if mount is None or mount.application is not definition.dialect or definition.described is None:
            return False
        below = mount.below(self._below, root="")
        name = definition.described.route_of(below.method, below.head.authority, below.path or "/")
        return name == definition.route.name


def make_call(
    request: Request, definition: Definition, arguments: Mapping[str, Any], key: str | None, call: ToolCall,
    app: App | None = None,
) -> Call:  # fmt: skip
    """Return the request of a tool's call. ``key`` is a write's Idempotency-Key. ``app`` gets the user of a request
    that no client has sent.

    Raises BadArguments for arguments that the application would read differently, or that lead to another route.
    """
    _check(definition, arguments)
    fields = {"accept": f"{NDJSON}, {_RESULTS_OF_STREAMS}" if definition.streams else _RESULTS}
    if key is not None:
        fields["idempotency-key"] = str(Item(key))
    fields |= _header_fields(definition, arguments)
    body = _body(definition, arguments)
    if body is not None and definition.content_type is not None:
        fields["content-type"] = definition.content_type
    made = Call(request, definition.method, _target(definition, arguments), fields, body or b"", call, app)
    is_right = made.leads_to(definition.route) if definition.dialect is None else made.leads_to_view(definition)
    if not is_right:
        raise BadArguments([*_misleading(definition, arguments)])
    return made


def _misleading(definition: Definition, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for arguments whose URL belongs to another route, or to none."""
    names = [name for name in arguments if definition.arguments[name].place == "path"]
    for name in names:
        schema = definition.arguments[name].schema
        said = ", ".join([text.format(schema[key]) for key, text in _LIMITS.items() if key in schema])
        why = f"must be {said}" if said else f"{definition.path} must not become the URL of something else"
        yield f"{_step(name)}: {text_of(arguments[name])[:80]!r} can't be used here: {why}"
    if not names:
        yield f"{definition.path} can't be reached at this host"


def key_of(request: Request, message: Message) -> str:
    """Return a write's key, with which the application carries it out only once.

    The key is the client's Idempotency-Key, or is made from the call's id if this identifies the call on its own or
    within a session. But most clients number the calls of each connection, so that the numbers repeat: in that case,
    each call gets a new key.
    """
    if given := request.idempotency_key:
        return given
    session = request.head.field("mcp-session-id")
    if session or (isinstance(message.id, str) and len(message.id) >= _LONG_ID):
        return sha256(f"{session}\n{type(message.id).__name__}\n{message.id}".encode()).hexdigest()
    return token_urlsafe()


# Making the request


def _check(definition: Definition, arguments: Mapping[str, Any]) -> None:
    known = definition.arguments
    unknown = [name for name in arguments if name not in known]
    names = ", ".join(known) or "none"
    wrong = [f"{_step(name)}: there is no such argument. The arguments are: {names}" for name in unknown]
    wrong += [f"{_step(name)}: missing" for name, each in known.items() if each.is_required and name not in arguments]
    for name, value in arguments.items():
        if name in known and (fault := _fault(known[name], value)):
            wrong.append(f"{_step(name)}: {fault}")
    if wrong:
        raise BadArguments(wrong)


def _fault(argument: Argument, value: object) -> str | None:
    """Return what is wrong with an argument for the URL or for a header, or None. The application checks the others."""
    if argument.place == "header":
        is_text = (
            isinstance(value, str) and 0 < len(value) <= _LONGEST_FIELD and value.isascii() and value.isprintable()
        )
        return None if is_text else f"must be text of 1 to {_LONGEST_FIELD} printable ASCII characters"
    if argument.place not in ("path", "query"):
        return None
    if argument.place == "query":
        items = value if isinstance(value, list) else [value]
        if isinstance(value, dict) and argument.schema.get("type") == "object":
            items = [*value.values()]
        is_nested = any(isinstance(each, list | dict) for each in items)
        return "must be text, a number or a list of these" if is_nested else None
    text = text_of(value)
    if argument.schema.get("type") == "integer" and (isinstance(value, bool) or not _int(text)):
        return "must be an integer"
    if isinstance(value, dict | list | None) or not text:
        return "must be text or a number, and not empty"
    may_have_slashes = argument.schema.get("pattern") == "^[^/]"
    if ("/" in text and not may_have_slashes) or "\\" in text or "\0" in text:
        return "must not contain slashes, backslashes or NUL"
    if any(segment in (".", "..") for segment in text.split("/")) or text.startswith("/"):
        return "must not begin with a slash or contain the segments . or .."
    return None


def text_of(value: object) -> str:
    """Return a value as text. A number without a fraction is an integer (JSON Schema §6.1.1 of its validation): 7.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT:
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _header_fields(definition: Definition, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields for a call's conditions and key. An ETag may lack its quotes."""
    fields = dict(_of_place(definition, arguments, "header"))
    if (key := fields.get("idempotency-key")) is not None:
        fields["idempotency-key"] = str(Item(key))
    if (tag := fields.get("if-match", "*")) != "*" and '"' not in tag:
        fields["if-match"] = f'"{tag}"'
    return fields


def _target(definition: Definition, arguments: Mapping[str, Any]) -> str:
    """Return a call's path and query."""
    path = definition.path
    for name, value in _of_place(definition, arguments, "path"):
        text = quote_path(text_of(value))
        path = path.replace(f"{{{name}}}", text)
    query = _pairs(_of_place(definition, arguments, "query"))
    return f"{path}?{format_query(query)}" if query else path


def _body(definition: Definition, arguments: Mapping[str, Any]) -> bytes | None:
    """Return a call's body, or None if it has no argument for the body."""
    fields = dict(_of_place(definition, arguments, "field"))
    whole = [value for _, value in _of_place(definition, arguments, "body")]
    if not fields and not whole:
        is_needed = definition.content_type in (JSON, MERGE_PATCH) and any(
            each.place == "field" for each in definition.arguments.values()
        )
        return b"{}" if is_needed and definition.method != "QUERY" else None
    value = whole[0] if whole else fields
    if definition.content_type != URLENCODED or not isinstance(value, dict):
        return encode_json(value)
    return format_query(_pairs(value.items())).encode()


def _pairs(fields: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return the fields of a query or form: a list becomes one field per item, and null is omitted."""
    return [
        (name, text_of(each))
        for name, value in fields
        for each in (value if isinstance(value, list) else [value])
        if each is not None
    ]


def _of_place(definition: Definition, arguments: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for name, value in arguments.items():
        known = definition.arguments[name]
        if known.place == place == "query" and isinstance(value, dict):  # fields of any names
            yield from value.items()
        elif known.place == place:
            yield known.name, value
