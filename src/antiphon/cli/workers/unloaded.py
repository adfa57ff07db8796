"""The replacement for an application that can't be loaded: it shows the reason, on pages that refresh after a fix."""

from contextlib import suppress
from typing import NamedTuple

from antiphon.adapters.servable import Servable
from antiphon.cli.debug import report
from antiphon.cli.debug.mode import Viewers
from antiphon.cli.debug.page import HEADERS, page_of
from antiphon.cli.errors import BadCommand
from antiphon.cli.settings import ENV_FILE, add_to_environment
from antiphon.features.masking import Mask
from antiphon.handler.errors import PROBLEM
from antiphon.request.request import Request
from antiphon.response.response import Response

_UNSEEN = "The application can't be loaded. The server's terminal shows why."


class Report(NamedTuple):
    """The report about a failure: its text and, if there is one, its page.

    ``is_for_loopback`` is True if only this machine can connect. The report is then not shown to requests for other
    hostnames.
    """

    text: str
    page: str = ""
    is_for_loopback: bool = True

    def load(self, _: object) -> "Unloaded":
        """Return an application that shows the report."""
        with suppress(BadCommand):  # for masking secrets
            add_to_environment(ENV_FILE)
        return Unloaded(self)


class Unloaded(Servable):
    """An application that responds to every request with the report about a failure, as a page, JSON or plain text."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._set_started(True)  # nothing has to be started
        self._text = Mask().text(report.text)
        self._page = report.page.encode() or _page(self._text)
        self._viewers = Viewers(report.is_for_loopback)

    async def _handle(self, request: Request) -> Response:
        """Return the report."""
        if not self._viewers.may_see(request):
            return Response.text(f"{_UNSEEN}\n", 500, {"cache-control": "no-store"})
        match request.accept.best(["text/plain", "text/html", PROBLEM, "application/json"], "text/plain"):
            case "text/html":
                response = Response.html("", 500)
                response.body = self._page
            case "text/plain":
                response = Response.text(f"{self._text}\n", 500)
            case content_type:
                response = Response.json(_problem(self._text), 500)
                response.content_type = content_type
        response.headers.update(HEADERS)
        response.vary("accept")
        return response


def _page(text: str) -> bytes:
    message, _, details = text.partition("\n")
    failure = report.Failure("", "Not loaded", message.rstrip(":"), (details,) if details else (), (), (), 0)
    return page_of(report.Report((failure,), ()), refreshes=True)


def _problem(text: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": text}
