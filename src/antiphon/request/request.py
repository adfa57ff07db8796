"""The request: one object for every server, read lazily, usable alone."""

import sys
from collections.abc import Callable, Coroutine, Mapping
from copy import copy
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from antiphon.body.content import FORM_DATA, Content, NotLoadedError
from antiphon.body.receiver import readable_length
from antiphon.body.stream import BodyStream
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs, refuse_unknown_attributes
from antiphon.http.charset import decode_text
from antiphon.http.cookies import read_cookies
from antiphon.http.errors import HTTPError
from antiphon.http.grammar import is_token
from antiphon.http.head import Address, DerivedHead, Head, HeadHeaders, RequestHead
from antiphon.http.header_property import of_fields
from antiphon.http.headers import HeaderFields, Headers
from antiphon.http.limits import NO_BOUND, Limits
from antiphon.http.link import Link
from antiphon.http.multidict import Files, MultiDict, NoForm, first_multidict_of, multidict_of
from antiphon.http.urls.url import URL
from antiphon.lazy import frameworks, lazy, like
from antiphon.request import lifetime as lifetimes
from antiphon.request import readings
from antiphon.request.caller import Caller, check_effect
from antiphon.request.dependencies import Dependency, ReadableDependency, RequestDependencies, check_dependency
from antiphon.request.headers import RequestHeaders
from antiphon.request.lifetime import Lifetime, deferrable
from antiphon.request.readings import (
    JSONObject,
    args_of,
    head_of,
    host_of,
    json_decoder,
    not_loaded,
    read_whole,
    refused_json,
    url_of,
    urlencoded_fields_of,
    wrong_type,
)
from antiphon.request.route import NO_ROUTE, Route
from antiphon.request.route import url_for as url_for_route
from antiphon.request.watching import Reads, WatchedCookies, WatchedHead, note_read, watches_of
from antiphon.response.conditional import precondition as precondition_of
from antiphon.response.fields import JSON
from antiphon.routing.router import Params
from antiphon.speedups import IS_COMPILED

if TYPE_CHECKING:
    from antiphon.body.form_data import FormData
    from antiphon.body.form_parts import FormParts
    from antiphon.concurrency.crossing import Crossing
    from antiphon.uploads.upload import Upload

T = TypeVar("T")
P = ParamSpec("P")
AfterHook = TypeVar("AfterHook", bound=Callable[..., Any])

_NO_DEPENDENCIES: dict[ReadableDependency[Any], Any] = {}
"""The dependency values of a request that hasn't read any. This dict is never changed."""
_NO_PARAMS: Mapping[str, Any] = MappingProxyType(Params())


class Globals(SimpleNamespace):
    """The values that an application's code shares about one request, as attributes."""

    def __contains__(self, name: str) -> bool:
        return name in vars(self)


