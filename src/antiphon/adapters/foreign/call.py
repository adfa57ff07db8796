"""Asking an application: any of them, of ours, WSGI or ASGI, called as a function from a request to a response.

What is asked is a request of its own, with the same head and body: the caller's keeps its route, places and hooks.
"""

from contextvars import copy_context
from copy import copy
from typing import TYPE_CHECKING, cast

from antiphon.adapters.foreign.asked_body import AsyncBody, BlockingBody, in_context
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.adapters.servable import Servable, check_interface, spoken_by
from antiphon.concurrency.loop import is_on_loop
from antiphon.handler.contract import ON_LOOP, ON_THREAD, finish
from antiphon.handler.drive import driven, run_sync
from antiphon.http.derived_head import DerivedHead
from antiphon.http.head import Head
from antiphon.request.request import Request
from antiphon.response.applications import Application, ASGIApplication, Interface
from antiphon.response.message import Stream
from antiphon.response.response import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def get_response(application: Application, request: Request, interface: Interface | None = None) -> Response:
    """``Request.get_response``."""
    check_interface(interface)
    _refuse_on_a_loop()
    if request.head.has_body:
        request.content.load_on_thread(request.limits)
    asked = _asked(request, blocks=True)
    if isinstance(application, Servable):
        application.start_on_thread()
    context = copy_context()
    try:
        response = run_sync(_answer(application, asked, interface), context)
    except BaseException:
        run_sync(finish(asked), context)
        raise
    if isinstance(response.body, bytes):
        run_sync(finish(asked), context)
        return response
    return _with_body(response, BlockingBody(asked, response.body, context))


async def aget_response(application: Application, request: Request, interface: Interface | None = None) -> Response:
    """``Request.aget_response``."""
    check_interface(interface)
    if request.head.has_body:
        await request.load()
    asked = _asked(request, blocks=False)
    if isinstance(application, Servable):
        await application.start()
    context = copy_context()
    try:
        response = await in_context(context, driven(_answer(application, asked, interface)))
    except BaseException:
        await in_context(context, driven(finish(asked)))
        raise
    if isinstance(response.body, bytes):
        await in_context(context, driven(finish(asked)))
        return response
    return _with_body(response, AsyncBody(asked, response.body, context))


def _refuse_on_a_loop() -> None:
    if is_on_loop():
        raise RuntimeError("get_response() would block this event loop: await aget_response() instead")


class AskedHead(DerivedHead):
    """The head of a request whose body is there already; where it is answered may block, or wait."""

    def __init__(self, inner: Head, has_body: bool, blocks: bool) -> None:
        super().__init__(inner)
        self._has_body = has_body
        self._blocks = blocks

    @property
    def blocks(self) -> bool:
        """Whether the request is answered on a thread."""
        return self._blocks

    @property
    def has_body(self) -> bool:
        """Whether there is any content."""
        return self._has_body


def _asked(request: Request, blocks: bool) -> Request:
    size = request.content.size
    head = AskedHead(request.head, size > 0, blocks)
    return Request(head, request.content.share(head) if size else b"")


async def _answer(application: Application, request: Request, interface: Interface | None) -> Response:
    """The steps that ask, wherever they are driven."""
    if isinstance(application, Servable):
        return await application.handle(request)
    if (interface or spoken_by(application)) == "wsgi":
        await ON_THREAD
        return from_wsgi(cast("WSGIApplication", application))(request)
    from antiphon.adapters.foreign.asgi import from_asgi

    await ON_LOOP
    return await from_asgi(cast(ASGIApplication, application))(request)


def _with_body(response: Response, body: Stream) -> Response:
    """The response, which the application may share, with a body in place of its own."""
    response = copy(response)
    response.body = body
    return response


class Served(Servable):
    """A response as an application, which gives it in answer to every request."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._started = True  # there is nothing to start up
        self._response = response

    async def handle(self, request: Request) -> Response:  # noqa: ARG002 - all are answered the same
        """Give the response."""
        return self._response


def serve_response(response: Response) -> Served:
    """An application that answers by this response."""
    return Served(response)
