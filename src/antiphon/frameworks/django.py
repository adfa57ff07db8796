"""Support for Django, over WSGI and ASGI."""

from collections.abc import Iterable
from functools import cache, partial
from http.cookies import Morsel
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.wsgi import CHUNK, WSGIHead
from antiphon.body.content import Content
from antiphon.concurrency.iterables import BlockingChunks, ByteGenerator, aclose
from antiphon.concurrency.loop import running_loop
from antiphon.explanations import explained
from antiphon.frameworks.connection import by_cancellation
from antiphon.frameworks.framework import Ended, Framework, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import KEPT, encoded_form, never, refuse_reread, shared_input, whole_file
from antiphon.http.errors import BadRequest, HTTPError
from antiphon.http.head import DerivedHead, Head
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine


class DjangoHead(DerivedHead):
    """A head with the scheme and host that Django's settings allow and trust."""

    def __init__(self, inner: Head, given: Any) -> None:
        super().__init__(inner)
        self._given = ref(given)
        del self.receive  # for the method below: as an attribute, it would refer to this head

    @property
    def blocks(self) -> bool:
        """True, because Django provides a file over either interface."""
        return True

    @property
    def scheme(self) -> str:
        """The scheme according to SECURE_PROXY_SSL_HEADER."""
        given = self._given()
        return self.inner.scheme if given is None else given.scheme

    @property
    def authority(self) -> str:
        """The host according to USE_X_FORWARDED_HOST. Raises BadRequest (400) for a host not in ALLOWED_HOSTS."""
        given = self._given()
        if given is None:
            return self.inner.authority
        try:
            return given.get_host()  # type: ignore[no-any-return]  # Django's is text
        except Exception as error:  # Django's SuspiciousOperation
            raise BadRequest("This site does not serve this host.") from error

    @property
    def host_line(self) -> str | bytes | None:
        """The Host as received, or else the SERVER_NAME that Django uses instead, as in its tests."""
        given = self._given()
        return self.inner.host_line or (None if given is None else given.META.get("SERVER_NAME"))

    def receive(self) -> bytes:
        """Return the next chunk of the body, ``b""`` at its end."""
        given = self._given()
        return b"" if given is None else given.read(CHUNK)


