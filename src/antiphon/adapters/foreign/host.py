"""Other frameworks' applications, served over every interface: the work around each request that all of them need."""

from typing import Any

from antiphon.adapters.heads import HeadChecks
from antiphon.adapters.servable import Servable
from antiphon.explanations import explained
from antiphon.handler.failures import failed
from antiphon.handler.scope import release, set_current_request
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.http.urls.path import check_path
from antiphon.request.readings import query_too_long
from antiphon.request.request import Request
from antiphon.response.response import Response


class Host(Servable):
    """Another framework's application. A subclass handles its requests in ``respond_to_request``.

    Before that, the host makes the request the current one, checks it and receives it, so slow clients don't occupy
    threads. An error is logged and becomes a response, and the body's resources are freed at the end. If a body is too
    large, too slow or cut off, the response has that error's status. A request with more than one Host, no Host or a
    malformed Host gets a 400.
    """

    request_limits = Limits()
    """The limits of requests; a subclass may have different ones."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Check that no class of another package overrides a method reserved for hosts. Raises TypeError."""
        super().__init_subclass__(**options)
        # Dialects are in the package, and override what they need to.
        if cls.__module__.partition(".")[0] != "antiphon":
            _check_own_names(cls)

    def __init__(self) -> None:
        super().__init__()
        self.head_checks = HeadChecks(self.request_limits.headers)
        """The checks of each request's head. For dialects that handle requests in ``_handle`` themselves."""

    async def respond_to_request(self, request: Request) -> Response:
        """Handle a request. ``await ON_THREAD`` comes before code that may block, and ``await ON_LOOP`` before anything
        else is awaited. If an overloaded worker may still refuse the request, it is ``await BEGIN_ON_THREAD``, which
        may raise NotBegun. An HTTPError becomes a response with its status, any other error a 500.

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError

    async def receive_body(self, request: Request) -> None:
        """Receive a request's whole body, if any, within its limits, before the request is handled.

        Raises the same errors as ``Request.load``.
        """
        await request.content.load(request.limits)

    def check_head(self, request: Request) -> None:
        """Check the head of a request.

        Raises BadRequest unless there is exactly one Host, and it and the path are well-formed. Raises URITooLong for a
        query that is too long, and RequestHeaderFieldsTooLarge for header fields that are too large.
        """
        check_path(request.head.path)
        self._check_host_and_sizes(request)

    def _check_host_and_sizes(self, request: Request) -> None:
        request.limits = limits = self.request_limits
        if error := self.head_checks.head_error(request.head):
            raise error
        if len(query := request.head.query_string) > limits.query:
            raise query_too_long(query, limits)

    async def _handle(self, request: Request) -> Response:
        """Handle a request and free its body."""
        set_current_request(request)
        try:
            self.check_head(request)
            if request.head.has_body:
                await self.receive_body(request)
            response = await self.respond_to_request(request)
        except BaseException as error:
            # The error leaves this method: nothing else frees the body.
            if not self._is_handled(error):
                request.content.close()
                raise
            response = failed(request, error)
        if request.head.has_body:
            await release(request, response, True)
        return response

    def _is_handled(self, error: BaseException) -> bool:
        return isinstance(error, HTTPError) or (isinstance(error, Exception) and not self.propagates_errors)

    @property
    def propagates_errors(self) -> bool:
        """False: an error that the application raises is logged and becomes a 500."""
        return False

    def _measure_header_sections(self) -> None:
        """Refuse header sections above the limit from now on."""
        self.head_checks.looks_at_heads = True


def _check_own_names(kind: type[Host]) -> None:
    for base in kind.__mro__[1:]:
        if base.__module__.partition(".")[0] != "antiphon":
            continue
        for name in vars(kind).keys() & vars(base).keys():
            if name[0] == "_" and name[:2] != "__":
                raise explained(
                    "reserved-name",
                    TypeError(f"{kind.__qualname__} defines {name}, which {base.__name__} reserves: rename it"),
                )