class Request(
    RequestHeaders,
    RequestDependencies,
    metaclass=NamesOurs,
    words=WORDS["Request"],
    settings=WORDS["Request, when set"],
):
    """An HTTP request (RFC 9110).

    ``head`` contains what the server knows about the request. It also provides the body, unless ``body`` is given:
    bytes, or the content of another request, which both requests then share. Malformed headers are treated as missing.

    You can read the body in any form, repeatedly: it is received once, within ``limits``, and kept, in a file if it is
    large. If it can't be read in the requested form, an HTTPError (4xx) is raised. Code that may block waits for a body
    that hasn't arrived yet. On an event loop, await ``aload`` first; otherwise RuntimeError is raised.
    """

    __slots__ = {  # attributes that every request needs; values computed on first read go into its ``__dict__``
        "_after_hooks": "The functions given to ``on_response``, in order.",
        "_content": "The content; just its bytes, if nothing else was needed so far; None if it was not needed.",
        "_crossing": "The way to the threads that run the request's steps, once they have been there.",
        "_deferred": "The functions given to ``after_response``, in order.",
        "_host_is_declared": "True once the application has checked that it serves the requested host.",
        "_lifetime": "The lifetime, once it has been read.",
        "_own_limits": "The limits that were set, and the route at that time.",
        "consulted": "The content negotiation headers that were read, as a tuple of lowercase names: an application"
        " lists them in Vary (RFC 9110 §12.5.5). For adapters and dialects.",
        "head": "The head, a ``Head``: what the server knows about the request, unparsed. For adapters and dialects.",
        "path_params": "The values of the route's parameters by name, as their converters return them; empty if there"
        " are none. A handler may take them as arguments, with their types.",
        "route": "The route that handles the request. Its pattern is empty if no route was found, or if there is no"
        " application.",
    }

    path_params: Mapping[str, Any]
    _outer_request: "Request | None" = None
    """The request as the outer application has received it, if this request's application is mounted."""
    _pattern_below: str | None = ""
    """The pattern of the matching route in an application mounted here; None if no route matched."""
    _observation: Any = None
    """The observation of the request, for the observers of mounted applications."""
    _content: Content | bytes | None
    _own_limits: tuple[Route, Limits] | None
    _host_is_declared: bool
    _work: Any = None
    """What surrounds the request in the task of its ``async def`` handler."""
    _opening: Any = None
    """The open dependencies, if the application has any to close."""
    _deferred_first = 0
    _view: Any = None
    """The ``FrameworkRequest`` of another framework's view, for its request and for those that it makes of that."""
    """The number of functions that are called before those passed to ``after_response``."""
    _crossing: "Crossing | None"

    def __init__(self, head: Head, body: bytes | Content | None = None) -> None:
        self.head = head
        self._content = body
        self._own_limits = None
        self.route: Route = NO_ROUTE
        self.path_params = _NO_PARAMS
        self.consulted = ()
        self._deferred: tuple[Callable[[], object], ...] = ()
        self._after_hooks: tuple[Callable[..., Any], ...] = ()

    @classmethod
    def blank(cls, url: str = "/", method: str = "GET", headers: HeaderFields = (), body: bytes = b"") -> Self:
        """Make a request without a server, for tests and subrequests. ``url`` is a path or a full URL.

        Characters that are not allowed in it are percent-encoded. Raises ValueError for a scheme without a host, and
        for an invalid host.
        """
        return cls(head_of(url, method, headers), body)

    @staticmethod
    def from_framework(given: object, second: object = None, /) -> "Request":
        """Convert a server's or another framework's request to a Request.

        ``given`` is an environ (PEP 3333), an ASGI scope with its ``receive`` as ``second``, an RSGI scope with its
        protocol, or the request of aiohttp, Bottle, Django, Falcon, FastAPI, Flask, Litestar, Pyramid, Quart, Sanic,
        Starlette, Tornado (or its handler), WebOb or Werkzeug. Your code and the framework can both read the body, in
        any order; it is received once. With a plain environ, call this before anything reads ``wsgi.input``. The
        framework determines the host, scheme and address, and its limits also apply.

        On an event loop, use ``Request.afrom_framework``, which awaits the body. Raises TypeError, naming the type, for
        any other object.
        """
        return frameworks().request_of(given, second)  # type: ignore[no-any-return]

    @staticmethod
    async def afrom_framework(given: object, second: object = None, /) -> "Request":
        """Return the result of ``Request.from_framework`` with its body loaded, on an event loop.

        Raises the same errors as ``aload`` and ``Request.from_framework``, and the framework's own error for a body
        that exceeds the framework's limit.
        """
        return await frameworks().loaded_request_of(given, second)  # type: ignore[no-any-return]

    @property
    def limits(self) -> Limits:
        """The limits of this request, initially those of its route. You can set them until the body is loaded.

        Limits that you leave unset keep the route's values. Raises TypeError for anything but Limits.
        """
        route, own = self.route, self._own_limits
        if own is not None and own[0] is route:
            return own[1]
        return route.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        if not isinstance(limits, Limits):
            raise explained("bad-limit", f"limits must be set as Limits(...), not {type(limits).__name__}", TypeError)
        route = self.route
        self._own_limits = route, limits.within(route.limits)

    # The head

    @property
    def method(self) -> str:
        """The method, as sent (RFC 9110 §9): ``"GET"``.

        You can set it before routing. Raises ValueError for anything but a token, and RuntimeError after routing.
        """
        return self.head.method

    @method.setter
    def method(self, method: str) -> None:
        if not is_token(method):
            raise explained("bad-http-message", f"a method must be a token, not {method!r}")
        self._rewritten().method = method

    @property
    def path(self) -> str:
        """The decoded path below ``root_path``; ``*`` for OPTIONS requests about the whole server (RFC 9110 §9.3.7).

        You can set it before routing. Raises ValueError for a path that doesn't begin with a slash, and RuntimeError
        after routing.
        """
        return self.head.path

    @path.setter
    def path(self, path: str) -> None:
        if not path.startswith("/"):
            raise explained("bad-http-message", f"a path must begin with a slash: {path!r}")
        self._rewritten().path = path
        vars(self).pop("url", None)

    def _rewritten(self) -> DerivedHead:
        """Give this request a mutable head and return it. Raises RuntimeError after routing."""
        if not self.route.is_before_routing:
            raise explained(
                "routed-already",
                "the route has already been found: set method and path in middleware with"
                " @app.middleware(before_routing=True)",
                RuntimeError,
            )
        head = self.head = DerivedHead(self.head)
        return head

    @property
    def raw_path(self) -> bytes | None:
        """The whole path as it was sent, percent-encoded; None if the server hides it."""
        return self.head.raw_path

    @property
    def query_string(self) -> bytes:
        """The query without its question mark, as it was sent."""
        return self.head.query_string

    @property
    def root_path(self) -> str:
        """The decoded path at which the application is mounted, without a trailing slash."""
        return self.head.root_path

    @property
    def scheme(self) -> str:
        """The scheme that the client used, as reported by the server or a trusted proxy: ``"http"`` or ``"https"``."""
        return self.head.scheme

    @property
    def is_secure(self) -> bool:
        """True if the request came over https."""
        return self.head.scheme == "https"

    @property
    def http_version(self) -> str:
        """The HTTP version that the client and the server use: ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``."""
        return self.head.http_version

    @property
    def client(self) -> Address | None:
        """The client's address (``host`` and ``port``); None if the server or a trusted proxy doesn't know it."""
        return self.head.client

    @property
    def ip(self) -> str | None:
        """The client's IP address, or the path of its unix socket; None if it is unknown."""
        client = self.head.client
        return client.host if client else None

    @lazy
    def _authority(self) -> tuple[str, int | None]:
        return host_of(self.head)

    @property
    def host(self) -> str:
        """The requested host, in lower case, without the port; empty if it is malformed."""
        return self._authority[0]

    @property
    def port(self) -> int | None:
        """The requested port, or the scheme's default."""
        return self._authority[1] or (443 if self.is_secure else 80)

    @of_fields
    def url(self) -> URL:
        """The full URL, rebuilt: a str with more attributes and methods (``url.origin``, ``url.with_query(page=2)``).

        The URL of ``OPTIONS *`` is the origin with a slash (RFC 9112 §3.3), while ``path`` is ``*``.
        """
        return url_of(self.head, self.host)

    @lazy
    def headers(self) -> Headers:
        """The headers, looked up by name, case-insensitively. ``[]`` raises KeyError for an absent one: a 400."""
        return HeadHeaders(self.head)

    @of_fields
    def cookies(self) -> MultiDict[str]:
        """The cookies. If several have the same name, the first is read because it is the most specific (RFC 6265bis
        §5.8.3); ``args`` reads the last. ``cookies.getall(name)`` returns all of them.
        """
        head = self.head
        if isinstance(head, DerivedHead) and any(watches_of(head)):
            return WatchedCookies(head)
        header = head.field("cookie")
        return first_multidict_of(read_cookies(header) if header else {})

    @of_fields
    def args(self) -> MultiDict[str]:
        """The query's arguments. If several have the same name, the last is read; ``cookies`` reads the first.

        ``args.getall(name)`` returns all of them. Raises URITooLong (414) above ``limits.query`` bytes or
        ``limits.fields`` fields.
        """
        return args_of(self)

    args_as = readings.args_as
    headers_as = readings.headers_as
    precondition = precondition_of

    # The body

    @property
    def content_length(self) -> int | None:
        """The declared length of the body in bytes (RFC 9110 §8.6); None if it is absent or malformed."""
        return readable_length(self.head)

    @property
    def content(self) -> Content:
        """The body as it is received and kept, shared by concurrent readers. For adapters and dialects."""
        content = self._content
        if not isinstance(content, Content):
            head = self.head
            while isinstance(head, WatchedHead):  # how a server frames a body is no reason to tell visitors apart
                head = head.inner
            content = self._content = Content(head, content)
            content.folder = self.app.upload_folder if self.app is not None else None
        return content

    @property
    def _is_in_bytes(self) -> bool:
        """True if the whole body was received as bytes and was not converted to anything else."""
        return type(self._content) is bytes

    _read_small_body = readings.read_small_body
    _expects_no_body = property(readings.expects_no_body)

    def load(self) -> None:
        """Load the body within ``limits``, in code that may block, if it wasn't loaded before the handler was called.
        Raises the same errors as ``aload``, and RuntimeError on an event loop: await ``aload`` there.
        """
        try:
            self.content.load_on_thread(self.limits)
        except NotLoadedError:
            raise self._not_loaded() from None

    def aload(self) -> Coroutine[Any, Any, None]:
        """Load the body within ``limits``, on an event loop, if it wasn't loaded before the handler was called.

        Raises ContentTooLarge (413), BadRequest (400) for a bad Content-Length or a body that ends too early,
        UnsupportedMediaType (415) for an unknown Content-Encoding, NotImplementedByServer (501) for a Transfer-Encoding
        other than chunked, RequestTimeout (408) for a body that arrives too slowly, InsufficientStorage (507) and
        ClientDisconnected.
        """
        return self.content.aload(self.limits)

    @property
    def stream(self) -> BodyStream:
        """The body as chunks, as they arrive or as they were stored. Iterate over it with ``for`` or ``async for``."""
        return BodyStream(self.content, self)

    def parts(self) -> "FormParts":
        """Iterate over the parts of a form (multipart/form-data) as they arrive, with ``for`` or ``async for``.

        Raises UnsupportedMediaType (415) for any other media type, and BadRequest (400) for a form without a boundary.
        """
        if self.mimetype != FORM_DATA:
            raise wrong_type(FORM_DATA, self.head.field("content-type"), (FORM_DATA,))
        from antiphon.body.form_parts import FormParts

        return FormParts(self.stream, self.head.field("content-type") or "", self.limits)

    @property
    def body(self) -> bytes:
        """The content as bytes. Raises ContentTooLarge (413) for more than ``limits.memory`` bytes; use ``stream`` to
        read larger bodies in chunks.
        """
        return self._whole(self.limits)

    def _whole(self, limits: Limits, is_json: bool = False) -> bytes:
        content = self._content
        if type(content) is bytes:
            size = len(content)
            if size <= limits.memory and size <= limits.body and (not is_json or size <= limits.json):
                return content
        elif self.content.data is None:
            if not self.head.has_body:
                return b""
            self.load()
        return read_whole(self.content, limits, is_json=is_json)

    def _not_loaded(self) -> Exception:
        """Return the error for code that reads a body on an event loop before it has arrived."""
        route = self.route
        return not_loaded(self.content, route.handled_by, "" if route is NO_ROUTE else route.receive)

    @lazy
    def text(self) -> str:
        """The content as text in its declared charset, or UTF-8. Bytes that can't be decoded become U+FFFD."""
        return decode_text(self.body, self.charset)

    @lazy
    def form(self) -> MultiDict[str]:
        """The named fields of a urlencoded or multipart form, without its files; empty for any other body.

        If several fields have the same name, the last is read; ``form.getall(name)`` returns all. Reading a missing
        name with ``[]`` raises a KeyError that becomes a 400; if the body is JSON, the error explains that. Raises
        ContentTooLarge (413) beyond a limit, and BadRequest (400) for malformed parts.
        """
        fields = urlencoded_fields_of(self)
        if fields is not None:
            return multidict_of(fields)
        if self.mimetype == FORM_DATA:
            return self._form_data.fields
        content_type = self.content_type
        return NoForm() if content_type is not None and content_type.is_json else MultiDict()

    @lazy
    def files(self) -> "MultiDict[Upload]":
        """The files of a form (multipart/form-data), by the names of their fields; empty for any other body.

        If no file was chosen for a field, its upload is falsy. For a missing field, ``files[name]`` raises a KeyError
        that becomes a 422. Raises the same errors as ``form``.
        """
        return self._form_data.files if self.mimetype == FORM_DATA else Files()

    @lazy
    def _form_data(self) -> "FormData":
        content, limits = self.content, self.limits
        if content.data is None:
            self.load()
        else:
            content.check_size(limits)
        data = content.form(self._declared_type, limits, self.charset)
        vars(self)["form"] = data.fields  # for code that has read the files first
        return data

    @lazy
    def json(self) -> Any:
        """The content, decoded from JSON. Reading a missing name with ``[]`` raises a KeyError that becomes a 400.

        Raises UnsupportedMediaType (415) unless the content type is JSON, ContentTooLarge (413) above ``limits.json``
        bytes, and BadRequest (400) for malformed JSON, and for more names that are repeated in an object than
        ``limits.json_repeats``. Otherwise, the last value with a name is used.
        """
        limits = self.limits
        try:
            value = json_decoder()(self._json_body(limits), limits.json_depth)
        except HTTPError as error:
            raise refused_json(error) from None
        return JSONObject(value) if type(value) is dict else value

    def _json_body(self, limits: Limits) -> bytes:
        declared = self.head.field("content-type")
        if declared != JSON:  # nearly all JSON is declared this way
            content_type = self.content_type
            if content_type is None or not content_type.is_json:
                raise wrong_type(JSON, declared, (JSON,))
        content = self._content
        if type(content) is bytes and len(content) <= limits._plain_json:
            return content
        body = self._whole(limits, True)
        if limits.json_repeats is not NO_BOUND:
            from antiphon.serialization.json import check_repeats

            check_repeats(body, limits)
        return body

    json_as = readings.json_as
    patched = readings.patched
    form_as = readings.form_as
    values_as = readings.values_as

    # Context

    _dependencies: dict[ReadableDependency[Any], Any] = _NO_DEPENDENCIES

    def __getitem__(self, dependency: ReadableDependency[T], /) -> T:
        """Return the value of a dependency, computed on first read.

        If nothing provides the dependency, raises a RuntimeError that shows the fix.
        """
        values = self._dependencies
        if dependency not in values:
            if not isinstance(dependency, Dependency):
                _refuse_dependency(dependency)
            read = self.route.dependencies.read(dependency, self)
            # As in ``__setitem__``, without its call.
            if self._dependencies is _NO_DEPENDENCIES:
                self._dependencies = {}
            self._dependencies[dependency] = read
            return read
        value: T = values[dependency]
        return value

    def __setitem__(self, dependency: Dependency[T], value: T, /) -> None:
        """Set the value of a dependency. Raises TypeError for anything but a dependency."""
        if not isinstance(dependency, Dependency):
            _refuse_dependency(dependency)
        if self._dependencies is _NO_DEPENDENCIES:
            self._dependencies = {}
        self._dependencies[dependency] = value

    def __contains__(self, dependency: Dependency[Any], /) -> bool:
        """Return True if a dependency has been read or set."""
        return dependency in self._dependencies

    __iter__: None = None
    """None, because a class with ``__getitem__`` would otherwise be iterable."""

    @property
    def endpoint(self) -> str | None:
        """The name of the matching route, such as ``shop.item``; None if no named route matches."""
        return self.route.name or None

    @property
    def blueprint(self) -> str | None:
        """The name of the route's blueprint, prefixed with the names of the enclosing blueprints: "shop.admin"."""
        return self.route.blueprint

    @property
    def app(self) -> Any:
        """The application that handles this request; None if there is none."""
        return self.route.app

    url_for = url_for_route
    _urls: Any = None
    """The URLs of the ``Views`` that handle this request in another framework's application."""

    @lazy
    def g(self) -> "Globals":
        """A namespace for values that the application's code shares about this request: ``"user" in request.g``."""
        return Globals()

    @property
    def id(self) -> str:
        """A random id for this request in log lines and error pages: 32 hexadecimal digits."""
        if isinstance(self.head, DerivedHead):  # such as a watched head
            note_read(self, Reads.REQUEST_ID)
        return self._id

    @id.setter  # noqa: A003 - the property, not the builtin
    def id(self, value: str) -> None:
        vars(self)["_id"] = value

    @lazy
    def _id(self) -> str:
        """The id, for log lines and other uses that don't make the response depend on it."""
        return lifetimes.new_id()

    @property  # not kept: it refers to the request, also after its end
    def caller(self) -> "Caller":
        """The caller: who sent this request, what has proven it, and what the request only claims."""
        return Caller(self)

    @property
    def lifetime(self) -> Lifetime:
        """How long this request is needed: the seconds left until its deadline, and the events that end it early."""
        lifetime = getattr(self, "_lifetime", None)  # in a slot: a ``__dict__`` takes 350 bytes
        if lifetime is None:
            lifetime = self._lifetime = Lifetime(self.head, self.after_response)
        return lifetime

    def send_early_hints(self, *links: Link) -> None:
        """Send links to the client now, before there is a response: 103 Early Hints (RFC 8297).

        A browser fetches them while the handler works. Call this without ``await``, in ``def`` and ``async def``
        handlers and in middleware, but not on other threads or in other tasks; it does not block. Links are dropped if
        the server can't send them, for HTTP/1.0 clients, once the response has begun, and beyond 8 KiB per request.
        They don't replace the Link header: set ``response.links``, too. Raises TypeError for anything but a ``Link``.
        """
        for link in links:
            if not isinstance(link, Link):
                raise explained("bad-http-value", f"an early hint must be a Link, not {type(link).__name__}", TypeError)
        self.head.send_early_hints(map(str, links))

    @property
    def _outermost(self) -> "Request":
        """The request as the outermost application receives it."""
        return self if self._outer_request is None else self._outer_request._outermost

    after_commit = lifetimes.after_commit

    def after_response(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[P, T]:
        """Call a function with the arguments once the server has accepted the response's last byte.

        A sync function is called on a thread, an async one on the loop; if either returns a coroutine, it is awaited.
        You can use this as a decorator. Raises TypeError for anything that isn't callable, such as the result of a
        call.
        """
        check_effect(self, "request.after_response")
        called: Callable[[], object] = deferrable("after_response", function, *args, **kwargs)
        if (app := self.app) is not None:
            called = app._as_work(called)
        if self._outer_request is None:
            self._deferred += (called,)
        else:
            self._outer_request.after_response(called)
        return function

    def _defer_end(self, function: Callable[[], object]) -> None:
        """Call a function before those passed to ``after_response``, and after those passed to ``_defer_first``."""
        first = self._deferred_first
        self._deferred = (*self._deferred[:first], function, *self._deferred[first:])

    def _defer_first(self, function: Callable[[], object]) -> None:
        """Call a function before those passed to ``after_response``, and after those passed to this method earlier."""
        self._defer_end(function)
        self._deferred_first += 1

    def on_response(self, function: AfterHook) -> AfterHook:
        """Call a function with this request and its response, before the application's ``after_request`` hooks.

        The function may be ``def`` or ``async def``. A response that it returns replaces the original one. Usable as a
        decorator.
        """
        self._after_hooks += (function,)
        return function

    def copy(self) -> Self:
        """Return a copy of the message: head, body and limits, without the route, dependencies or hooks."""
        return copy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (RequestHead.of(self.head), self.body), (None, {"_own_limits": (NO_ROUTE, self.limits)})

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path!r}>"


_TEMPLATE = Request.blank(body=None)  # type: ignore[arg-type]
_TEMPLATE.head = Request  # type: ignore[assignment]  # where ``like`` sets the head
new_request: Callable[[Head, Any], Request]
"""Make a request from its head and ``NO_BODY``: in C in half the time of its class."""
new_request, NO_BODY = (like, _TEMPLATE) if IS_COMPILED else (Request, None)


def _refuse_dependency(dependency: object) -> None:
    check_dependency(
        dependency, "request[...]", 'make one, Tenant = Dependency[str]("tenant"), or set an attribute of request.g'
    )


if sys.flags.dev_mode:
    refuse_unknown_attributes(Request)
