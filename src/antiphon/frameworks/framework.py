"""The parts of a framework that a view for all frameworks needs: its request, and its form of a response."""

from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping
from contextvars import copy_context
from copy import copy
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar
from weakref import ref

from antiphon.adapters.foreign.call import AsyncBody, BlockingBody
from antiphon.explanations import explained
from antiphon.frameworks.connection import plain_head
from antiphon.handler.failures import error_told, failed
from antiphon.http.errors import HTTPError, http_error
from antiphon.http.head import Head, server_head
from antiphon.http.headers import HOP_BY_HOP
from antiphon.http.limits import Limits
from antiphon.lazy import class_if_imported, require_names
from antiphon.request.interfaces import FrameworkValues
from antiphon.request.request import Request
from antiphon.request.shared_caches import refuse_late_reads, tell_shared_caches
from antiphon.request.watching import Reads, note_in_head
from antiphon.response.message import Body
from antiphon.response.response import Response


class FrameworkResponse(NamedTuple):
    """The response to a request: a body as bytes, or a stream that must be iterated or closed."""

    status: int
    fields: list[tuple[str, str]]
    """The header fields, with lowercase names, including Content-Length if it is known."""
    body: bytes | BlockingBody | AsyncBody
    request: Request

    @property
    def is_streamed(self) -> bool:
        """True if the body comes in chunks."""
        return not isinstance(self.body, bytes)

    @property
    def response(self) -> Response:
        """This response as a ``Response``, which is a WSGI and ASGI application."""
        made = Response(None, self.status, self.fields)
        made.body = self.body
        return made


def framework_response(request: Request, response: Response, on_loop: bool) -> FrameworkResponse:
    """Return a response for a request, with conditions applied, and without a body for HEAD.

    ``on_loop`` is True if a stream will be read on an event loop. Functions passed to ``request.after_response`` are
    called when the body has been closed.
    """
    if response.is_conditional:
        response = copy(response).make_conditional(request)
    status, fields, length, body, is_silent, may_be_stored = response._message(request.head.method)
    if may_be_stored:
        fields = tell_shared_caches(request, fields)
    sent = [field for field in fields if field[0] not in HOP_BY_HOP]
    if length is not None:
        sent.append(("content-length", str(length)))
    if request._view is not None and (told := request._view.before_body):
        body = _after(told, body) if isinstance(body, bytes) else body
        request.after_response(lambda: [*_after(told, b"")])  # of a body that isn't read
    if isinstance(body, bytes) and not request._deferred:
        return FrameworkResponse(status, sent, b"" if is_silent else body, request)
    body = body if is_silent else refuse_late_reads(request, body, fields)
    return FrameworkResponse(status, sent, _finishing(request, body, is_silent, on_loop), request)


_FIELDS = "headerlist", "processed_headers", "encode_headers", "get_headers", "headers"
"""The attributes or methods with the header fields of frameworks' responses and exceptions. The first is complete."""
_CONTENT = "body_iterator", "iterator", "text", "body"
"""The attributes with the content of their responses."""


def _first_of(given: Any, names: Iterable[str]) -> Any:
    found = next((value for name in names if (value := getattr(given, name, None)) is not None), ())
    return found() if callable(found) else found


def _pairs(fields: Any) -> list[tuple[str, str]]:
    """Return the names and values of header fields, without the length of a content that is not yet sent."""
    found = [*(fields.items() if hasattr(fields, "items") else fields)]
    texts = [(str(name, "latin-1"), str(value, "latin-1")) if isinstance(name, bytes) else (name, value)
             for name, value in found]  # fmt: skip
    return [field for field in texts if field[0].lower() != "content-length"]


def _after(told: list["Ended"], body: bytes) -> Iterator[bytes]:
    """Yield a body after telling functions that everything around the view has ended."""
    while told:
        told.pop()(None)
    yield body


def _finishing(request: Request, body: Body, is_silent: bool, on_loop: bool) -> BlockingBody | AsyncBody:
    chunks: Iterable[Any] | AsyncIterable[Any] = iter([body]) if isinstance(body, bytes) else body
    if on_loop:
        kind = _SilentAsyncBody if is_silent else _ClosableAsyncBody
        return kind(request, chunks, copy_context())
    return (_SilentBody if is_silent else BlockingBody)(request, chunks, copy_context())


def stop_watching(request: Request) -> None:
    """End the task that waits for the client's disconnect, if there is one, once the response has been sent."""
    watch = getattr(server_head(request.head), "watch", None)
    if watch is not None:
        watch.cancel()


