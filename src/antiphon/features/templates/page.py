"""Pages: what handlers return to have a template rendered for the request."""

from collections.abc import Awaitable
from typing import Any, cast

from antiphon.concurrency.loop import is_on_loop
from antiphon.features.templates.feature import RequestTemplates
from antiphon.features.templates.streaming import astream_of, stream_of
from antiphon.http.conditional import READING
from antiphon.http.errors import HTTPError
from antiphon.http.headers import HeaderFields
from antiphon.request.request import Request
from antiphon.response.response import Response


class Page:
    """A page of a template, as handlers return it: ``return Page("note.html", note=note)``.

    ``data`` are the variables of the template. It is rendered where the handler runs; with
    ``Templates(enable_async=True)``, that of an ``async def`` handler may await. A page that answers GET has an ETag,
    made from its text, by which a client that has it already is answered with 304. With ``stream`` it is sent while it
    is rendered, without one. An error in the template is that of the handler, named in a note; in a stream it breaks
    the page off, unless it comes before the first chunk. Raises ValueError for a bad status.
    """

    __slots__ = ("_data", "_headers", "_status", "_stream", "_template")

    def __init__(
        self,
        template: str,
        /,
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        stream: bool = False,
        **data: Any,
    ) -> None:
        if status is not None:
            Response(None, status)  # a bad one is an error at the handler's own line
        self._template = template
        self._status = status
        self._headers = headers
        self._stream = stream
        self._data = data

    def __response__(self, request: Request) -> Response | Awaitable[Response]:
        """Render the page for a request. Raises what the template does."""
        templates = cast("RequestTemplates", request.templates)
        if templates.renderer.is_async and is_on_loop():
            return self._aresponse(templates, request)
        try:
            template, variables = templates.find(self._template), templates.variables(self._data)
            text = stream_of(template.generate(variables)) if self._stream else template.render(variables)
        except Exception as error:
            self._note(error, request)
            raise
        return self._made(templates, request, text)

    async def _aresponse(self, templates: RequestTemplates, request: Request) -> Response:
        try:
            template, variables = templates.find(self._template, is_async=True), templates.variables(self._data)
            if self._stream:
                return self._made(templates, request, await astream_of(template.generate_async(variables)))
            return self._made(templates, request, await template.render_async(variables))
        except Exception as error:
            self._note(error, request)
            raise

    def _made(self, templates: RequestTemplates, request: Request, body: Any) -> Response:
        kind = templates.content_type(self._template)
        response = Response(body, self._status, self._headers, content_type=kind)
        if not self._stream and request.method in READING and response.status == 200:
            response.add_etag()
            response.is_conditional = True
        return response

    def _note(self, error: Exception, request: Request) -> None:
        """Note on an error which handler's page it is, as no frame tells that."""
        if not isinstance(error, HTTPError):
            error.add_note(f"{request.route.answered_by} returned Page({self._template!r}, ...)")

    def __repr__(self) -> str:
        return f"<Page {self._template!r}>"
