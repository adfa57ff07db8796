"""Recognizing an object's framework by its classes, and requests that come directly from servers."""

from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from antiphon.adapters.rsgi import RSGIHead
from antiphon.explanations import explained
from antiphon.frameworks.framework import Framework, FrameworkResponse, framework_response
from antiphon.frameworks.shared_bodies import environ_request, never, scope_request
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request
from antiphon.response.response import Response


class Servers(Framework):
    """The arguments of an application: an environ, or a scope and a second argument.

    The response is also an application.
    """

    def runs_on_loop(self, given: Any) -> bool:
        """Return True for a scope."""
        return not isinstance(given, dict) or "REQUEST_METHOD" not in given

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request. Raises TypeError if the scope has another type or if the second argument is missing."""
        if isinstance(given, dict):
            if "REQUEST_METHOD" in given:
                return environ_request(given)
            if given.get("type") == "http" and second is not None:
                return scope_request(given, second)
        elif second is not None:
            return Request(RSGIHead(given, second))
        raise explained(
            "unknown-request",
            "a request can be made from an environ, an ASGI scope of the type http and its receive, or an"
            " RSGI scope and its protocol: Request.from_framework(scope, receive)",
            TypeError,
        )

    def response(self, response: FrameworkResponse, given: Any) -> Response:
        """Return a response that is an application for the server."""
        return response.response


CHAPTERS = {
    "aiohttp": ("aiohttp", "Aiohttp"),
    "bottle": ("bottle", "Bottle"),
    "django": ("django", "Django"),
    "falcon": ("falcon", "Falcon"),
    "fastapi": ("starlette", "Starlette"),
    "flask": ("werkzeug", "Flask"),
    "kay": ("werkzeug", "Kay"),
    "litestar": ("starlette", "Litestar"),
    "pyramid": ("webob", "Pyramid"),
    "quart": ("werkzeug", "Quart"),
    "rest_framework": ("django", "RestFramework"),
    "sanic": ("sanic", "Sanic"),
    "starlette": ("starlette", "Starlette"),
    "tornado": ("tornado", "Tornado"),
    "webob": ("webob", "WebOb"),
    "werkzeug": ("werkzeug", "Werkzeug"),
}
"""The packages of frameworks, with the modules and classes that support them."""
DIALECTS = "antiphon.dialects."
"""The package of dialects. Each has the name of its original, and requests like it."""
ENTRY_POINTS = "antiphon.frameworks"
"""The group of entry points through which other packages add frameworks."""
_WITHOUT_ARGUMENT = ("flask", f"{DIALECTS}flask", "quart", "bottle")
"""Frameworks that don't pass their request to views. Frameworks from other packages are also asked for their current
request.
"""

_servers = Servers()


def framework_of(given: Any) -> Framework | None:
    """Return the framework of a request; None if it is unknown or the object is not a request."""
    kind: Any = type(given)
    if kind is dict:
        return _servers if "REQUEST_METHOD" in given or given.get("type") == "http" else None
    framework = _of_type(kind)
    return framework if framework is not None and framework.owns(given) else None


@lru_cache(maxsize=256)
def _of_type(kind: Any) -> Framework | None:
    """Return the framework of a class or of its nearest base class."""
    for each in kind.__mro__:
        package = package_of(each.__module__)
        if is_known(package):
            return _named(package)
    return _servers if hasattr(kind, "proto") else None


def package_of(module: str) -> str:
    """Return the package of a framework that has a module: the first name, or a dialect's whole name."""
    if module.startswith(DIALECTS):
        return DIALECTS + module.removeprefix(DIALECTS).partition(".")[0]
    return module.partition(".")[0]


def _named(package: str) -> Framework:
    return _brought()[package] if package in _brought() else _chapter(package)


@cache
def _chapter(package: str) -> Framework:
    original = package.removeprefix(DIALECTS)
    module, name = CHAPTERS[original]
    framework: Framework = getattr(import_module(f"antiphon.frameworks.{module}"), name)()
    framework.above = package.removesuffix(original)
    return framework


@lru_cache(maxsize=1)
def _brought() -> dict[str, Framework]:
    """Return the frameworks that other packages support, by the package of their classes."""
    from importlib.metadata import entry_points

    return {entry.name: entry.load()() for entry in entry_points(group=ENTRY_POINTS)}


def is_known(package: str) -> bool:
    """Return True for a package of a framework that Antiphon or another package supports."""
    return package.removeprefix(DIALECTS) in CHAPTERS or package in _brought()


def needs_async_views(package: str) -> bool:
    """Return True for the package of a framework whose views have to be ``async def``."""
    return is_known(package) and _named(package).needs_async_views