class Django(Framework):
    """Support for Django, whose requests have their body in memory, or in a file that can be read once."""

    relied_on = "_read_started", "_stream"
    seen_in = "django", "6.1"
    awaits_coroutine_functions = True
    calls_on_threads = True
    keeps_request = True
    parameters = "<str:{}>", "<path:{}>"
    gives = frozenset({"user", "session", "csrf_token"})
    raises: ClassVar[tuple[tuple[Any, ...], ...]] = (
        ("django.http", "Http404", 404),
        ("django.core.exceptions", "PermissionDenied", 403),
        *(("django.core.exceptions", name, 400) for name in ("BadRequest", "SuspiciousOperation")),
        ("django.http.multipartparser", "MultiPartParserError", 400),
    )

    def user(self, given: Any) -> Any:
        """Return the user of AuthenticationMiddleware.

        Raises RuntimeError on an event loop if a database has to be read first, which Django refuses there.
        """
        user = getattr(given, "user", None)
        if user is not None and running_loop() is not None:
            from django.core.exceptions import SynchronousOnlyOperation

            try:
                getattr(user, "is_authenticated", None)  # loads the user, unless it is loaded
            except SynchronousOnlyOperation as error:
                raise explained(
                    "would-block-loop",
                    "Django can't load the user on an event loop: await request.framework.request.auser() instead"
                    " of request.framework.user",
                    RuntimeError,
                ) from error
        return user

    def login_cookies(self, given: Any) -> tuple[str, ...]:
        """Return the cookies of the session that belongs to the user. Other middleware may have found the user."""
        from django.conf import settings
        from django.contrib.auth import SESSION_KEY
        from django.core.exceptions import SynchronousOnlyOperation

        user, session = self.user(given), self.session(given)
        try:
            known = None if session is None else session.get(SESSION_KEY)
        except SynchronousOnlyOperation:  # a session that nobody has loaded, on an event loop
            return ()
        if user is None or known != str(user.pk):
            return ()
        return settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME

    def session(self, given: Any) -> Any:
        """Return the session of SessionMiddleware."""
        return getattr(given, "session", None)

    def csrf_token(self, given: Any) -> str:
        """Return the token for a form. The response gets the token's cookie."""
        from django.middleware.csrf import get_token

        return get_token(given)  # type: ignore[no-any-return]  # Django's is text

    def csrf_field(self, given: Any) -> str:
        """Return the name that Django always uses."""
        return "csrfmiddlewaretoken"

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to a list of URL patterns."""
        from django.urls import path

        app.append(path(route.path.removeprefix("/"), route.view, name=route.name))

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "get_host")

    def runs_on_loop(self, given: Any) -> bool:
        """Return True for a request over ASGI."""
        return hasattr(given, "scope")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request, with a body that Django has kept or provides once."""
        known = vars(given)
        if KEPT in known:
            return known[KEPT]  # type: ignore[no-any-return]  # only requests are kept there
        inner: Head = ASGIHead(given.scope, never) if hasattr(given, "scope") else WSGIHead(given.environ)
        head = DjangoHead(inner, given)
        if running_loop() is not None:
            inner.has_left = by_cancellation()  # type: ignore[attr-defined]  # the lifetime asks the server's head
        request = known[KEPT] = Request(head, _body_of(given, head) if head.has_body else b"")
        return request

    def limits(self, given: Any) -> Limits:
        """Return the limits in the upload settings. Files in a multipart form aren't included in the memory limit."""
        from django.conf import settings

        memory = "form" if given.content_type == "multipart/form-data" else "body"
        return self.own_limits(
            **{memory: settings.DATA_UPLOAD_MAX_MEMORY_SIZE},
            fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            files=settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        )

    def run_on_loop(self, function: "Callable[[], Coroutine[Any, Any, Any]]") -> Any:
        """Run a coroutine on the loop for which this thread works."""
        from asgiref.sync import async_to_sync

        return async_to_sync(function)()

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which middleware and signals also see. Each open transaction is rolled back."""
        _respond_to_exceptions()
        self.keep_response(vars(given), error, self.response(response, given))
        return error

    def at_end(self, given: Any, function: Ended) -> bool:
        """Tell the function after the commit of all open transactions, after a failure of the first commit, or now if
        none is open.
        """
        from django.db import connections, transaction

        opened = [each for each in connections.all(initialized_only=True) if each.in_atomic_block]
        waiting = [each.alias for each in opened if not any(block._from_testcase for block in each.atomic_blocks)]

        def end() -> None:
            vars(given).pop(_ENDED, None)  # whatever fails after the first commit, is not undone as a whole
            waiting.pop()
            if not waiting:
                function(None)

        for alias in [*waiting]:
            transaction.on_commit(end, using=alias)
        if waiting:
            _respond_to_exceptions()
            vars(given)[_ENDED] = function
        else:
            function(None)
        return True

    def content(self, given: Any) -> Any:
        """Return the content, rendered if it is a template, or the chunks of a stream, which close the response."""
        if given.streaming:
            return _closed(given.streaming_content) if given.is_async else BlockingChunks(given, _chunks_of)
        return (given.render() if hasattr(given, "render") else given).content

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Django response, which stores cookies separately from other header fields."""
        from django.http import HttpResponse, StreamingHttpResponse

        if not isinstance(response.body, bytes):
            made = StreamingHttpResponse(_closed(response.body) if hasattr(given, "scope") else response.body)
        else:
            made = HttpResponse(response.body)
        made.status_code = response.status
        made.headers.pop("Content-Type", None)
        for name, value in response.fields:
            if name == "set-cookie":
                _add_cookie(made.cookies, value)
            else:
                made.headers[name] = f"{made.headers[name]}, {value}" if name in made.headers else value
        return made


class RestFramework(Django):
    """Support for Django REST framework, whose exceptions Django itself doesn't know."""

    raises = (("rest_framework.exceptions", "APIException", "status_code", "detail"),)

    def told(self, error: Any) -> HTTPError | Response | None:
        """Return what an exception tells, by Django REST framework's own handler of exceptions."""
        from rest_framework.views import exception_handler

        response: Any = exception_handler(error, {})
        error.headers = response.headers  # where other frameworks' exceptions have them
        return super().told(error) if isinstance(error.detail, str) else self.returned(response)

    def returned(self, given: Any) -> Response:
        """Return a response, whose data is JSON unless a view has chosen another format."""
        from rest_framework.renderers import JSONRenderer

        if not hasattr(given, "accepted_renderer"):
            given.accepted_renderer, given.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
            given.renderer_context = {}
        return super().returned(given.render())


