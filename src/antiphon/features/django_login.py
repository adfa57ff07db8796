"""The users, messages and CSRF tokens of a Django project, in the app beside it: ``app.use(Users(DjangoLogin()))``."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from antiphon import App, Dependency, Request, Response, explained
from antiphon.embedding import OfRequest, errors_name_it, is_on_loop, make_environ
from antiphon.features import FlashMessage
from antiphon.features.html import Markup
from antiphon.features.logins import Begun, LoginSource
from antiphon.http import BadRequest
from antiphon.types import FlashMessages, Identity

T = TypeVar("T")
_GIVEN = Dependency[Any]("Django's request", fix="app.use(Users(DjangoLogin()))")


def _cannot_end_others() -> Exception:
    return explained(
        "store-cannot", NotImplementedError("Django ends a user's other sessions only when the password changes")
    )


@errors_name_it
class DjangoLogin(LoginSource[Any]):
    """A login in the session of a Django project, which the same process serves. Provisional.

        app.use(DjangoLogin())

    ``request.user`` is Django's user, or None, and ``login`` and ``logout`` are Django's own. ``request.flash`` has
    Django's messages, so either side shows what the other has queued, and forms for Django's views have
    ``csrf_input()`` in templates. Django's session, messages and CSRF cookie are sent with the response, as its own
    middleware does. Around each request, connections to databases that are broken or too old are closed. Call
    ``django.setup()`` first. If ``async def`` handlers read ``request.user``, add ``Users(..., blocking=True)``.
    """

    def __init__(self) -> None:
        super().__init__(_user_of)

    def install(self, app: App) -> None:
        """Provide ``request.flash`` and the template function ``csrf_input``, and register the middleware."""
        app.provide(_GIVEN, _made)
        app.provide(Request.flash, _Messages)
        app.template_context(csrf_input=_Input)
        app.around_work(_connections)
        app.around_work(_own_thread)
        app.middleware(blocking=True)(_as_django)

    def credentials(self, request: Request) -> tuple[Request] | None:
        """Return the request, if it has Django's session cookie."""
        from django.conf import settings

        return (request,) if settings.SESSION_COOKIE_NAME in request.cookies else None

    def note_use(self, request: Request) -> None:
        """Record that the response depends on the session's cookie."""
        request.consulted += ("cookie",)

    _is_sent_by_itself = True

    def _begin_login(self, request: Request, user: Any, begun: Begun, *, end_others: bool) -> None:  # noqa: ARG002
        from django.contrib.auth import login

        if end_others:
            raise _cannot_end_others()
        login(request[_GIVEN], user)

    def _end_login(self, request: Request, *, everywhere: bool) -> None:
        from django.contrib.auth import logout

        if everywhere:
            raise _cannot_end_others()
        logout(request[_GIVEN])

    def _identity(self, given: tuple[Any, ...], key: str | None) -> Identity | None:  # noqa: ARG002
        return None if key is None else Identity("user", key, ("cookie",))

    def _key_of(self, user: Any) -> str:
        return str(user.pk)


def _user_of(request: Request) -> Any:
    """Return the user of Django's session, or None."""
    user = request[_GIVEN].user
    return user if _where_the_orm_is(lambda: user.is_authenticated) else None


def _middleware() -> list[Any]:
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.messages.middleware import MessageMiddleware
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.middleware.csrf import CsrfViewMiddleware

    kinds = (SessionMiddleware, AuthenticationMiddleware, MessageMiddleware, CsrfViewMiddleware)
    return [kind(lambda given: given) for kind in kinds]


def _made(request: Request) -> Any:
    """Return Django's request, with its session, user and messages, which are read when they are used."""
    from django.core.handlers.wsgi import WSGIRequest

    request.consulted += ("cookie",)
    given = request.g.django_request = WSGIRequest(make_environ(request))
    for each in _middleware():
        each.process_request(given)
    return given


def _connections() -> Iterator[None]:
    """Close connections of this thread to databases before and after work, as Django does."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


async def _own_thread() -> AsyncGenerator[None]:
    """Give the ORM's calls of a task their own thread, as Django does, and close the connections of that thread."""
    from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
    from django.db import connections

    async with ThreadSensitiveContext() as context:
        try:
            yield
        finally:
            # Otherwise nothing has called that thread, or it belongs to the code around this.
            if context in getattr(SyncToAsync, "context_to_thread_executor", [context]):
                await sync_to_async(connections.close_all)()


def _where_the_orm_is(function: Callable[[], T]) -> T:
    """Call a function on the thread that the ORM has in this task, if it has one: on two threads, it would wait for a
    connection while it holds another.
    """
    from asgiref.sync import SyncToAsync

    if is_on_loop() or (task := SyncToAsync.thread_sensitive_context.get(None)) is None:
        return function()
    threads = SyncToAsync.context_to_thread_executor
    thread: Executor = threads.get(task) or threads.setdefault(task, ThreadPoolExecutor(max_workers=1))
    return thread.submit(copy_context().run, function).result()


def _as_django(request: Request) -> Generator[None, Response, None]:
    """Send the cookies that Django would send."""
    response = yield
    if "django_request" in request.g:
        _where_the_orm_is(partial(_add_cookies, request.g.django_request, response))


def _add_cookies(given: Any, response: Response) -> None:
    from django.contrib.sessions.exceptions import SessionInterrupted
    from django.http import HttpResponse

    sent = HttpResponse(status=response.status)
    try:
        for each in reversed(_middleware()):
            sent = each.process_response(given, sent) if hasattr(each, "process_response") else sent
    except SessionInterrupted as error:  # by a logout meanwhile
        raise BadRequest from error
    for cookie in sent.cookies.values():
        response.headers.add("set-cookie", cookie.OutputString())
    if "Vary" in sent.headers:
        response.vary(*sent.headers["Vary"].split(", "))


class _Messages(OfRequest, FlashMessages):
    """Django's messages, whose tags are the categories."""

    __slots__ = ()

    def __call__(self, message: object, category: str = "message") -> None:
        from django.contrib.messages import constants, get_messages
        from django.utils.safestring import mark_safe

        html = getattr(message, "__html__", None)
        text = mark_safe(html()) if html else str(message)  # noqa: S308 - it is markup
        level = {name: number for number, name in constants.DEFAULT_TAGS.items()}.get(category, constants.INFO)
        extra = "" if category in constants.DEFAULT_TAGS.values() else category
        storage: Any = get_messages(self._request[_GIVEN])
        storage.add(level, text, extra)

    def take(self, *categories: str) -> list[FlashMessage]:
        from django.contrib.messages import get_messages

        storage: Any = get_messages(self._request[_GIVEN])
        found = [(each, each.extra_tags or each.level_tag) for each in storage]
        taken = [(each, category) for each, category in found if not categories or category in categories]
        for each, _ in found:
            if (each, each.extra_tags or each.level_tag) not in taken:
                storage.add(each.level, each.message, each.extra_tags)
        return [FlashMessage(category, _text(each.message)) for each, category in taken]


def _text(message: Any) -> Any:
    return Markup(message) if hasattr(message, "__html__") else str(message)


class _Input(OfRequest):
    """The template function ``csrf_input``, with the token that Django's views accept."""

    def __call__(self) -> Markup:
        from django.middleware.csrf import get_token

        token = get_token(self._request[_GIVEN])
        return Markup(f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">')
