"""A request that the application makes from a client's request, and handles as if the client had sent it.

It keeps the address, the host and the header fields of the client's request that don't describe its message, so that
guards, users, limits and logs see the same caller. Tool calls and resumed uploads become such requests.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.adapters.foreign.call import acall
from antiphon.app.dispatch.plan import Plan
from antiphon.body.content import Content
from antiphon.http.errors import HTTPError
from antiphon.http.head import DerivedHead, RequestHead
from antiphon.http.head import Head as AnyHead
from antiphon.request.caller import AROUND, CONFIRM, Around, arrivals
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App
    from antiphon.app.route import Route


class MadeHead(DerivedHead):
    """The head of a made request: its own target and fields, and the client's fields that aren't ``hidden``."""

    OF_THE_MESSAGE = frozenset({
        "accept", "accept-charset", "accept-encoding", "content-digest", "content-disposition", "content-encoding",
        "content-language", "content-length", "content-location", "content-md5", "content-range", "content-type",
        "digest", "expect", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id",
        "range", "repr-digest", "te", "trailer", "transfer-encoding", "upgrade",
    })  # fmt: skip
    """Fields that describe the message or its response, not the client."""

    is_of_call = True

    def __init__(
        self, inner: AnyHead, method: str, path: str, raw_path: bytes, query: bytes,
        fields: Iterable[tuple[str, str]], hidden: Callable[[str], bool],
        receive: Callable[[], bytes | Coroutine[Any, Any, bytes]] = bytes,
    ) -> None:  # fmt: skip
        super().__init__(inner)
        self.method = method
        self.path = path
        self._raw_path = raw_path
        self._query = query
        lines = [*fields]
        own: dict[str, str] = {}
        for name, value in lines:
            own[name] = f"{own[name]}, {value}" if name in own else value
        self._own = own
        # Not methods, which would refer to this object.
        self.field = lambda name: own[name] if name in own else None if hidden(name) else inner.field(name)
        self.fields = lambda: [
            *(each for each in inner.fields() if each[0].lower() not in own and not hidden(each[0].lower())),
            *lines,
        ]
        self.receive = receive

    @property
    def raw_path(self) -> bytes:
        """The path, percent-encoded."""
        return self._raw_path

    @property
    def query_string(self) -> bytes:
        """The query string."""
        return self._query

    @property
    def blocks(self) -> bool:
        """False: the request is handled by a task."""
        return False

    @property
    def has_body(self) -> bool:
        """True if there is any content."""
        return "content-length" in self._own

    @property
    def uncoded_length(self) -> int:
        """The body's length."""
        return int(self._own.get("content-length", 0))

    @property
    def header_size(self) -> int:
        """0: the header section is not the client's."""
        return 0

    @property
    def has_limited_size(self) -> bool:
        """True: it is not the client's."""
        return True

    @property
    def takes_early_hints(self) -> bool:
        """False: the response is not the client's."""
        return False

    def send_early_hints(self, links: object) -> None:
        """Send nothing."""


class MadeRequest:
    """A made request. It enters at ``app``, or where the client's request ``around`` it did: at the outermost
    application. With ``counts=True``, it is another request of the client, which limits count, and not one inside it.
    """

    Head: TypeAlias = MadeHead

    def __init__(
        self, around: Request, head: AnyHead, body: bytes | Content | None, app: "App | None" = None, *,
        counts: bool = False,
    ) -> None:  # fmt: skip
        self._app: App = app or arrivals(around)[-1].route.app
        self.request = Request(head, body)
        """The request that the application gets."""
        self.request.id = around._id
        self._plan: Plan | None = None
        self._below = self.request
        if not counts:
            self.request[AROUND] = Around(around, {*self._plans(head)})

    @staticmethod
    def of_user(app: "App", user: object) -> Request:
        """Return a request, with which nothing was sent, of a user whom the application names itself."""
        request = Request(RequestHead(scheme="https", headers=[("host", app._own_host)]))
        request.user = user
        return request

    @property
    def route(self) -> "Route | None":
        """The route that handles it, of the innermost application, or None if its URL belongs to none."""
        return None if self._plan is None else self._plan.route

    def _plans(self, head: AnyHead) -> Iterator[Plan]:
        """Yield the plans that may handle it, in each application on its way."""
        try:
            for plan, below in self._app._plans_for(Request(head)):
                self._plan, self._below = plan, below
                yield plan
        except HTTPError:
            self._plan = None

    def confirm_by(self, confirm: "Callable[[Request], Awaitable[None] | None]") -> None:
        """Call a function directly before the handler, which raises an error until a person has agreed. On an event
        loop, it may return what the handler waits for first.
        """
        self.request[CONFIRM] = confirm

    async def respond(self) -> Response:
        """Return the application's response, whose error has no traceback."""
        response = await acall(self._app, self.request)
        if (error := response.error) is not None:  # its frames refer to those of the callers, which keep the response
            error.__traceback__ = error.__context__ = error.__cause__ = None
        return response