_ENDED = "antiphon.ended"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@cache
def _respond_to_exceptions() -> None:
    """Make Django send the response to an exception that a view has raised, after its middleware has seen it, or that
    its middleware has raised.
    """
    from django.core.handlers import exception as handlers
    from django.core.handlers.base import BaseHandler
    from django.core.signals import got_request_exception

    by_middleware, by_django = BaseHandler.process_exception_by_middleware, handlers.response_for_exception

    def response_to(request: Any, exception: Exception, sender: Any) -> Any:
        response = Framework.take_response(vars(request), exception)
        if response is not None and not isinstance(exception, HTTPError):
            got_request_exception.send(sender=sender, request=request)
        return response

    def process_exception_by_middleware(self: Any, exception: Exception, request: Any) -> Any:
        given = by_middleware(self, exception, request)
        if (ended := vars(request).pop(_ENDED, None)) is not None:
            ended(exception)
        return response_to(request, exception, type(self)) or given

    def response_for_exception(request: Any, exc: Exception) -> Any:
        return response_to(request, exc, None) or by_django(request, exc)

    BaseHandler.process_exception_by_middleware = process_exception_by_middleware
    handlers.response_for_exception = response_for_exception


class _SetCookie(Morsel[str]):
    """A cookie that Django sends as written."""

    line = ""

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802 - the standard library's name
        return self.line

    def output(self, attrs: Any = None, header: str = "", sep: str = "") -> str:
        return self.line


def _add_cookie(cookies: Any, line: str) -> None:
    name, _, rest = line.partition("=")
    morsel = _SetCookie()
    morsel.line = line
    key = name
    while key in cookies:  # cookies with the same name and different paths
        key += "'"
    cookies[key] = morsel
    morsel._key, morsel._value = name, rest.partition(";")[0]  # type: ignore[attr-defined]  # checked by Antiphon


def _body_of(given: Any, head: DjangoHead) -> bytes | Content:
    from django.conf import settings

    if isinstance(head.inner, WSGIHead) and not given.META.get("CONTENT_LENGTH"):
        return _unlengthened(given, head)
    known = vars(given)
    if "_body" in known:
        return known["_body"]  # type: ignore[no-any-return]  # Django's is bytes
    if known.get("_read_started") and given.content_type in _FORMS:
        return _form_of(given)
    if known.get("_read_started"):
        head.receive = partial(refuse_reread, "request.body")  # type: ignore[method-assign]
        return Content(head)
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = head.uncoded_length
    if most is None or (length is not None and length <= most):
        return given.body  # type: ignore[no-any-return]  # which Django keeps
    return Content(head)


def _unlengthened(given: Any, head: DjangoHead) -> Content:
    """Return a body without a Content-Length, and let Django read it too. Over WSGI, Django treats it as empty."""
    content = shared_input(given.environ)
    if content is None:
        head.receive = head.inner.receive  # type: ignore[method-assign,assignment]  # the server has it
        return Content(head)
    given._stream = given.environ["wsgi.input"]
    return content


def _form_of(given: Any) -> bytes:
    fields = [(name, value) for name, values in given.POST.lists() for value in values]
    files = [(name, _Named(file), whole_file(file)) for name, chosen in given.FILES.lists() for file in chosen]
    return encoded_form(given.META.get("CONTENT_TYPE", ""), fields, files)


class _Named:
    """A Django file with the name sent by the client."""

    def __init__(self, file: Any) -> None:
        self.filename = file.name
        self.content_type = file.content_type


def _chunks_of(source: Iterable[bytes]) -> ByteGenerator:
    yield from source


async def _closed(body: Any) -> "AsyncIterator[bytes]":
    """Iterate over a body and close it, because Django closes a generator only if it has started."""
    try:
        async for chunk in body:
            yield chunk
    finally:
        await aclose(body)
