"""Resources and prompts: responses to GET that clients can read, and functions whose text a person sends to a model."""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin
from urllib.parse import unquote

from antiphon import App, Request, Response, explained
from antiphon.embedding import PlannedRoute, describe, innermost, quote_path
from antiphon.features import MissedMessages
from antiphon.features.channels.channel import Channel
from antiphon.features.tools.calls import Call
from antiphon.features.tools.definitions import PAGES, page_uri
from antiphon.features.tools.exchange import Sessions, event_of, whose_is
from antiphon.features.tools.protocol import INVALID_PARAMS, META, NOT_FOUND_BEFORE, Message, ProtocolError
from antiphon.features.tools.results import (
    TooLarge,
    blocks_of,
    body_of,
    contents_of,
    is_for_the_client,
    login_error,
    media_of,
)
from antiphon.features.tools.tool_call import HandledCall, ToolCall
from antiphon.http import Event, ServiceUnavailable
from antiphon.types import Route

_ACCEPTED = "text/markdown, text/html;q=0.9, application/json;q=0.9, text/*;q=0.8, */*;q=0.5"
APP_PAGE = "text/html;profile=mcp-app"
"""The media type of a page that clients show beside a tool's result (MCP Apps)."""
_variable = re.compile(r"\{(\+?)([A-Za-z_][A-Za-z0-9_]*)\}")


class _Resource(NamedTuple):
    route: Route
    path: str
    parameters: dict[str, str]
    uri: str | None = None
    """The URI or template (RFC 6570) of its own; None for the URL."""

    @property
    def is_page(self) -> bool:
        return self.uri is not None and self.uri.startswith(PAGES)

    def as_json(self, request: Request, key: str) -> dict[str, Any]:
        described = (getattr(innermost(self.route.handler), "__doc__", None) or "").partition("\n\n")[0]
        path = self.path
        for name, converter in self.parameters.items():
            if converter == "path":
                path = path.replace(f"{{{name}}}", f"{{+{name}}}")  # slashes stay (RFC 6570 §3.2.3)
        made = {key: self.uri or base_of(request) + path, "name": self.route.name}
        if described.strip():
            made["description"] = " ".join(described.split())
        return {**made, **({"mimeType": APP_PAGE} if self.is_page else {})}

    def target(self, uri: str) -> str | None:
        """Return the path to which a URI of its own leads, or None if it is another's."""
        if self.uri is None or (found := _own(self.uri)(uri)) is None:
            return None
        if any(unquote(each) in (".", "..") for value in found.groups() for each in value.split("/")):
            return None
        return _variable.sub(lambda name: quote_path(unquote(found[name[2]])), self.path)


@lru_cache(256)
def _own(template: str) -> Callable[[str], re.Match[str] | None]:
    """Return a function that matches the URIs of a template."""
    at, made = 0, ""
    for each in _variable.finditer(template):
        made += re.escape(template[at : each.start()]) + f"(?P<{each[2]}>{'.+' if each[1] else '[^/?#]+'})"
        at = each.end()
    return re.compile(made + re.escape(template[at:])).fullmatch


class Resources(NamedTuple):
    """An application's resources."""

    all: tuple[_Resource, ...]

    @classmethod
    def of(cls, app: App, names: Iterable[str] | Mapping[str, str], pages: Iterable[str] = ()) -> "Resources":
        """Return the resources for the routes with these names, which may be by their URIs, and for pages of tools.

        Raises LookupError for a name that no GET route has, and ValueError for a template without the parameters of
        its route.
        """
        own_routes = [each for each in PlannedRoute.of(app) if each.app is app and each.route.websocket is None]
        routes = {each.route.name: each for each in own_routes if "GET" in each.route.methods}
        own = names.items() if isinstance(names, Mapping) else [(None, name) for name in names]
        pairs = [*own, *((page_uri(name), name) for name in sorted({*pages}))]
        return cls(tuple(_resource(routes, name, uri) for uri, name in pairs))

    def listed(self, request: Request) -> list[dict[str, Any]]:
        """Return the resources that have a fixed URL."""
        return [each.as_json(request, "uri") for each in self.all if not each.parameters]

    def templates(self, request: Request) -> list[dict[str, Any]]:
        """Return the resources whose URLs have parameters."""
        return [each.as_json(request, "uriTemplate") for each in self.all if each.parameters]

    async def read(self, request: Request, message: Message, largest: int, call: HandledCall) -> list[dict[str, Any]]:
        """Return a resource's contents. Raises ProtocolError for a resource that is not found or too large.

        Raises Unauthorized or Forbidden if the application does.
        """
        uri = message.text("uri")
        base = base_of(request)
        found = next(((each, target) for each in self.all if (target := each.target(uri)) is not None), None)
        own, target = found if found is not None else (None, uri.removeprefix(base).partition("#")[0])
        if own is None and not uri.startswith(f"{base}/"):
            raise _not_found(message, uri)
        made = Call(request, "GET", target, {"accept": _ACCEPTED}, call=call)
        by_url = [each for each in self.all if each.uri is None]
        if not any(made.leads_to(each.route) for each in (by_url if own is None else [own])):
            raise _not_found(message, uri)
        response = await made.respond()
        if is_for_the_client(response):
            raise login_error(response)
        call.check()
        try:
            body = await body_of(request, response, largest)
        except TooLarge:
            raise ProtocolError(INVALID_PARAMS, f"The resource has more than {largest} bytes", {"uri": uri}) from None
        if response.status != 200:
            raise _not_found(message, uri)
        return [contents_of(uri, APP_PAGE if own is not None and own.is_page else media_of(response), body)]


