"""A view's function: its plan (which is like a route's), its arguments, and its response in each framework."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import copy_context
from functools import cached_property, update_wrapper
from inspect import Parameter
from typing import Any, NamedTuple, Protocol, TypeAlias

from antiphon.app.dispatch.arguments import resolved
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.dispatch.dispatch import as_inner, dispatch, respond_at_once
from antiphon.app.dispatch.hooks import BeforeHook, Hook, MiddlewareFunction, hook
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.dispatch.plan import LOOP, THREAD, HandlerStack, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.planning.matching import respond_to_options
from antiphon.app.route import Route, before_hooks, checked_methods
from antiphon.app.route_keys import RouteKeys
from antiphon.body.receiver import result_of
from antiphon.explanations import explained
from antiphon.frameworks.connection import check_not_cancelled
from antiphon.frameworks.framework import DEFAULTS, Framework, framework_response, stop_watching
from antiphon.frameworks.recognition import current_given, framework_of, unwrapped
from antiphon.handler.callables import check_arguments, describe, is_async, signature_of
from antiphon.handler.contract import Steps, finish
from antiphon.handler.drive import run_async, run_sync
from antiphon.handler.failures import failed
from antiphon.handler.scope import in_scope, reset_current_request, set_current_request
from antiphon.http.errors import HTTPError, MethodNotAllowed, NotFound, without_traceback
from antiphon.http.limits import Limits
from antiphon.http.urls.path import check_path
from antiphon.request.dependencies import Dependency, ReadableDependency
from antiphon.request.request import Request
from antiphon.request.route import NO_ROUTE, RouteMeta
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS
from antiphon.serialization.fields import TimeTexts
from antiphon.serialization.types import described, members


class WriteOnce(Protocol):
    """A feature that executes a write only once, such as ``IdempotentWrites``."""

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]: ...
    def _ending(self, route: Route) -> MiddlewareFunction: ...


class CheckSignature(Protocol):
    """A feature that refuses unsigned requests, such as ``Signatures``."""

    def _hook(self, *, for_async: bool) -> Callable[[Request], Any]: ...


Call: TypeAlias = tuple[Framework, tuple[Any, ...], Mapping[str, Any]]
"""A view's framework, and its arguments other than its request: its ``self`` if it is a method, and keyword
arguments.
"""

_CALL = Dependency[Call]("call of a view")


class _NoDependencies(Dependencies):
    """A view's dependencies, which no application provides."""

    def read(self, dependency: ReadableDependency[Any], request: Request) -> Any:
        for name in ("user", "session"):
            if dependency is getattr(Request, name):
                raise explained(
                    "missing-dependency",
                    f"a view has no request.{name} of an app: read the framework's, request.framework.{name}",
                    RuntimeError,
                )
        raise dependency.not_provided(has_app=False)


class ViewOptions(NamedTuple):
    """A view's options, which are the arguments of ``view``."""

    methods: tuple[str, ...] = ()
    """The methods that the view supports, with HEAD for GET; empty for all that the framework accepts."""
    limits: Limits = DEFAULTS
    before: BeforeHook | Iterable[BeforeHook] = ()
    idempotent: WriteOnce | None = None
    signed_by: CheckSignature | None = None

    @classmethod
    def of(
        cls,
        methods: Iterable[str] | None,
        limits: Limits | None,
        before: BeforeHook | Iterable[BeforeHook],
        idempotent: WriteOnce | None,
        signed_by: CheckSignature | None,
    ) -> "ViewOptions":
        """Return the options. Raises ValueError for no methods, a string, or a malformed method."""
        allowed = () if methods is None else checked_methods(methods, "methods of a view")
        if "GET" in allowed and "HEAD" not in allowed:
            allowed += ("HEAD",)
        return cls(allowed, limits or DEFAULTS, before, idempotent, signed_by)


class ViewPlan:
    """The plan of a view's function. Requests pass through it as through a route's plan, without an application."""

    def __init__(self, function: Callable[..., Any], options: ViewOptions) -> None:
        self._methods, _, before, idempotent, signed_by = options
        self._allow = ", ".join(sorted({*self._methods, "OPTIONS"}))
        handler = hook(_of_request(function))
        checks = () if signed_by is None else (hook(signed_by._hook(for_async=handler.is_async)),)
        name = getattr(function, "__name__", "") or type(function).__name__
        route = Route(
            "", (), name, function, None, None, NO_ROUTE.limits, handler,
            before=(*checks, *before_hooks(before)), meta=RouteMeta({RouteKeys.idempotent: idempotent is not None}),
            dependencies=_NoDependencies(),
        )  # fmt: skip
        stack = HandlerStack(before=route.before)
        self._plan = self._of_writes = _plan(route, handler, stack)
        if idempotent is not None:
            once = idempotent._surround(route, handler.function)
            stack = stack._replace(middleware=(middleware(idempotent._ending(route)),))
            self._of_writes = _plan(route, handler._replace(function=once), stack)

    def respond(self, request: Request, call: Call) -> Response | Steps[Response]:
        """Return the response or, if something has to wait, the steps that produce it. Works on a thread and on an
        event loop.

        The body is left to the framework, which may also read it.
        """
        plan, limits = self._plan if request.method in SAFE_METHODS else self._of_writes, request.limits
        if self._methods and request.method == "OPTIONS" and "OPTIONS" not in self._methods:
            return respond_to_options({"allow": self._allow}, request)
        request.route = plan.route
        if limits is not plan.route.limits:
            request.limits = limits
        request[_CALL] = call
        error, head = self._error_in(request), request.head
        is_direct = error is None and plan.at_once_on is (THREAD if head.blocks else LOOP)
        if not head.has_body:
            return respond_at_once(plan, request) if is_direct else dispatch(plan, request, error)
        if is_direct and plan.is_bare and (head.blocks or request.content.is_complete):
            return _respond_loaded(plan, request)
        return as_inner(request, dispatch(plan, request, error))

    def _error_in(self, request: Request) -> HTTPError | None:
        try:
            check_path(request.head.path)
        except HTTPError as error:
            return without_traceback(error)
        allowed = self._methods
        if not allowed or request.method in allowed:
            return None
        detail = f"{request.method} is not allowed at {request.path[:200]}; {self._allow} are"
        return MethodNotAllowed(detail, allow=self._allow.split(", "))


