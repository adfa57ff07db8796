"""An application or a plan inside another one, which answers the same request."""

from collections.abc import Awaitable

from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps
from antiphon.request.request import Request
from antiphon.response.response import Response


async def run_nested(request: Request, steps: Steps[Response], may_block: bool) -> Response:
    """Take the steps of another plan from where requests begin: on a server's thread or loop.

    Steps that ``may_block`` can begin on a worker thread, too, unless they have a body to receive. The request is the
    current one again when they have ended, wherever that is.
    """
    if request.head.blocks:
        await ON_THREAD
    elif not may_block or (request.head.has_body and not request.content.is_complete):
        await ON_LOOP
    return await as_inner(request, steps)


async def as_inner(request: Request, steps: Awaitable[Response]) -> Response:
    """Await the response of another plan or application, which shares the body of a request and does not release it.

    The request is the current one again afterwards.
    """
    if not request.head.has_body:
        response = await steps
    else:
        content = request.content
        outermost = content.outermost
        content.outermost = outermost or request
        try:
            response = await steps
        finally:
            content.outermost = outermost
    set_current_request(request)
    try:
        return response
    finally:
        del response