def _resource(routes: dict[str, PlannedRoute], name: str, uri: str | None) -> _Resource:
    planned = routes.get(name)
    if planned is None:
        raise explained("bad-tool", f"Tools(resources=[{name!r}]) names no route for GET", LookupError)
    wanted = planned.parameters.keys()
    if uri is not None and {each[2] for each in _variable.finditer(uri)} != wanted:
        names = ", ".join(sorted(wanted)) or "none"
        raise explained("bad-tool", f"the parameters of {uri!r} must be those of its route: {names}")
    return _Resource(planned.route, planned.path, planned.parameters, uri)


def base_of(request: Request) -> str:
    """Return the application's URL, without a trailing slash."""
    return request.url.root[:-1]


def _not_found(message: Message, uri: str) -> ProtocolError:
    code = INVALID_PARAMS if message.is_modern else NOT_FOUND_BEFORE
    return ProtocolError(code, "Resource not found", {"uri": uri[:1000]})


# Prompts


PromptFunction: TypeAlias = Callable[..., Any]


class Prompt(NamedTuple):
    """A prompt: its function, and its description for clients."""

    name: str
    description: str
    arguments: dict[str, bool]
    """The arguments' names, each with True if the argument is required."""
    choices: dict[str, tuple[str, ...]]
    """The values of the arguments that have only some."""
    takes_call: str | None
    """The name of the argument that is the ``ToolCall``."""
    function: PromptFunction

    def as_json(self) -> dict[str, Any]:
        """Return the prompt as sent to clients."""
        arguments = [{"name": name, "required": required} for name, required in self.arguments.items()]
        return {"name": self.name, "description": self.description, "arguments": arguments}

    async def get(self, request: Request, given: object, call: ToolCall) -> dict[str, Any]:
        """Return the prompt's messages. Raises ProtocolError for arguments that the prompt does not accept."""
        values = given if isinstance(given, dict) else {}
        missing = [name for name, required in self.arguments.items() if required and name not in values]
        wrong = [name for name, value in values.items() if not self._accepts(name, value)]
        if missing or wrong or not isinstance(given, dict):
            names = ", ".join(str(name)[:80] for name in (missing or wrong))
            what = "is missing" if missing else "is not text, or not an argument"
            raise ProtocolError(INVALID_PARAMS, f"Prompt {self.name}: {names or 'arguments'} {what}")
        made = self.function(**values, **({self.takes_call: call} if self.takes_call else {}))
        made = await made if inspect.isawaitable(made) else made
        messages = [each for part in (made if isinstance(made, list) else [made]) for each in self._said(request, part)]
        return {"description": self.description, "messages": messages}

    def _accepts(self, name: object, value: object) -> bool:
        return name in self.arguments and isinstance(value, str) and value in self.choices.get(str(name), (value,))

    def _said(self, request: Request, part: object) -> Iterator[dict[str, Any]]:
        role, said = part if isinstance(part, tuple) and len(part) == 2 else ("user", part)
        if role not in ("user", "assistant") or not isinstance(said, str | Response):
            raise explained(
                "bad-tool",
                f"{describe(self.function)} must return text, a Response, or a list of these or of pairs such as"
                f' ("assistant", text), not {part!r:.80}',
                TypeError,
            )
        blocks = [{"type": "text", "text": said}] if isinstance(said, str) else blocks_of(request, said)
        return ({"role": role, "content": block} for block in blocks)