class _ClosableAsyncBody(AsyncBody):
    async def aclose(self) -> None:
        """Close the body and stop watching the client."""
        await super().aclose()
        stop_watching(self._request)

    async def close(self) -> None:
        """Close the body. Some frameworks await this method."""
        await self.aclose()


class _SilentBody(BlockingBody):
    """A body that is not sent."""

    def __next__(self) -> bytes:
        self.close()
        raise StopIteration


class _SilentAsyncBody(_ClosableAsyncBody):
    """A body that is not sent."""

    async def __anext__(self) -> bytes:
        await self.aclose()
        raise StopAsyncIteration


DEFAULTS = Limits()
T = TypeVar("T")


@lru_cache(maxsize=64)
def tighter(own: Limits, limits: Limits) -> Limits:
    """Return limits lowered to a framework's own limits where those are lower."""
    lower = {name: bound for name, bound in own.given.items() if bound < getattr(limits, name)}
    return Limits(**lower).within(limits) if lower else limits  # type: ignore[arg-type]


Ended: TypeAlias = Callable[[BaseException | None], object]
"""A function that is told of an end, and of the error that has caused it, if any. It may block."""


class FrameworkRequest(FrameworkValues):
    """A framework's request and its visitor."""

    __slots__ = ("_framework", "_given", "before_body", "head")

    head: Head
    """The head that records what is read here."""

    def __init__(self, framework: "Framework", given: Any) -> None:
        self._framework = framework
        self.before_body: list[Ended] = []
        """The functions to call when the server reads the response, since the framework then has ended the rest."""
        self._given = ref(given) if framework.keeps_request else lambda: given

    def at_end(self, function: "Ended") -> None:
        """Call a function when the framework has ended what surrounds the view, with the error that has ended it."""
        if not self._framework.at_end(self._request, function):
            self.before_body.append(function)

    @property
    def request(self) -> Any:
        """The framework's own request."""
        note_in_head(self.head, Reads.EVERYTHING)
        return self._request

    @property
    def _request(self) -> Any:
        if (given := self._given()) is None:
            raise explained("request-is-gone", "the framework's request has ended and no longer exists", RuntimeError)
        return given

    @property
    def user(self) -> Any:
        """The framework's own user, if it is authenticated."""
        note_in_head(self.head, Reads.USER)
        user = self._framework.user(self._request)
        return user if getattr(user, "is_authenticated", True) else None

    @property
    def session(self) -> MutableMapping[str, Any] | None:
        """The framework's own session."""
        note_in_head(self.head, Reads.SESSION)
        return self._framework.session(self._request)

    @property
    def _user_id(self) -> object:
        return self._framework.user_id(self._request)

    @property
    def _login_fields(self) -> tuple[str, ...]:
        return tuple(f"cookie {name}" for name in self._framework.login_cookies(self._request))

    @property
    def csrf_token(self) -> str | None:
        """The framework's own token."""
        note_in_head(self.head, Reads.SESSION)
        return self._framework.csrf_token(self._request)

    @property
    def csrf_field(self) -> str | None:
        """The name of the framework's own field."""
        return None if self.csrf_token is None else self._framework.csrf_field(self._request)


class ViewRoute(NamedTuple):
    """A view that ``Views`` adds to an application, with its path in the framework's own syntax."""

    path: str
    name: str
    """A name for the framework's own reverse routing: letters, digits and underscores."""
    view: Callable[..., Any]

    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    """The methods that the view is registered for. For methods that it doesn't support, it returns a 405."""


async def _outcome(function: Callable[[], Coroutine[Any, Any, T]]) -> T | Exception:
    """Return the error of a coroutine, which raised through its task would refer to the task, and the task to it."""
    try:
        return await function()
    except Exception as error:
        return error


