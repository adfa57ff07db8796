"""Resources and prompts: responses to GET that clients can read, and functions whose text a person sends to a model."""

import inspect
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from antiphon.app.planning.planner import merged_converters
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.features.openapi.parameters import path_template
from antiphon.features.tools.calls import Call
from antiphon.features.tools.protocol import INVALID_PARAMS, NOT_FOUND_BEFORE, Message, ProtocolError
from antiphon.features.tools.results import TooLarge, body_of, is_for_the_client, login_error, text_of
from antiphon.handler.contract import describe, innermost
from antiphon.http.urls.path import quoted_root
from antiphon.request.request import Request
from antiphon.routing.pattern import Parameter

if TYPE_CHECKING:
    from antiphon.app.application import App


_ACCEPTED = "text/markdown, text/html;q=0.9, application/json;q=0.9, text/*;q=0.8, */*;q=0.5"


class _Resource(NamedTuple):
    route: Route
    path: str
    parameters: list[Parameter]

    def as_json(self, request: Request, key: str) -> dict[str, Any]:
        described = (getattr(innermost(self.route.handler), "__doc__", None) or "").partition("\n\n")[0]
        path = self.path
        for each in self.parameters:
            if each.converter.name == "path":
                path = path.replace(f"{{{each.name}}}", f"{{+{each.name}}}")  # slashes stay (RFC 6570 §3.2.3)
        made = {key: _base(request) + path, "name": self.route.name}
        return {**made, **({"description": " ".join(described.split())} if described.strip() else {})}


class Resources(NamedTuple):
    """An application's resources."""

    all: tuple[_Resource, ...]

    @classmethod
    def of(cls, app: "App", names: Iterable[str]) -> "Resources":
        """Return the resources for the routes with these names. Raises LookupError for a name that no GET route has."""
        converters = merged_converters(app._route_groups)
        routes = {route.name: route for route in app.routes if "GET" in route.methods and route.websocket is None}
        return cls(tuple(_resource(routes, converters, name) for name in names))

    def listed(self, request: Request) -> list[dict[str, Any]]:
        """Return the resources that have a fixed URL."""
        return [each.as_json(request, "uri") for each in self.all if not each.parameters]

    def templates(self, request: Request) -> list[dict[str, Any]]:
        """Return the resources whose URLs have parameters."""
        return [each.as_json(request, "uriTemplate") for each in self.all if each.parameters]

    async def read(self, request: Request, message: Message, largest: int) -> list[dict[str, Any]]:
        """Return a resource's contents. Raises ProtocolError for a resource that is not found or too large.

        Raises Unauthorized or Forbidden if the application does.
        """
        uri = message.text("uri")
        base = _base(request)
        call = Call(request, "GET", uri.removeprefix(base).partition("#")[0], {"accept": _ACCEPTED})
        if not (uri.startswith(f"{base}/") and any(call.leads_to(each.route) for each in self.all)):
            raise _not_found(message, uri)
        response = await call.respond()
        if is_for_the_client(response):
            raise login_error(response)
        try:
            body = await body_of(request, response, largest)
        except TooLarge:
            raise ProtocolError(INVALID_PARAMS, f"The resource has more than {largest} bytes", {"uri": uri}) from None
        if response.status != 200:
            raise _not_found(message, uri)
        media = (response.content_type or "").partition(";")[0].strip().lower()
        text = text_of(media, body)
        data = {"blob": b64encode(body).decode()} if text is None else {"text": text}
        return [{"uri": uri, **({"mimeType": media} if media else {}), **data}]


def _resource(routes: dict[str, Route], converters: Any, name: str) -> _Resource:
    route = routes.get(name)
    if route is None:
        raise explained("bad-tool", LookupError(f"Tools(resources=[{name!r}]) names no route for GET"))
    return _Resource(route, *path_template(route, "", converters))


def _base(request: Request) -> str:
    """Return the application's URL, without a trailing slash."""
    return request.url.origin + quoted_root(request.root_path, request.path, request.raw_path)


def _not_found(message: Message, uri: str) -> ProtocolError:
    code = INVALID_PARAMS if message.is_modern else NOT_FOUND_BEFORE
    return ProtocolError(code, "Resource not found", {"uri": uri[:1000]})


PromptFunction: TypeAlias = Callable[..., str | Awaitable[str]]


class Prompt(NamedTuple):
    """A prompt: its function, and its description for clients."""

    name: str
    description: str
    arguments: dict[str, bool]
    """The arguments' names, each with True if the argument is required."""
    function: PromptFunction

    def as_json(self) -> dict[str, Any]:
        """Return the prompt as sent to clients."""
        arguments = [{"name": name, "required": required} for name, required in self.arguments.items()]
        return {"name": self.name, "description": self.description, "arguments": arguments}

    async def get(self, given: object) -> dict[str, Any]:
        """Return the prompt's messages. Raises ProtocolError for arguments that the prompt does not accept."""
        values = given if isinstance(given, dict) else {}
        missing = [name for name, required in self.arguments.items() if required and name not in values]
        wrong = [name for name in values if name not in self.arguments or not isinstance(values[name], str)]
        if missing or wrong or not isinstance(given, dict):
            names = ", ".join(str(name)[:80] for name in (missing or wrong))
            what = "is missing" if missing else "is not text, or not an argument"
            raise ProtocolError(INVALID_PARAMS, f"Prompt {self.name}: {names or 'arguments'} {what}")
        made = self.function(**values)
        text = await made if inspect.isawaitable(made) else made
        if not isinstance(text, str):
            raise explained("bad-tool", TypeError(f"{describe(self.function)} must return text, not {text!r}"))
        message = {"role": "user", "content": {"type": "text", "text": text}}
        return {"description": self.description, "messages": [message]}


def prompt_of(function: PromptFunction) -> Prompt:
    """Return the prompt for a function. Raises TypeError for arguments that can't be passed by name as text."""
    parameters = inspect.signature(function).parameters
    for each in parameters.values():
        if each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) or each.annotation not in (
            str, "str", inspect.Parameter.empty,
        ):  # fmt: skip
            raise explained(
                "bad-tool", TypeError(f"{describe(function)} is a prompt: its arguments must be str, not {each}")
            )
    name = function.__name__
    required = {each: value.default is value.empty for each, value in parameters.items()}
    return Prompt(name, inspect.getdoc(function) or name, required, function)