def prompt_of(function: PromptFunction) -> Prompt:
    """Return the prompt for a function. Raises TypeError for arguments that can't be passed by name as text."""
    try:
        parameters = inspect.signature(function, eval_str=True).parameters
    except NameError:
        parameters = inspect.signature(function).parameters
    required, takes_call = {}, None
    choices = dict[str, tuple[str, ...]]()
    for name, each in parameters.items():
        known = get_args(each.annotation) if get_origin(each.annotation) is Literal else ()
        is_text = each.annotation in (str, "str", each.empty) or (known and all(isinstance(one, str) for one in known))
        is_named = each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        if is_named and each.annotation in (ToolCall, "ToolCall"):
            takes_call = name
            continue
        if not is_named or not is_text:
            raise explained(
                "bad-tool", f"{describe(function)} is a prompt: its arguments must be str, not {each}", TypeError
            )
        required[name] = each.default is each.empty
        choices |= {name: known} if known else {}
    name = function.__name__
    return Prompt(name, inspect.getdoc(function) or name, required, choices, takes_call, function)


_LISTS = ("tools", "prompts", "resources")
_MOST_URIS, _LONGEST_URI = 100, 2000
_MOST_STREAMS = 1000
"""The number of streams in one process; a client gets a 503 for one more."""
_DAY = 24 * 3600.0
_Known: TypeAlias = Callable[[], Awaitable[Collection[str]]]
"""A function that returns the URIs of a subscription."""


class Subscriptions:
    """The streams of one feature in this process."""

    def __init__(self, channel: Channel, sessions: Sessions) -> None:
        self._channel = channel
        self._sessions = sessions
        self._count = 0

    def listen(self, request: Request, message: Message) -> Response:
        """Return the stream that a client of the newest revision has asked for. Raises ProtocolError."""
        wanted = message.params.get("notifications")
        wanted = wanted if isinstance(wanted, dict) else {}
        lists = {each for each in _LISTS if wanted.get(f"{each}ListChanged") is True}
        uris = wanted.get("resourceSubscriptions") or []
        if not isinstance(uris, list) or len(uris) > _MOST_URIS or not all(map(_is_uri, uris)):
            raise ProtocolError(INVALID_PARAMS, f"resourceSubscriptions must be up to {_MOST_URIS} URIs")
        agreed = {**{f"{each}ListChanged": True for each in sorted(lists)}, "resourceSubscriptions": uris}
        meta = {"_meta": {f"{META}subscriptionId": message.id}}
        begin = _notification("subscriptions/acknowledged", {"notifications": agreed, **meta})

        async def known() -> Collection[str]:
            return uris

        return self._stream(request, begin, lists, known, meta)

    def stream(self, request: Request, message: Message) -> Response:
        """Return the stream of a session."""

        async def known() -> Collection[str]:
            return await self._uris(request, message)

        return self._stream(request, Event(comment=""), {*_LISTS}, known, {})

    async def subscribe(self, request: Request, message: Message, *, ends: bool) -> None:
        """Subscribe a session to a resource, or end this. Raises ProtocolError."""
        uri, known = message.text("uri"), await self._uris(request, message)
        if not message.session or not _is_uri(uri) or (len(known) >= _MOST_URIS and not ends):
            raise ProtocolError(INVALID_PARAMS, f"A session can subscribe to up to {_MOST_URIS} URIs")
        left = [each for each in known if each != uri]
        uris = left if ends else [*left, uri]
        await self._sessions.write("session", whose_is(request, message), {"uris": uris}, ttl=_DAY)

    async def _uris(self, request: Request, message: Message) -> list[str]:
        found = await self._sessions.read("session", whose_is(request, message))
        return [] if found is None else found.get("uris", [])

    def _stream(
        self, request: Request, begin: Event, lists: Collection[str], known: _Known, meta: Mapping[str, Any]
    ) -> Response:
        if self._count >= _MOST_STREAMS:
            raise ServiceUnavailable("Too many clients are listening. Try again soon.", retry_after=5)
        base = base_of(request)

        async def told() -> AsyncIterator[Event]:
            self._count += 1
            try:
                async with self._channel.listen() as messages:
                    yield begin
                    async for each in messages:
                        value = None if isinstance(each, MissedMessages) else each.value
                        for method, params in _changes(value, lists, await known(), base):
                            yield _notification(method, {**params, **meta})
            finally:
                self._count -= 1

        return Response.events(told())


def _changes(
    value: object, lists: Collection[str], uris: Collection[str], base: str
) -> list[tuple[str, dict[str, Any]]]:
    """Return the notifications for a message; all of them if messages were missed, so the value is None."""
    changed = [each for each in _LISTS if each in lists and value in (each, None)]
    uri = f"{base}{value}" if isinstance(value, str) and value.startswith("/") else value
    updated = [each for each in uris if uri in (each, None)]
    return [
        *((f"{each}/list_changed", dict[str, Any]()) for each in changed),
        *(("resources/updated", {"uri": each}) for each in updated),
    ]


def _notification(method: str, params: Mapping[str, Any]) -> Event:
    return event_of({"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params})


def _is_uri(given: object) -> bool:
    return isinstance(given, str) and len(given) <= _LONGEST_URI
