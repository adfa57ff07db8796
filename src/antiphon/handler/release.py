"""The end of a request with a body: what the body takes is freed, and a client that was refused is drained."""

from antiphon.body.content import Content
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.http.errors import ContentTooLarge
from antiphon.request.request import Request
from antiphon.response.response import Response


async def release(request: Request, response: Response, is_driven: bool) -> None:
    """Free what the body takes as soon as nobody can read it, and drain a body that was refused.

    These are steps, taken when the response is settled; those that nobody drives are on the server's loop.
    """
    if free(request, response):
        await drain(request, is_driven)


def free(request: Request, response: Response) -> bool:
    """Free what the body takes as soon as nobody can read it. Return True if the rest of it has to be drained.

    A body that an application around this one has, too, is left.
    """
    content = request.content
    if not response.is_streamed:
        content.end_waiting()
    if content.outermost is not None:
        return False
    _free(request, content, response)
    return not content.is_complete and _is_refused(response)


async def drain(request: Request, is_driven: bool) -> None:
    """Receive the rest of a body and forget it, in steps: many clients listen only when they have sent all."""
    if is_driven:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await request.content.discard()


def _free(request: Request, content: Content, response: Response) -> None:
    """Close the body now, or when the response has been sent: files of a form may be read until then.

    Where functions were left for then, the body is closed after them in any case.
    """
    if request._deferred:
        return
    if content.is_in_file or (content.has_uploads and response.is_streamed):
        request.after_response(content.close)
    elif content.has_uploads:
        content.close()  # to have it called at the end takes far longer


def _is_refused(response: Response) -> bool:
    """True where nobody is going to read the rest. A handler that streams its answer might, unless it is too large."""
    return response.status >= 400 and (not response.is_streamed or response.status == ContentTooLarge.status)
