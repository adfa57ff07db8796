"""The library's own state of a request, which features and dialects share."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from antiphon.handler.contract import finish
from antiphon.handler.drive import crossing_of
from antiphon.handler.errors import USERS, is_seen_in_debug
from antiphon.handler.failures import FAILED, RAISES_ERRORS, failed, log_failure
from antiphon.handler.scope import current_request, release
from antiphon.request.caller import REFUSED_EFFECTS, arrivals, check_effect, request_around
from antiphon.request.dependencies import Dependency, ReadableDependency
from antiphon.request.interfaces import Language, language_of
from antiphon.request.lifetime import transactions_of
from antiphon.request.request import Request
from antiphon.request.watching import Reads
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.concurrency.crossing import Crossing


class Count(Protocol):
    """A count of a request that can be undone."""

    def undo(self, request: Request, /) -> None: ...


class RequestState:
    """The library's own state of a request, which features and dialects share."""

    __slots__ = ("_request",)

    refusing: ClassVar[set[object]] = set()
    """The blocks in this process that refuse effects: if there are none, no request has to be asked."""

    USERS = USERS
    """The feature that manages an application's users: ``challenges(request)`` returns those of 401 responses."""
    UNLOGGED = Dependency[bool]("unlogged")
    """True for a request that is omitted from access logs, such as a probe."""
    COUNTS = Dependency[tuple[Count, ...]]("counts of a request")
    """What has counted a request, such as rate limits, and can undo it."""
    COUNTED_BY = Dependency[set[object]]("limits that don't count a request again")
    """The limits that have counted a request which the server repeats by itself. A limit that counts it adds itself."""
    NONCE = Dependency[str]("nonce of the content security policy")
    """The nonce of the response, if anything has read it."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def values(self) -> dict[ReadableDependency[Any], Any]:
        """The values of the dependencies that were read or set so far. Setting one is ``request[dependency] = value``;
        one that is taken out is computed again by the next read.
        """
        return self._request._dependencies

    @property
    def id(self) -> str:
        """The request's id, for log lines and other uses on which no response depends."""
        return self._request._id

    @property
    def outermost(self) -> Request:
        """The request as the outermost application has received it."""
        return self._request._outermost

    @property
    def around(self) -> Request | None:
        """The client's request for which the application has made this one, such as a tool call, or None."""
        return request_around(self._request)

    @property
    def language(self) -> Language | None:
        """The language of the request, or None if the application has no languages."""
        return language_of(self._request)

    @property
    def seconds(self) -> float:
        """The seconds since the request's head, if observers see the request; otherwise 0."""
        observation = self._request._observation
        return 0.0 if observation is None else observation.seconds

    @property
    def framework_request(self) -> Any:
        """The ``FrameworkRequest`` of another framework's view that this request belongs to, or None."""
        return self._request._view

    @property
    def pattern_below(self) -> str:
        """The pattern of the matching route in an application mounted here, or another part of the route that logs and
        metrics show after its pattern.
        """
        return self._request._pattern_below or ""

    @pattern_below.setter
    def pattern_below(self, pattern: str) -> None:
        self._request._pattern_below = pattern

    def transactions(self, of: object = None) -> list[Any]:
        """Return the open dependencies that are committed last, also those of an outer application, or that ``of`` a
        connection; empty if none is open.
        """
        return transactions_of(self._request, of)

    def call_first(self, function: Callable[[Request, Response], Any]) -> None:
        """Call a function before those given to ``on_response``: other hooks, such as rate limits, may add data of this
        request to the response.
        """
        self._request._after_hooks = (function, *self._request._after_hooks)

    @property
    def nonce(self) -> str:
        """The nonce of the response's content security policy."""
        Reads.note(self._request, Reads.PAGE_NONCE)
        if RequestState.NONCE not in self._request:
            from secrets import token_urlsafe  # late: it imports random

            self._request[RequestState.NONCE] = token_urlsafe(16)
        return self._request[RequestState.NONCE]

    def uncount(self) -> None:
        """Undo all counts of a request that the application has made itself and that comes again, but not those of the
        client's around it.
        """
        for each in arrivals(self._request):
            for count in each._dependencies.get(RequestState.COUNTS, ()):
                count.undo(self._request)
            if request_around(each) is not None:
                return

    @contextmanager
    def refusing_effects(self, refuse: Callable[[str], Exception]) -> Iterator[None]:
        """Let no code of this request have an effect that a rollback doesn't undo: it gets the error that ``refuse``
        returns for the effect's name. ``after_response``, messages to channels, changes of the session, runs, and jobs
        outside of a transaction are such effects.
        """
        around, block = self.values.get(REFUSED_EFFECTS), object()
        self._request[REFUSED_EFFECTS] = refuse
        self.refusing.add(block)
        try:
            yield
        finally:
            self.refusing.remove(block)
            # Within another such block, that of the outer one goes on.
            self.values[REFUSED_EFFECTS] = around

    @staticmethod
    def check_effect(effect: str) -> None:
        """Raise the error with which the current request, if any, refuses an effect that a rollback doesn't undo."""
        check_effect(current_request(None), effect)

    @property
    def crossing(self) -> "Crossing":
        """The way to the threads that run the outermost request's steps, which ends it.

        Its context is that of everything on a thread: of the hooks, the handler, the body and the functions after it.
        """
        return crossing_of(self._request)

    @property
    def is_seen_in_debug(self) -> bool:
        """True in debug mode if the client may see what that mode adds: ask this before adding anything."""
        return is_seen_in_debug(self._request)

    @property
    def raises_errors(self) -> bool:
        """True for a request of a test that wants each error to be raised, also one that a page would show."""
        return RAISES_ERRORS.get()

    def log_failure(self, error: BaseException, where: str = "", *, fault: str = FAILED) -> None:
        """Log an error with its traceback and the request; ``fault`` and ``where`` say what happened and where.

        A request that has failed is also kept, if its application keeps such requests. An outage is logged once per
        second.
        """
        log_failure(self._request, error, where, fault=fault)

    def failed(self, error: BaseException) -> Response:
        """Return the response to an error, which is logged if it is not the client's."""
        return failed(self._request, error)

    def release(self, response: Response) -> None:
        """Free the body's resources as soon as it can't be read any more, for code that sends a response itself."""
        release(self._request, response)

    def finish(self) -> Coroutine[Any, Any, None]:
        """Return the steps that call the functions passed to ``after_response``, then close the body."""
        return finish(self._request)