def _respond_loaded(plan: Plan, request: Request) -> Response | Steps[Response]:
    """Load a body that has arrived or for which a thread can wait, and respond immediately if it can be read."""
    content = request.content
    outermost = content.outermost
    content.outermost = outermost or request  # this leaves the body to the framework
    try:
        result_of(content.load(request.limits))
        return _inside(request, respond_at_once(plan, request))
    except HTTPError as unreadable:
        return _inside(request, dispatch(plan, request, unreadable))
    finally:
        content.outermost = outermost


def _inside(request: Request, result: Response | Steps[Response]) -> Response | Steps[Response]:
    return result if isinstance(result, Response) else as_inner(request, result)


def _plan(route: Route, handler: Hook, stack: HandlerStack) -> Plan:
    if handler.is_async:
        handler = handler._replace(function=in_scope(handler.function, None), raw_handler=handler.function)
    return Plan(route, handler.for_handler(True), stack.at(route)).arrange()[0]


def _of_request(function: Callable[..., Any]) -> Callable[[Request], Any]:
    """Return a function that accepts only the request and is ``def`` or ``async def`` like the given one."""

    def called(request: Request) -> Any:
        framework, bound, named = request[_CALL]
        try:
            return function(*bound, request, **named)
        except Exception as error:
            if framework.has_response_to(error):
                return _failed_with(error)
            raise

    async def acalled(request: Request) -> Any:
        framework, bound, named = request[_CALL]
        try:
            return await function(*bound, request, **named)
        except Exception as error:
            if framework.has_response_to(error):
                return _failed_with(error)
            raise

    return update_wrapper(acalled if is_async(function) else called, function)


def _failed_with(error: Exception) -> Response:
    """Return a response that only carries an error, to which the framework itself will respond."""
    response = Response(None, 500)
    response.error = error
    return response