class Framework:
    """The requests and responses of one framework. Subclass it to support another framework.

    Antiphon finds the subclass through an entry point in the ``antiphon.frameworks`` group. The entry's name is the
    package of the framework's classes, as in ``shopkit = "shopkit_antiphon:Shopkit"``. A single instance is created.
    """

    above = ""
    """The package that contains the framework's own, with a dot, for a dialect; otherwise empty."""

    is_async = False
    """True if the framework calls views on an event loop."""

    @staticmethod
    @lru_cache(maxsize=64)
    def own_limits(**bounds: int | None) -> Limits:
        """Return limits with these bounds; None means no bound. Cached, because a framework's bounds rarely change."""
        return Limits(**bounds)

    awaits_coroutine_functions = False
    """True if the framework awaits the result of a view that looks like an ``async def``."""

    needs_async_views = False
    """True if the framework has an event loop, and refuses a ``def`` as a view or can't let it receive the body."""

    calls_on_threads = False
    """True if the framework has a loop but calls ``def`` views on threads, where they can receive the body."""

    keeps_request = False
    """True if the framework's request refers to Antiphon's, which then refers to it weakly."""

    parameters: ClassVar[tuple[str, str]] = ("<{}>", "<path:{}>")
    """The framework's syntax for a path parameter, and for a parameter that spans several segments."""

    encoded_spans = False
    """True if a parameter that spans several segments is passed as sent and must be decoded."""

    gives: ClassVar[frozenset[str]] = frozenset()
    """The values of ``request.framework`` that the framework can provide: "user", "session", "csrf_token"."""

    fills_response = False
    """True if a view gets its response as the argument after the request and fills it."""

    relied_on: tuple[str, ...] = ()
    """Undocumented attributes that each request must have. If one is missing, the body would be read incorrectly."""

    seen_in = ("", "")
    """The package, and its newest release series that is known to have these attributes."""

    def owns(self, given: Any) -> bool:
        """Return True for a request, False for any other object of the framework, such as its response."""
        return True

    def runs_on_loop(self, given: Any) -> bool:
        """Return True if the view for this request is called on an event loop."""
        return self.is_async

    def request(self, given: Any, second: Any = None) -> Request:
        """Return a request made from the framework's request. Raises NotImplementedError unless a subclass defines
        it.
        """
        raise NotImplementedError

    def limits(self, given: Any) -> Limits | None:
        """Return those of the framework's own limits that it doesn't check before calling a view, or None if there are
        none.
        """
        return None

    def respond_to_errors(self, given: Any) -> None:
        """Make the framework handle Antiphon's errors in its own views, if its app can have error handlers."""

    def error_response(self, error: HTTPError, given: Any) -> Any:
        """Return the response to an error as the framework's own response. ``given`` is the framework's request."""
        request = self.request(given)
        response = failed(request, error)
        response.error = None  # the framework knows it
        return self.response(framework_response(request, response, self.runs_on_loop(given)), given)

    plain_head = staticmethod(plain_head)

    async def aload(self, given: Any, request: Request) -> None:
        """Load the body, on an event loop."""
        if request.head.has_body:
            await request.aload()

    @property
    def receives_bodies(self) -> bool:
        """True if the framework receives bodies itself, so that a view must first await ``aload``."""
        return type(self).aload is not Framework.aload

    def bounded_request(self, given: Any, second: Any = None, limits: Limits = DEFAULTS) -> Request:
        """Return the request, subject to the given limits and to the framework's own."""
        if self.relied_on:
            require_names(*self.seen_in, given, *self.relied_on)
        request = self.request(given, second)
        request.framework = native = self.native(given)
        if isinstance(native, FrameworkRequest):
            native.head = request.head
            request._view = native
        own = self.limits(given)
        if own is not None:
            limits = tighter(own, limits)
        if limits is not DEFAULTS:
            request.limits = limits
        return request

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of the route, except those that the framework passes to the view."""
        return {}

    def native(self, given: Any) -> FrameworkValues:
        """Return the framework's data about the visitor, which is read on access."""
        return FrameworkRequest(self, given)

    def user(self, given: Any) -> Any:
        """Return the framework's own user, or None."""
        return None

    def user_id(self, given: Any) -> object:
        """Return what distinguishes the framework's own user from others, or None for the user's ``pk`` or ``id``."""
        return None

    def login_cookies(self, given: Any) -> Iterable[str]:
        """Return the names of the cookies that the framework has found its own user by, if any."""
        return ()

    def session(self, given: Any) -> MutableMapping[str, Any] | None:
        """Return the framework's own session, or None."""
        return None

    def csrf_token(self, given: Any) -> str | None:
        """Return the token that the framework expects in forms, or None."""
        return None

    def csrf_field(self, given: Any) -> str | None:
        """Return the name of the form field for the token, or None if there are no tokens."""
        return None

    def literal(self, text: str) -> str:
        """Return the text of a path in the framework's syntax.

        Raises ValueError for characters that have a special meaning in that syntax.
        """
        if not text.isascii() or not {*text}.isdisjoint("<>{}*:()^$+?[]|\\"):
            raise explained("bad-path", f"the path of a view must be plain text and parameters, not {text!r}")
        return text

    raises: ClassVar[tuple[tuple[Any, ...], ...]] = ()
    """The exceptions for which the framework itself has responses, such as its own 404: the module and the name of
    each, its status or the attribute that has it, and the attribute with its text for the client.
    """

    def _raised(self, error: object) -> tuple[Any, ...]:
        """Return the row of an exception among those that the framework ``raises``; an empty one for others."""
        for each in self.raises:
            kind = class_if_imported(self.above + each[0], each[1])
            if kind is not None and isinstance(error, kind):
                return each
        return ()

    def has_response_to(self, error: Exception) -> bool:
        """Return True for an exception that is left to the framework, because it is one of those it ``raises``."""
        return bool(self._raised(error))

    def told(self, error: Any) -> HTTPError | Response | None:
        """Return what an exception that the framework ``raises`` tells a client: an error, or a response such as a
        redirect; None for an internal failure.
        """
        status, text = (*self._raised(error)[2:], "status_code", "")[:2]
        if isinstance(status, str):
            status = getattr(error, status, None)
        if status is None or status < 400:
            return self.returned(error)
        detail, fields = getattr(error, text, None), _pairs(_first_of(error, _FIELDS))
        if detail and not isinstance(detail, str):
            return Response.json({"detail": detail}, status, fields)
        kept = [(name, value) for name, value in fields if not name.lower().startswith("content-")]
        return None if status == 500 else http_error(status, detail or None, headers=kept)

    def returned(self, given: Any) -> Response:
        """Return one of the framework's own responses as a ``Response``."""
        status = getattr(given, "status_code", None) or given.status
        fields = _pairs(_first_of(given, _FIELDS))
        cookies: Any = getattr(given, "cookies", None)  # as the standard library's, or among the fields
        if hasattr(cookies, "values"):
            fields += [("set-cookie", each.OutputString()) for each in cookies.values()]
        return Response(self.content(given), status, fields)

    def content(self, given: Any) -> Any:
        """Return the content of one of the framework's own responses: text, bytes or chunks."""
        return _first_of(given, _CONTENT)

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception | None:
        """Return the exception that the view raises, so that the framework learns of an error, and rolls back; prepare
        the framework to send this response to it. None if nothing can surround a view: it then returns the response.
        """
        return None

    def raise_error(self, error: BaseException | None, response: FrameworkResponse, given: Any) -> None:
        """Raise the error of a response, if there is one, for the framework, which then sends this response."""
        if error is None:
            return
        told: Any = error_told(error)
        raised: Any = None
        try:
            raised = told if self.has_response_to(told) else self.failure(given, told, response)
            if raised is not None:
                raise raised from (error.__cause__ if raised is error else error)
        finally:
            del error, told, raised  # their frames refer to this one

    def at_end(self, given: Any, function: Ended) -> bool:
        """Return True if the framework will tell the function when everything around the view has ended, such as a
        transaction. Otherwise it is told when the server reads the response, which the framework then has let pass.
        """
        return False

    FAILED = "antiphon.failed"

    def keep_response(self, kept: MutableMapping[str, Any], error: Exception, response: Any) -> None:
        """Keep the response to an error until the framework asks for it, in a dictionary of its request."""
        kept[self.FAILED] = error, response

    @classmethod
    def take_response(cls, kept: MutableMapping[str, Any], error: object) -> Any:
        """Return the response to an error that a view has raised, once; None for any other error."""
        return kept.pop(cls.FAILED)[1] if kept.get(cls.FAILED, (cls,))[0] is error else None

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application. Raises NotImplementedError for a framework without applications."""
        raise NotImplementedError

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return the framework's own response. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    def current(self) -> Any:
        """Return the current request, for a framework that doesn't pass it to views; None if there is no request."""
        return None

    def check_awaits(self) -> None:
        """Check that the framework awaits the coroutine of a view that looks like a ``def`` and is called on a loop.

        Raises TypeError with the fix if it doesn't.
        """

    def run_on_loop(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the server's loop, from a thread that works for it. Raises RuntimeError on other
        threads.
        """
        import anyio.from_thread

        result: T | Exception = anyio.from_thread.run(_outcome, function)
        try:
            if isinstance(result, Exception):
                raise result
            return result
        finally:
            del result  # an error refers to this frame
