"""An application's tools for language models, as a feature: ``app.use(Tools(api))``, which serves POST /mcp.

It keeps no state between requests, so any worker can handle any request.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.app.planning.cross_site import check_cross_site
from antiphon.app.planning.request_checks import PROBLEM_TYPE
from antiphon.concurrency.crossing import Crossing
from antiphon.explanations import Advice, errors_name_it, explained
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.openapi.security import users_of
from antiphon.features.tools.calls import Confirmation
from antiphon.features.tools.protocol import (
    INVALID_PARAMS,
    LEGACY,
    META,
    METHOD_NOT_FOUND,
    VERSIONS,
    Message,
    ProtocolError,
    read_message,
    refusal,
    result_response,
)
from antiphon.features.users import USERS
from antiphon.handler.contract import log_failure
from antiphon.http.errors import MisdirectedRequest
from antiphon.http.urls.url import is_this_machine
from antiphon.request.request import Request
from antiphon.response.fields import EVENTS
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App
    from antiphon.app.dispatch.hooks import BeforeHook
    from antiphon.app.route import Tool
    from antiphon.features.tools.definitions import Definition
    from antiphon.features.tools.resources import Prompt, Resources

F = TypeVar("F", bound=Callable[..., str | Awaitable[str]])

_MINUTE = 60_000
"""The number of milliseconds for which clients may cache lists."""


@errors_name_it
class Tools:
    """A feature that lets language models call handlers as tools, over the Model Context Protocol, with POST at
    ``path``.

    A handler is a tool only if its route declares it: ``@app.put("/lamps/<int:number>", tool=True)``. Names,
    descriptions and schemas come from the OpenAPI document of ``api``. The application handles a call as a request from
    the same client, so hooks, users, limits, validation and error handlers apply as usual. The model is told about an
    error in words: ``/price: expected an integer``.

    Tools that require a user are listed only for requests that have one; if no tools can be listed, the response is a
    401. ``before`` is a hook, or several hooks, for all messages, such as ``login_required``. ``resources`` are the
    names of the GET routes that clients can read as resources. Results of more than ``max_result`` bytes are refused,
    with a hint to request less.

    To use a mounted application of Flask's or Pyramid's dialect, pass it as ``dialect``, and pass as ``tools`` a
    mapping of its route names to True or a ``Tool``.

    The protocol revisions 2026-07-28, 2025-11-25, 2025-06-18 and 2025-03-26 are supported, without sessions. Unless the
    application lists its hosts in ``App(trusted_hosts=...)``, clients on this machine that don't use https have to call
    it by a local name, such as localhost (421), because pages of other sites could reach it through a name that they
    control. Raises TypeError if ``api`` is not an ``OpenAPI``, and ValueError for a path that does not begin with a
    slash and for a limit that is not above 0.
    """

    def __init__(
        self,
        api: OpenAPI,
        *,
        path: str = "/mcp",
        before: "BeforeHook | Iterable[BeforeHook]" = (),
        resources: Iterable[str] = (),
        max_result: int = 256 << 10,
        dialect: object = None,
        tools: "Mapping[str, bool | Tool] | None" = None,
    ) -> None:
        if not isinstance(api, OpenAPI):
            raise explained("bad-feature-option", TypeError(f"Tools needs the app's OpenAPI, not {api!r}"))
        if not path.startswith("/"):
            raise explained("bad-feature-option", ValueError(f"path must begin with a slash, not {path!r}"))
        if not max_result > 0:
            raise explained("bad-feature-option", ValueError(f"max_result must be above 0, not {max_result!r}"))
        if isinstance(resources, str):
            raise explained("list-wanted", ValueError(f"resources must be a list of route names: [{resources!r}]"))
        if (dialect is not None) != bool(tools) or (dialect is not None and not hasattr(dialect, "described_api")):
            raise explained(
                "bad-feature-option",
                TypeError(
                    "dialect must be an application of Flask's or Pyramid's dialect, and tools must name its routes:"
                    ' Tools(api, dialect=shop, tools={"show_lamp": True})'
                ),
            )
        self.api = api
        self._dialect = dialect
        self._tools = dict(tools or {})
        self.path = path
        self._before = before
        self._resource_names = tuple(resources)
        self._max_result = max_result
        self._prompts: dict[str, Prompt] = {}
        self._lock = Lock()
        self._made: dict[str, Definition] | None = None
        self._has_one_kind_of_users = True
        self._made_resources: Resources | None = None
        self._confirmation = Confirmation()
        self._advice = Advice()

    def install(self, app: "App") -> None:
        """Register the route that receives messages."""
        app._route_groups  # noqa: B018 - a blueprint has none
        name = "tools" + self.path.replace("/", "_")
        app.post(self.path, name=name, before=self._before, csrf_exempt=True)(self._receive)
        app.on_startup(lambda: self._check(app))

    def prompt(self, function: F) -> F:
        """Register a function as a prompt, with its name and docstring: ``@tools.prompt``.

        Its arguments are text; arguments with defaults are optional. The function returns the prompt's text. It may be
        ``async`` and must not block. Raises TypeError for other arguments, and ValueError for a name that is already
        taken.
        """
        from antiphon.features.tools.resources import prompt_of

        made = prompt_of(function)
        if made.name in self._prompts:
            raise explained("bad-tool", ValueError(f"there is already a prompt {made.name!r}"))
        self._prompts[made.name] = made
        return function

    def definitions(self, app: "App") -> "dict[str, Definition]":
        """Return an application's tools by name. Raises the same errors as ``definitions_of``."""
        with self._lock:
            if self._made is None:
                self._made = self._define(app)
        return self._made

    def _define(self, app: "App") -> "dict[str, Definition]":
        self._has_one_kind_of_users = len(users_of(app._route_groups[0].dependencies)) <= 1
        if self._dialect is not None:
            from antiphon.features.tools.definitions import definitions_of_dialect

            return definitions_of_dialect(app, self._dialect, self._tools, self.api)
        from antiphon.features.tools.definitions import definitions_of, tool_routes

        routes = [*tool_routes(app)]
        if len(features_of(app)) > 1:
            routes = [each for each in routes if f"{each.path}/".startswith(f"{self.api.prefix}/")]
        return definitions_of(routes, self.api.content(app))

    def _resources(self, app: "App") -> "Resources":
        if self._made_resources is None:
            from antiphon.features.tools.resources import Resources

            self._made_resources = Resources.of(app, self._resource_names)
        return self._made_resources

    def _check(self, app: "App") -> None:
        if self._resource_names:
            self._resources(app)
        if any(route.tool is not None and route.tool.confirm for route in app.routes):
            self._confirmation.check(app)

    # Messages

    async def _receive(self, request: Request) -> Response:
        self._check_host(request)
        if not request.route.app.allows_cross_site_writes:
            check_cross_site(request, request.route.app.trusted_origins)
        try:
            message = read_message(request)
        except ProtocolError as error:
            return refusal(error)
        if message.id is None:
            return Response("", 202)
        try:
            return await self._respond(request, message)
        except ProtocolError as error:
            return refusal(error, message)

    def _check_host(self, request: Request) -> None:
        """Refuse a name of someone else for this machine, by which pages of other sites could reach it.

        Over https, a browser has checked the name. Raises MisdirectedRequest (421) if the client is on this machine and
        the application doesn't declare its hosts.
        """
        if request.is_secure or getattr(request, "_host_is_declared", False) or is_this_machine(request.host):
            return
        if not is_this_machine((request.ip or "").removeprefix("::ffff:")):
            return
        self._advice.give(f"A request for {request.host}", f'App(trusted_hosts=["{request.host}"])')
        raise MisdirectedRequest(f"The tools here don't serve {request.host}.", type=PROBLEM_TYPE)

    async def _respond(self, request: Request, message: Message) -> Response:
        app: App = request.route.app
        if self._made is None:
            await Crossing().run(self.definitions, app)  # analyzing the code takes a while
        if message.method != "ping":
            self._check_user(request)
        match message.method:
            case "tools/call":
                return await self._call(request, message)
            case "server/discover":
                return result_response(message, self._about(message, supportedVersions=list(VERSIONS), **_FRESH))
            case "initialize" if not message.is_modern:
                asked = message.params.get("protocolVersion")
                version = asked if asked in LEGACY else LEGACY[0]
                return result_response(message, self._about(message, protocolVersion=version))
            case "ping" if not message.is_modern:
                return result_response(message, {})
        found = await self._listed(request, message)
        if found is None:
            raise ProtocolError(METHOD_NOT_FOUND, f"Method not found: {message.method[:80]}")
        return result_response(message, found)

    async def _listed(self, request: Request, message: Message) -> Mapping[str, Any] | None:
        """Return the result of a method that lists or reads, or None for an unknown method."""
        fresh = _FRESH if message.is_modern else {}
        app: App = request.route.app
        match message.method:
            case "tools/list":
                tools = [each.as_json(has_any_result=message.is_modern) for each in self._visible(request)]
                return {"tools": tools, **fresh}
            case "prompts/list" if self._prompts:
                return {"prompts": [each.as_json() for each in self._prompts.values()], **fresh}
            case "prompts/get" if self._prompts:
                return await self._prompt(message)
            case "resources/list" if self._resource_names:
                return {"resources": self._resources(app).listed(request), **fresh}
            case "resources/templates/list" if self._resource_names:
                return {"resourceTemplates": self._resources(app).templates(request), **fresh}
            case "resources/read" if self._resource_names:
                contents = await self._resources(app).read(request, message, self._max_result)
                return {"contents": contents, **({**fresh, "ttlMs": 0} if fresh else {})}
        return None

    def _about(self, message: Message, **more: object) -> dict[str, Any]:
        capabilities: dict[str, Any] = {"tools": {}}
        if self._prompts:
            capabilities["prompts"] = {}
        if self._resource_names:
            capabilities["resources"] = {}
        server = {"name": self.api.title, "version": self.api.version}
        made: dict[str, Any] = {**more, "capabilities": capabilities}
        if self.api.description:
            made["instructions"] = self.api.description
        if message.is_modern:
            return {**made, "_meta": {f"{META}serverInfo": server}}
        return {**made, "serverInfo": server}

    # Tools

    def _check_user(self, request: Request) -> None:
        """Refuse a request that can't see any tools, so that the client logs in. Raises Unauthorized (401)."""
        made = self.definitions(request.route.app)
        if made and not self._visible(request):
            request[USERS].check(request)

    def _visible(self, request: Request) -> "list[Definition]":
        app: App = request.route.app
        made = [*self.definitions(app).values()]
        if not any(each.requires_user for each in made) or not self._lacks_user(request):
            return made
        return [each for each in made if not each.requires_user]

    def _lacks_user(self, request: Request) -> bool:
        """True for an anonymous request. With several ``Users``, any kind of credentials may identify a user."""
        if not request.route.app.is_provided(USERS):
            return False
        if self._has_one_kind_of_users:
            return request.user is None
        return not request.caller.identities

    async def _call(self, request: Request, message: Message) -> Response:
        """Handle a call. Raises Unauthorized or Forbidden, for the client, if the application has responded with one of
        them.
        """
        from antiphon.features.tools.calls import BadArguments, key_of, make_call
        from antiphon.features.tools.results import failure, is_for_the_client, login_error

        name, arguments = message.text("name"), message.params.get("arguments") or {}
        definition = self.definitions(request.route.app).get(name)
        if definition is None:
            raise ProtocolError(INVALID_PARAMS, f"Unknown tool: {name[:80]}")
        if not isinstance(arguments, dict):
            raise ProtocolError(INVALID_PARAMS, "params.arguments must be an object")
        request._pattern_below = f"#{name}"  # so that the access log and metrics show the tool
        if definition.requires_user and self._lacks_user(request):
            request[USERS].check(request)  # before reporting on arguments or asking a person
        key = key_of(request, message) if definition.route.idempotent else None
        if definition.options.confirm is not None:
            asked = self._confirmation.ask(request, message, definition.options.confirm, arguments)
            if asked.result is not None:
                return result_response(message, asked.result)
            key = asked.key if key is not None else None
        try:
            call = make_call(request, definition, arguments, key)
        except BadArguments as error:
            return result_response(message, failure(str(error)))
        response = await call.respond()
        if is_for_the_client(response):
            raise login_error(response)
        return await self._told(request, message, definition, response)

    async def _told(self, request: Request, message: Message, definition: "Definition", response: Response) -> Response:
        """Return the response to a call, or the stream with its progress and response."""
        from antiphon.features.tools.results import TooLarge, body_of, broken_off, result_of, too_large

        token = message.meta.get("progressToken")
        is_followed = isinstance(token, str | int) and request.accept.quality(EVENTS) > 0
        if definition.streams and is_followed and not isinstance(response.body, bytes) and response.status < 400:
            from antiphon.features.tools.results import progress

            told = progress(request, message, definition, response, self._max_result)
            return Response.events(told, on_drain="finish")
        try:
            body = await body_of(request, response, self._max_result)
        except TooLarge:
            return result_response(message, too_large(self._max_result))
        except Exception as error:
            log_failure(request, error)
            return result_response(message, broken_off())
        return result_response(message, result_of(definition, request, response, body, is_modern=message.is_modern))

    async def _prompt(self, message: Message) -> Mapping[str, Any]:
        name, arguments = message.text("name"), message.params.get("arguments") or {}
        prompt = self._prompts.get(name)
        if prompt is None:
            raise ProtocolError(INVALID_PARAMS, f"Unknown prompt: {name[:80]}")
        return await prompt.get(arguments)


def features_of(app: "App") -> list[Tools]:
    """Return the features that serve an application's tools."""
    return [each for route in app.routes if isinstance(each := getattr(route.handler, "__self__", None), Tools)]


_FRESH: Mapping[str, object] = {"ttlMs": _MINUTE, "cacheScope": "private"}
"""The members of a list that state for how long and for whom it is valid, because lists depend on the user."""
