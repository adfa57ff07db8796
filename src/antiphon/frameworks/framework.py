"""The parts of a framework that a view for all frameworks needs: its request, and its response."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from antiphon.frameworks.answer import Answer
from antiphon.http.limits import Limits
from antiphon.request.request import Request

DEFAULTS = Limits()
T = TypeVar("T")


class Framework:
    """The requests and responses of one framework. Subclass it to support a framework that Antiphon doesn't know.

    The subclass is found through an entry point in the group ``antiphon.frameworks``. The entry's name is the package
    of the framework's classes, as in ``shopkit = "shopkit_antiphon:Shopkit"``. One instance of it is created.
    """

    is_async = False
    """True if the framework calls views on an event loop."""

    awaits_coroutine_functions = False
    """True if the framework awaits the result of a view that looks like an ``async def``."""

    calls_on_threads = False
    """True if the framework has a loop, but calls ``def`` views on threads, where they can receive the body."""

    fills_response = False
    """True if a view gets its response as the argument after the request, and fills it."""

    def owns(self, given: Any) -> bool:
        """Return True for a request, False for any other object of the framework, such as its response."""
        return True

    def runs_on_loop(self, given: Any) -> bool:
        """Return True if the view of this request is called on an event loop."""
        return self.is_async

    def request(self, given: Any, second: Any = None) -> Request:
        """Return a request made of the framework's own. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    def body_limit(self, given: Any) -> int | None:
        """Return the framework's own limit for the size of a body, in bytes; None without one."""
        return None

    async def aload(self, given: Any, request: Request) -> None:
        """Load the body, on an event loop."""
        if request.head.has_body:
            await request.aload()

    @property
    def receives_bodies(self) -> bool:
        """True if the framework receives bodies in its own way, so that a view first waits for ``aload``."""
        return type(self).aload is not Framework.aload

    def bounded_request(self, given: Any, second: Any = None, limits: Limits = DEFAULTS) -> Request:
        """Return the request, subject to the given limits and to the framework's own."""
        request = self.request(given, second)
        if request.head.has_body and (most := self.body_limit(given)) is not None and most < limits.body:
            limits = Limits(body=most).within(limits)
        if limits is not DEFAULTS:
            request.limits = limits
        return request

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of the route, except those that the framework passes to the view."""
        return {}

    def response(self, answer: Answer, given: Any) -> Any:
        """Return the framework's own response. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    def current(self) -> Any:
        """Return the request that is being answered, if it is not among a view's arguments; None without one."""
        return None

    def check_awaits(self) -> None:
        """Check that the framework awaits the coroutine of a view that looks like a ``def`` and is called on a loop.

        Raises TypeError, which names the fix, if it doesn't.
        """

    def run_on_loop(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the server's loop, from a thread that works for it. Raises RuntimeError on others."""
        import anyio.from_thread

        result: T = anyio.from_thread.run(function)
        return result
