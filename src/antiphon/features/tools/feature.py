"""An application's tools for language models, as a feature: ``app.use(Tools(api))``, which serves POST /mcp.

What it keeps between requests is in the store, so any worker can handle any request.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from antiphon import App, Request, Response, explained
from antiphon.embedding import (
    Advice,
    Crossing,
    FeatureStore,
    MadeRequest,
    PlannedRoute,
    RequestState,
    arrivals,
    check_cross_site,
    check_numbers,
    errors_name_it,
    is_this_machine,
)
from antiphon.features import Store
from antiphon.features.channels.hub import hub_of
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.openapi.security import users_of
from antiphon.features.stores.memory import MemoryStore
from antiphon.features.tools.definitions import (
    Definition,
    ModelAPI,
    definitions_of,
    definitions_of_dialect,
    find_definition,
    for_model,
    tool_routes,
)
from antiphon.features.tools.exchange import SALT, Replies, Result, Sessions, whose_is
from antiphon.features.tools.handling import Handling, call_in_process
from antiphon.features.tools.protocol import (
    INVALID_PARAMS,
    LEGACY,
    META,
    METHOD_NOT_FOUND,
    VERSIONS,
    Message,
    ProtocolError,
    check_argument_header,
    new_session,
    read_message,
    refusal,
    result_response,
    session_message,
)
from antiphon.features.tools.resources import Prompt, Resources, Subscriptions, prompt_of
from antiphon.features.tools.results import CalledTool, failure
from antiphon.features.tools.tasks import Tasks
from antiphon.features.tools.tool_call import LEVELS, HandledCall
from antiphon.http import BadRequest, MethodNotAllowed, MisdirectedRequest
from antiphon.types import BeforeHook, Caller

if TYPE_CHECKING:
    from antiphon.features import Tool
    from antiphon.features.channels.channel import Channel
    from antiphon.features.runs.runs import Runs

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Callable[[str], Iterable[str] | Awaitable[Iterable[str]]])

_MINUTE = 60_000
"""The number of milliseconds for which clients may cache lists."""
_DAY = 24 * 3600.0
_MOST_MEMORY = 4 << 20
"""The maximum number of bytes for what sessions ask for, in the memory of a process without a store."""
_MOST_VALUES = 100
"""The maximum number of values for a completion."""
_NOTHING: Mapping[str, Any] = {}


@errors_name_it
class Tools:
    """A feature that lets language models call handlers as tools, over the Model Context Protocol, with POST at
    ``path``. Provisional.

        app.use(Tools(api))

    A handler is a tool only if its route declares it: ``@app.put("/lamps/<int:number>", tool=True)``. Names,
    descriptions and schemas come from the OpenAPI document of ``api``. The application handles a call as a request from
    the same client, so hooks, users, limits, validation and error handlers apply as usual. The model is told about an
    error in words: ``/price: expected an integer``.

    Tools that require a user are listed only for requests that have one; if no tools can be listed, the response is a
    401. ``before`` is a hook, or several hooks, for all messages, such as ``login_required``.
    """

    def __init__(
        self,
        api: OpenAPI,
        *,
        path: str = "/mcp",
        before: BeforeHook | Iterable[BeforeHook] = (),
        resources: Iterable[str] | Mapping[str, str] = (),
        max_result: int = 256 << 10,
        instructions: str | None = None,
        changes: "Channel | None" = None,
        store: Store | None = None,
        tasks: "Runs[Any] | None" = None,
        dialect: object = None,
        tools: "Mapping[str, bool | Tool] | None" = None,
    ) -> None:
        """``resources`` are the names of the GET routes that clients can read as resources, or a mapping of URIs of
        your own to such names: ``{"lamps://{number}": "lamp page"}``. Results of more than ``max_result`` bytes are
        refused, with a hint to request less. ``instructions`` tell models how to use the tools; by default, they are
        the API's description.

        ``changes`` is a channel on which your app sends "tools", "prompts" or "resources" when that list has changed,
        or a resource's URI or path: clients can then subscribe. ``store`` keeps what clients of revisions with sessions
        ask for, and questions to them; by default, it is that of the app or, without one, the memory of each process.
        ``tasks`` are the runs that clients can follow as tasks, or find again after they have lost a call's stream,
        when a handler returns ``ToolCall.of(request).follow(run)``.

        To use a mounted application of Flask's or Pyramid's dialect, pass it as ``dialect``, and pass as ``tools`` a
        mapping of its route names to True or a ``Tool``.

        The protocol revisions 2026-07-28, 2025-11-25 and 2025-06-18 are supported. Unless the application lists its
        hosts in ``App(trusted_hosts=...)``, clients on this machine that don't use https have to call it by a local
        name, such as localhost (421), because pages of other sites could reach it through a name that they control.
        Raises TypeError if ``api`` is not an ``OpenAPI``, and ValueError for a path that does not begin with a slash
        and for a limit that is not above 0.
        """
        if not isinstance(api, OpenAPI):
            raise explained("bad-feature-option", f"Tools needs the app's OpenAPI, not {api!r}", TypeError)
        if not path.startswith("/"):
            raise explained("bad-feature-option", f"path must begin with a slash, not {path!r}")
        check_numbers(max_result=max_result)
        if isinstance(resources, str):
            raise explained("list-wanted", f"resources must be a list of route names: [{resources!r}]")
        if (dialect is not None) != bool(tools) or (dialect is not None and not hasattr(dialect, "described_api")):
            raise explained(
                "bad-feature-option",
                "dialect must be an application of Flask's or Pyramid's dialect, and tools must name its routes:"
                ' Tools(api, dialect=shop, tools={"show_lamp": True})',
                TypeError,
            )
        self.api = api
        self._dialect = dialect
        self._tools = dict(tools or {})
        self.path = path
        self._before = before
        self._resource_names = dict(resources) if isinstance(resources, Mapping) else tuple(resources)
        self._instructions = api.description if instructions is None else instructions
        self._changes = changes
        self._stores = FeatureStore("Tools", store)
        self._tasks = None if tasks is None else Tasks(tasks)
        self._completions: dict[tuple[str, str], Callable[[str], Any]] = {}
        self._max_result = max_result
        self._prompts: dict[str, Prompt] = {}
        self._lock = Lock()
        self._made: dict[str, Definition] | None = None
        self._has_one_kind_of_users = True
        self._made_resources: Resources | None = None
        self._sessions: Sessions
        self._handling: Handling
        self._subscriptions: Subscriptions | None = None
        self._advice = Advice()
        self._app: ref[App] | None = None

    def install(self, app: App) -> None:
        """Register the route that receives messages."""
        app.mounts  # noqa: B018 - a blueprint has none
        self._app = ref(app)
        name = "tools" + self.path.replace("/", "_")
        hidden = {OpenAPI.HIDDEN: True}  # its reader would follow each message to every handler
        app.post(self.path, name=name, before=self._before, csrf_exempt=True, meta=hidden)(self._receive)
        store = self._stores.taken_if_any(app) if self._stores.own or _keeps_channels(app.store) else None
        if store is None:
            FeatureStore.note_memory(app, "Tools")
        self._sessions = Sessions(store or MemoryStore().bounded(_MOST_MEMORY), self.path)
        self._handling = Handling(self._sessions, self._tasks, self._max_result)
        if self._changes is not None:
            self._subscriptions = Subscriptions(self._changes, self._sessions)
        if self._changes is not None or self._tasks is not None:
            app.get(self.path, name=f"{name}_stream", before=self._before, meta=hidden)(self._stream)
        app.on_startup(lambda: self._check(app))

    def prompt(self, function: F) -> F:
        """Register a function as a prompt, with its name and docstring: ``@tools.prompt``.

        Its arguments are text, or a Literal; arguments with defaults are optional, and one annotated as
        ``ToolCall`` can ask for more. The function returns text, a Response such as a picture, or a list of these, each
        a message; ``("assistant", text)`` is a message of the model. It may be ``async`` and must not block. Raises
        TypeError for other arguments, and ValueError for a name that is already taken.
        """
        made = prompt_of(function)
        if made.name in self._prompts:
            raise explained("bad-tool", f"there is already a prompt {made.name!r}")
        self._prompts[made.name] = made
        return function

    def completion(self, of: str, argument: str) -> Callable[[C], C]:
        """Register a function that completes an argument of a prompt, or of a resource's URI, while a person types.

        It receives the text so far and returns the values to choose from, the best first; clients are sent a hundred.
        It may be ``async`` and must not block.
        """

        def register(function: C) -> C:
            self._completions[of, argument] = function
            return function

        return register

    def definitions_in(self, app: App) -> dict[str, Definition]:
        """Return an application's tools by name. Raises the same errors as ``definitions_of``."""
        with self._lock:
            if self._made is None:
                self._made = self._define(app)
        return self._made

    # In the application's own loop

    def definitions(self, *, as_: object, for_: ModelAPI | None = None) -> list[dict[str, Any]]:
        """Return the tools that a caller or user may see, in the form that a model's API expects.

        The form is that of OpenAI's chat completions or responses, of Anthropic, or of Gemini; by default, each tool
        has a ``name``, a ``description`` and an ``inputSchema``. Raises RuntimeError for a caller of another
        application.
        """
        request, app = self._asking(as_)
        visible = self._visible(request) if isinstance(as_, Caller) else self.definitions_in(app).values()
        return [for_model(each, for_) for each in visible]

    async def call(
        self,
        tool: str,
        arguments: "Mapping[str, Any]",
        *,
        as_: object,
        key: str | None = None,
        confirm: "Callable[[str], Awaitable[object]] | None" = None,
    ) -> CalledTool:
        """Call a tool in this process, as the ``request.caller`` of a request, also after its end, or as a user.

        The application handles it as a request from the same client, or of a user who is logged in to a session, with
        the same checks; errors are told in words. An idempotent route carries out each ``key`` once. A tool with
        ``confirm`` is called only if the function ``confirm`` returns a true value for the question. Raises
        RuntimeError for a caller of another application.
        """
        request, app = self._asking(as_)
        made = await asyncio.to_thread(self.definitions_in, app)
        definition = find_definition(made, tool)
        if definition is None:
            return CalledTool.of(failure(f"There is no tool {tool[:80]!r}. The tools are: {', '.join(made)}"))
        once = (key or token_urlsafe()) if definition.takes_key else None
        of_user = None if isinstance(as_, Caller) else app
        given = request, definition, dict(arguments), once, of_user, confirm
        return CalledTool.of(await call_in_process(*given, self._max_result))

    def _asking(self, as_: object) -> tuple[Request, App]:
        """Return a caller's request as the application with these tools has received it, or a request of a user."""
        app = None if self._app is None else self._app()
        if app is not None and not isinstance(as_, Caller):
            return MadeRequest.of_user(app, as_), app
        for each in arrivals(as_.request) if isinstance(as_, Caller) else ():
            if app is not None and each.route.app is app:
                return each, app
        raise explained("missing-feature", "the caller's request belongs to an app without these tools", RuntimeError)

    def _define(self, app: App) -> dict[str, Definition]:
        own = [each for each in PlannedRoute.of(app) if each.app is app]
        self._has_one_kind_of_users = not own or len(users_of(own[0])) <= 1
        if self._dialect is not None:
            return definitions_of_dialect(app, self._dialect, self._tools, self.api)
        routes = [*tool_routes(app)]
        if len(features_of(app)) > 1:
            routes = [each for each in routes if f"{each.path}/".startswith(f"{self.api.prefix}/")]
        made = definitions_of(routes, self.api.content(app))
        return {name: self._with_reads(app, each) for name, each in made.items()}

    def _with_reads(self, app: App, definition: Definition) -> Definition:
        """Return a tool with the types that its handler always reads, if a person must agree to its calls."""
        if definition.options.confirm is None:
            return definition
        contract = self.api._made(app).find(definition.route, definition.method)  # noqa: SLF001 - programs have no use for it
        known = () if contract is None else contract.reads
        return replace(definition, reads=tuple(each for each in known if each.is_always and each.wanted is not Any))

    def _resources(self, app: App) -> Resources:
        if self._made_resources is None:
            pages = {page for each in self.definitions_in(app).values() if (page := each.options.page) is not None}
            self._made_resources = Resources.of(app, self._resource_names, pages)
        return self._made_resources

    def _check(self, app: App) -> None:
        made, _ = self.definitions_in(app), self._resources(app)
        if self._tasks is not None or any(each.options.confirm for each in made.values()):
            app.signer(SALT)

    # Messages

    async def _receive(self, request: Request) -> Response:
        self._check_host(request)
        if not request.route.app.allows_cross_site_writes:
            check_cross_site(request, request.route.app.trusted_origins)
        try:
            message = read_message(request)
        except ProtocolError as error:
            return refusal(error)
        try:
            if message.reply is not None or message.method == "notifications/cancelled":
                await self._ready(request)
            if message.reply is not None:
                return await self._sessions.take_reply(request, message)
            if message.method == "notifications/cancelled":
                await self._sessions.cancel(request, message)
            return Response("", 202) if message.id is None else await self._respond(request, message)
        except ProtocolError as error:
            return refusal(error, message)

    async def _stream(self, request: Request) -> Response:
        self._check_host(request)
        message, since = session_message(request), request.last_event_id
        if since is not None and self._tasks is not None:
            await self._ready(request)
            return await self._handling.resume(request, message, self._tasks, since)
        if self._subscriptions is None:
            raise MethodNotAllowed(allow=["POST"])
        if not message.session:
            raise BadRequest("Mcp-Session-Id must be the id of a session.")
        await self._ready(request)
        return self._subscriptions.stream(request, message)

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
        raise MisdirectedRequest(
            f"The tools here don't serve {request.host}.", type="urn:antiphon:problem:untrusted-host"
        )

    async def _ready(self, request: Request) -> None:
        """Make the tools, once, and refuse a request that has to log in first."""
        if self._made is None:
            await Crossing().run(self.definitions_in, request.route.app)  # analyzing the code takes a while
        self._check_user(request)

    async def _respond(self, request: Request, message: Message) -> Response:
        if message.method == "ping" and not message.is_modern:
            return result_response(message, {})
        await self._ready(request)
        app: App = request.route.app
        match message.method:
            case "tools/call":
                return await self._call(request, message)
            case "prompts/get" if self._prompts:
                return await self._handling.exchange(request, message, partial(self._prompt, request, message))
            case "resources/read" if self._resources(app).all:
                return await self._handling.exchange(request, message, partial(self._read, request, message))
            case "server/discover":
                return result_response(message, self._about(app, message, supportedVersions=list(VERSIONS), **_FRESH))
            case "subscriptions/listen" if message.is_modern and self._subscriptions is not None:
                return self._subscriptions.listen(request, message)
            case "initialize" if not message.is_modern:
                asked = message.params.get("protocolVersion")
                version = asked if asked in LEGACY else LEGACY[0]
                response = result_response(message, self._about(app, message, protocolVersion=version))
                response.headers["mcp-session-id"] = new_session(message.params.get("capabilities"))
                return response
        found = await self._listed(request, message)
        if found is None and message.is_modern and self._tasks is not None:
            found = await self._tasks.respond(request, message, self._max_result)
        if found is None:
            found = None if message.is_modern else await self._kept(request, message)
        if found is None:
            raise ProtocolError(METHOD_NOT_FOUND, f"Method not found: {message.method[:80]}")
        return result_response(message, found)

    async def _listed(self, request: Request, message: Message) -> Mapping[str, Any] | None:
        """Return the result of a method that lists, or None for an unknown method."""
        fresh = _FRESH if message.is_modern else {}
        app: App = request.route.app
        match message.method:
            case "tools/list":
                tools = [each.as_json(has_any_result=message.is_modern) for each in self._visible(request)]
                return {"tools": tools, **fresh}
            case "prompts/list" if self._prompts:
                return {"prompts": [each.as_json() for each in self._prompts.values()], **fresh}
            case "resources/list" if self._resources(app).all:
                return {"resources": self._resources(app).listed(request), **fresh}
            case "resources/templates/list" if self._resources(app).all:
                return {"resourceTemplates": self._resources(app).templates(request), **fresh}
            case "completion/complete" if self._completes:
                return {"completion": await self._completed(message)}
        return None

    async def _kept(self, request: Request, message: Message) -> Mapping[str, Any] | None:
        """Keep what a session asks for, and return an empty result, or None for an unknown method."""
        match message.method:
            case "logging/setLevel":
                if (level := message.text("level")) not in LEVELS or not message.session:
                    raise ProtocolError(INVALID_PARAMS, f"A session can set one of the levels {', '.join(LEVELS)}")
                await self._sessions.write("session", whose_is(request, message), {"level": level}, ttl=_DAY)
            case "resources/subscribe" | "resources/unsubscribe" if self._subscriptions is not None:
                ends = message.method == "resources/unsubscribe"
                await self._subscriptions.subscribe(request, message, ends=ends)
            case _:
                return None
        return {}

    @property
    def _completes(self) -> bool:
        return bool(self._completions) or any(each.choices for each in self._prompts.values())

    async def _completed(self, message: Message) -> Mapping[str, Any]:
        of, argument = message.params.get("ref"), message.params.get("argument")
        of, argument = of if isinstance(of, dict) else {}, argument if isinstance(argument, dict) else {}
        name, field, value = of.get("name", of.get("uri")), argument.get("name"), argument.get("value")
        if not all(isinstance(each, str) for each in (name, field, value)):
            raise ProtocolError(INVALID_PARAMS, "params must have a ref, and an argument with its name and value")
        prompt = self._prompts.get(str(name))
        known = prompt.choices.get(str(field), ()) if prompt is not None else ()
        made: Any = [each for each in known if each.casefold().startswith(str(value).casefold())]
        if (function := self._completions.get((str(name), str(field)))) is not None:
            made = function(str(value))
        values = [*(await made if inspect.isawaitable(made) else made)]
        return {"values": values[:_MOST_VALUES], "total": len(values), "hasMore": len(values) > _MOST_VALUES}

    def _about(self, app: App, message: Message, **more: object) -> dict[str, Any]:
        told = {} if self._changes is None else {"listChanged": True}
        capabilities: dict[str, Any] = {"tools": told, "logging": {}}
        if self._prompts:
            capabilities["prompts"] = told
        if self._resources(app).all:
            capabilities["resources"] = {**told, **({"subscribe": True} if told else {})}
        if self._completes:
            capabilities["completions"] = {}
        if self._tasks is not None and message.is_modern:
            capabilities["extensions"] = {"io.modelcontextprotocol/tasks": {}}
        server = {"name": self.api.title, "version": self.api.version}
        made: dict[str, Any] = {**more, "capabilities": capabilities}
        if self._instructions:
            made["instructions"] = self._instructions
        if message.is_modern:
            return {**made, "_meta": {f"{META}serverInfo": server}}
        return {**made, "serverInfo": server}

    # Tools

    def _check_user(self, request: Request) -> None:
        """Refuse a request that can't see any tools, so that the client logs in. Raises Unauthorized (401)."""
        made = self.definitions_in(request.route.app)
        if made and not self._visible(request):
            request[RequestState.USERS].check(request)

    def _visible(self, request: Request) -> list[Definition]:
        made = [*self.definitions_in(request.route.app).values()]
        if any(each.requires_user for each in made) and self._lacks_user(request):
            made = [each for each in made if not each.requires_user]
        return [each for each in made if not each.scopes or self._may_get(request, each.scopes)]

    def _may_get(self, request: Request, scopes: Collection[str]) -> bool:
        """True if the credentials of a request have these scopes, or the client can ask for them."""
        users = request[RequestState.USERS]
        source = users.lacking(request, scopes) if self._has_one_kind_of_users else None
        return source is None or source.needs(request, scopes) is not None

    def _lacks_user(self, request: Request) -> bool:
        """True for an anonymous request. With several ``Users``, any kind of credentials may identify a user."""
        if not request.route.app.is_provided(RequestState.USERS) or request.user is not None:
            return False
        return self._has_one_kind_of_users or not request.caller.identities

    async def _call(self, request: Request, message: Message) -> Response:
        """Handle a call. Raises Unauthorized or Forbidden, for the client, if the application has responded with one of
        them.
        """
        name, arguments = message.text("name"), message.params.get("arguments") or {}
        definition = find_definition(self.definitions_in(request.route.app), name)
        if definition is None:
            raise ProtocolError(INVALID_PARAMS, f"Unknown tool: {name[:80]}")
        if not isinstance(arguments, dict):
            raise ProtocolError(INVALID_PARAMS, "params.arguments must be an object")
        for argument, header in (definition.options.headers or {}).items() if message.is_modern else ():
            check_argument_header(request, header, arguments.get(argument))
        RequestState(request).pattern_below = f"#{definition.name}"  # so that the access log and metrics show the tool
        if definition.requires_user and self._lacks_user(request):
            request[RequestState.USERS].check(request)  # before reporting on arguments or asking a person
        return await self._handling.call(request, message, definition, arguments)

    async def _prompt(self, request: Request, message: Message, call: HandledCall, _: Replies) -> Result:
        name, arguments = message.text("name"), message.params.get("arguments") or {}
        prompt = self._prompts.get(name)
        if prompt is None:
            raise ProtocolError(INVALID_PARAMS, f"Unknown prompt: {name[:80]}")
        return await prompt.get(request, arguments, call)

    async def _read(self, request: Request, message: Message, call: HandledCall, _: Replies) -> Result:
        contents = await self._resources(request.route.app).read(request, message, self._max_result, call)
        return {"contents": contents, **({**_FRESH, "ttlMs": 0} if message.is_modern else {})}


def features_of(app: App) -> list[Tools]:
    """Return the features that serve an application's tools."""
    return [each for route in app.routes if isinstance(each := getattr(route.handler, "__self__", None), Tools)]


def _keeps_channels(store: Store | None) -> bool:
    """True for a store that processes can listen to."""
    if store is None or not store.is_server_side:
        return False
    try:
        hub_of(store, "tools", "Tools")
    except TypeError:
        return False
    return True


_FRESH: Mapping[str, object] = {"ttlMs": _MINUTE, "cacheScope": "private"}
"""The members of a list that state for how long and for whom it is valid, because lists depend on the user."""