class View:
    """A function that handles requests of any framework."""

    def __init__(self, function: Callable[..., Any], options: ViewOptions, path: "ViewPath | None" = None) -> None:
        if not callable(function):
            check_arguments(function, "request")
        self.function = function
        self.options = options
        self.path = path
        parameters = [*signature_of(function).parameters.values()]
        self._has_self = bool(parameters) and parameters[0].name == "self"
        wanted = parameters[self._has_self + 1 :]
        if len(parameters) <= self._has_self:
            check_arguments(function, "request")
        self._takes_all = any(each.kind is Parameter.VAR_KEYWORD for each in wanted)
        self._wanted = [
            each.name for each in wanted if each.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        ]
        self._names = self._wanted if path is None else path.names
        self.is_async = is_async(function)
        self._plan = ViewPlan(function, options)
        self.parameters = wanted

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "tuple[Any, Framework, _Rest]":
        """Return the request (from a view's arguments, or the current one), its framework, and the other arguments.

        Raises TypeError if there is none.
        """
        for index, each in enumerate(args):
            given = unwrapped(each)
            if (framework := framework_of(given)) is not None:
                return given, framework, _Rest(args[:index], args[index + 1 :], kwargs)
        for name, each in kwargs.items():
            given = unwrapped(each)
            if type(given) is dict:  # data from a client, which may look like an environ
                continue
            if (framework := framework_of(given)) is not None:
                return given, framework, _Rest(args, (), {key: kwargs[key] for key in kwargs if key != name})
        given = current_given()
        if given is None or (framework := framework_of(given)) is None:
            kinds = ", ".join(type(each).__qualname__ for each in (*args, *kwargs.values())) or "none"
            raise explained(
                "unknown-request",
                f"{describe(self.function)} is a view, but none of its arguments is a request: {kinds}; and"
                " Flask, Quart and Bottle are not handling one here",
                TypeError,
            )
        return given, framework, _Rest(args[: self._has_self], args[self._has_self :], kwargs)

    def respond(self, given: Any, framework: Framework, rest: "_Rest") -> Any:
        """Handle the request on this thread."""
        request = framework.bounded_request(given, None, self.options.limits)
        context = copy_context()
        response = context.run(self._respond, request, given, framework, rest)
        try:
            if not isinstance(response, Response):
                response = run_sync(response, context)
            result = context.run(framework_response, request, response, framework.runs_on_loop(given))
            framework.raise_error(response.error, result, given)
        finally:
            del response  # an error raised by the view refers to this frame
        return framework.response(result, rest.target(framework, given))

    async def respond_on_loop(self, given: Any, framework: Framework, rest: "_Rest") -> Any:
        """Handle the request on an event loop, in the current task."""
        request = framework.bounded_request(given, None, self.options.limits)
        token = set_current_request(request)
        response: Response | None = None
        returned: Response | Coroutine[Any, Any, Response] | None = None
        try:
            is_received = request.head.has_body and framework.receives_bodies
            response = await _refused(framework, given, request) if is_received else None
            if response is None:
                returned = self._respond(request, given, framework, rest)
                response = returned if isinstance(returned, Response) else await run_async(returned)
                if returned is not response:
                    check_not_cancelled()
            result = framework_response(request, response, framework.runs_on_loop(given))
        except BaseException:
            stop_watching(request)
            if request._deferred:  # without a response, there is no end to wait for
                await run_async(finish(request))
            raise
        finally:
            reset_current_request(token)
            del returned
        if not result.is_streamed:
            stop_watching(request)
        try:
            framework.raise_error(response.error, result, given)
        finally:
            del response  # as above
        made = framework.response(result, rest.target(framework, given))
        return await made if isinstance(made, Coroutine) else made

    def _respond(
        self, request: Request, given: Any, framework: Framework, rest: "_Rest"
    ) -> Response | Coroutine[Any, Any, Response]:
        params: Mapping[str, Any] = {**framework.path_params(given), **rest.named}
        if rest.after:
            positional = [each for each in rest.after if isinstance(each, str | int)]
            missing = [name for name in self._names if name not in params]
            params = {**params, **dict(zip(missing, positional, strict=False))}
        if self.path is not None:
            params = self.path.texts(request, params, framework)
        try:
            request.path_params = params = self._converted(params)
        except (ValueError, NotFound):
            return failed(request, NotFound("There is nothing at this path."))
        named: Mapping[str, Any] = params
        if params and not self._takes_all:
            named = {name: params[name] for name in self._wanted if name in params}
        return self._plan.respond(request, (framework, rest.before[:1] if self._has_self else (), named))

    def _converted(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Convert parameters as the path and annotations require. Raises ValueError for an invalid value."""
        values = {**params} if self.path is None else self.path.converted(params)
        for name, convert in self._conversions.items():
            if isinstance(value := values.get(name), str):
                values[name] = convert(value)
        return values

    @cached_property
    def _conversions(self) -> dict[str, Callable[[str], Any]]:
        """The conversions of typed parameters, determined once all modules have been imported."""
        named = [each for each in self.parameters if each.name in self._wanted]
        found = {each.name: conversion_to(resolved(each.annotation, self.function)) for each in named}
        return {name: convert for name, convert in found.items() if convert is not None}


class ViewPath(Protocol):
    """The path of a view that ``Views`` has added to an application."""

    @property
    def names(self) -> list[str]:
        """The names of the parameters, in the order of the path."""
        ...

    def texts(self, request: Request, params: Mapping[str, Any], framework: Framework) -> dict[str, str]:
        """Return the decoded values of parameters as text, and tell the request its location for ``url_for``."""
        ...

    def converted(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Convert parameters with the path's converters. Raises ValueError for an invalid value."""
        ...


_BY_ROUTING: Mapping[Any, str] = {int: "int", float: "float"}


def conversion_to(wanted: Any) -> Callable[[str], Any] | None:
    """Return a function that converts the text of a parameter to a type and raises ValueError or NotFound; None for
    text.

    For integers and other types, it accepts what a route's own converters match.
    """
    if wanted is Any or wanted is object or wanted is str:
        return None
    if wanted in _BY_ROUTING:
        return CONVERTERS[_BY_ROUTING[wanted]].to_python
    import msgspec

    texts = TimeTexts([*members(described(wanted))])

    def convert(text: str) -> Any:
        try:
            return msgspec.convert(texts.marked(text), wanted, strict=False)
        except msgspec.ValidationError:
            raise NotFound from None

    return convert


async def _refused(framework: Framework, given: Any, request: Request) -> Response | None:
    """Wait for a body that the framework receives; return a response if the body is refused."""
    try:
        await framework.aload(given, request)
    except HTTPError as error:
        return failed(request, error)
    return None


class _Rest:
    """A view's arguments other than its request."""

    __slots__ = ("after", "before", "named")

    def __init__(self, before: tuple[Any, ...], after: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self.before = before
        self.after = after
        self.named = named

    def target(self, framework: Framework, given: Any) -> Any:
        """Return the object for which a response is made: the request, or Falcon's response after it."""
        return self.after[0] if framework.fills_response and self.after else given
