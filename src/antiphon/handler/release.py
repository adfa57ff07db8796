"""The end of a request with a body: the body's resources are freed, and a refused body is drained."""

from antiphon.body.content import Content
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.http.errors import ContentTooLarge
from antiphon.request.request import Request
from antiphon.response.response import Response


async def release(request: Request, response: Response, is_driven: bool) -> None:
    """Free the body's resources as soon as it can't be read any longer, and drain a body that was refused.

    These are steps, taken when the response is settled; those that are not driven run on the server's loop.
    """
    if free(request, response):
        await drain(request, is_driven)


def free(request: Request, response: Response) -> bool:
    """Free the body's resources as soon as it can't be read any longer. Return True if the rest of it has to be
    drained.

    A body that an application around this one also has is left.
    """
    content = request.content
    if not response.is_streamed:
        content.end_waiting()
    if content.outermost is not None:
        return False
    _free(request, content, response)
    return not content.is_complete and _is_refused(response)


async def drain(request: Request, is_driven: bool) -> None:
    """Receive the rest of a body and forget it, in steps: many clients listen only after they have sent everything."""
    if is_driven:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await request.content.discard()


def _free(request: Request, content: Content, response: Response) -> None:
    """Close the body now, or when the response has been sent: files of a form may be read until then.

    If functions are to be called then, the body is closed after them in any case.
    """
    if request._deferred:
        return
    if content.is_in_file or (content.has_uploads and response.is_streamed):
        request.after_response(content.close)
    elif content.has_uploads:
        content.close()  # calling it at the end takes far longer


def _is_refused(response: Response) -> bool:
    """True if the rest will not be read. A handler that streams its response might read it, unless it is too large."""
    return response.status >= 400 and (not response.is_streamed or response.status == ContentTooLarge.status)