def request_of(given: Any, second: Any = None) -> Request:
    """Return a request made from a framework's request. Raises TypeError, naming the type, for other objects."""
    if type(given) is dict:
        return _servers.request(given, second)
    if isinstance(given, Request):
        return given
    given = unwrapped(given)
    framework = known_framework(given)
    framework.respond_to_errors(given)
    return framework.bounded_request(given, second)


async def loaded_request_of(given: Any, second: Any = None) -> Request:
    """Return a request made from a framework's request, with its body loaded.

    Raises the same errors as ``request_of``, and the framework's own errors.
    """
    if isinstance(given, Request):
        await given.aload()
        return given
    given = unwrapped(given)
    framework = known_framework(given)
    framework.respond_to_errors(given)
    request = framework.bounded_request(given, second)
    await framework.aload(given, request)
    return request


def response_like(response: Response, given: Any) -> Any:
    """Return a response as a framework's own response. ``given`` is the framework's request, or its response object.

    Raises the response's error, to which the framework then responds with it.
    """
    if isinstance(given, Request):
        return response
    given = unwrapped(given)
    if (framework := framework_of(given)) is not None:
        request = framework.request(given, never) if type(given) is dict else framework.request(given)
        made = framework_response(request, response, framework.runs_on_loop(given))
        framework.raise_error(response.error, made, given)
        return framework.response(made, given)
    framework = known_framework(given, is_response=True)
    asynchronous = type(given).__module__.startswith("falcon.asgi")
    return framework.response(framework_response(Request.blank(), response, asynchronous), given)


def is_of_framework(kind: Any) -> bool:
    """Return True for a class of a supported framework, and for one that is based on it."""
    return _of_type(kind) not in (None, _servers)


def told_of(error: BaseException) -> HTTPError | Response | None:
    """Return what another framework's exception tells a client: an error, or a response such as a redirect. None for
    an exception to which no framework responds, and for an internal failure.
    """
    kind: Any = type(error)
    framework = _of_type(kind)
    if framework is None or not isinstance(error, Exception) or not framework.has_response_to(error):
        return None
    told = framework.told(error)
    if isinstance(told, Response) and told.status >= 400:
        told.error = error
    return told


def response_of(given: Any, request: Request | None = None) -> Response:
    """Return another framework's response as a Response; its background task is called after that of a request.

    Raises TypeError, naming the type, for other objects.
    """
    made = known_framework(given, is_response=True).returned(given)
    if request is not None and (background := getattr(given, "background", None)) is not None:
        request.after_response(background)
    return made


def unwrapped(given: Any) -> Any:
    """Return the object behind a proxy such as Flask's ``request``, or the request that another one wraps."""
    module = type(given).__module__
    if module.removeprefix(DIALECTS) == "werkzeug.local":
        return given._get_current_object()
    return given._request if module == "rest_framework.request" else given


def known_framework(given: Any, *, is_response: bool = False) -> Framework:
    """Return the framework of an object. Raises TypeError, naming the object's type, if it is unknown."""
    kind: Any = type(given)
    framework = _of_type(kind) if is_response else framework_of(given)
    if framework is None or (is_response and not is_of_framework(kind)):
        known = ", ".join(sorted({*CHAPTERS, *_brought()}))
        made = "response" if is_response else "request"
        raise explained(
            "unknown-request",
            f"a {made} can't be made from a {kind.__module__}.{kind.__qualname__}: supported are an environ,"
            f" (scope, receive), RSGI's scope and protocol, and requests and responses of {known}",
            TypeError,
        )
    return framework


def supporting(app: Any) -> Framework | None:
    """Return the framework of an application, None if it is unknown."""
    kind: Any = type(app)
    framework = _named("django") if isinstance(app, list) else _of_type(kind)
    return None if framework is _servers else framework


def framework_of_app(app: Any) -> Framework:
    """Return the framework of an application (for Django, a list of URL patterns). Raises TypeError."""
    kind: Any = type(app)
    if (framework := supporting(app)) is None:
        raise explained(
            "bad-view",
            f"views must be added to an App or to an application of {', '.join(sorted({*CHAPTERS, *_brought()}))},"
            f" or to a list of Django's URL patterns, not to a {kind.__module__}.{kind.__qualname__}",
            TypeError,
        )
    return framework


def current_given() -> Any:
    """Return the current request of a framework that doesn't pass it to its views; None if there is no request."""
    for framework in (*map(_named, _WITHOUT_ARGUMENT), *_brought().values()):
        if (given := framework.current()) is not None:
            return unwrapped(given)
    return None
