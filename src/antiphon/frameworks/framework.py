"""A framework, as far as one view for all of them has to know it: its request, and its response."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from antiphon.frameworks.answer import Answer
from antiphon.http.limits import Limits
from antiphon.request.request import Request

DEFAULTS = Limits()
T = TypeVar("T")


class Framework:
    """The requests and responses of one framework. Subclass it for another one than those that Antiphon knows.

    The subclass is found by an entry point of the group ``antiphon.frameworks``: its name is the package of the
    framework's classes, as in ``shopkit = "shopkit_antiphon:Shopkit"``. It is made once.
    """

    is_async = False
    """True if its views are called on an event loop."""

    awaits_coroutine_functions = False
    """True if it awaits what a view returns that looks like an ``async def``."""

    calls_on_threads = False
    """True if it calls ``def`` views on threads, where they can receive the body themselves, though it has a loop."""

    fills_response = False
    """True if a view gets its response, behind the request, and fills it."""

    def owns(self, given: Any) -> bool:
        """Return True for a request, False for another object of the framework, as its response."""
        return True

    def runs_on_loop(self, given: Any) -> bool:
        """Return True if the view of this request is called on an event loop."""
        return self.is_async

    def request(self, given: Any, second: Any = None) -> Request:
        """Return a request made of the framework's own. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    def body_limit(self, given: Any) -> int | None:
        """Return the bytes that the framework's own limit allows a body to have; None without one."""
        return None

    async def aload(self, given: Any, request: Request) -> None:
        """Load the body, on an event loop."""
        if request.head.has_body:
            await request.aload()

    @property
    def receives_bodies(self) -> bool:
        """True if it receives bodies in its own way, so that a view waits for ``aload`` before all else."""
        return type(self).aload is not Framework.aload

    def bounded_request(self, given: Any, second: Any = None, limits: Limits = DEFAULTS) -> Request:
        """Return the request within some limits, and within the framework's own."""
        request = self.request(given, second)
        if request.head.has_body and (most := self.body_limit(given)) is not None and most < limits.body:
            limits = Limits(body=most).within(limits)
        if limits is not DEFAULTS:
            request.limits = limits
        return request

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of the route, as far as the framework doesn't hand them to the view."""
        return {}

    def response(self, answer: Answer, given: Any) -> Any:
        """Return the framework's own response. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    def current(self) -> Any:
        """Return the request that is being answered, where it is not among a view's arguments; None without one."""
        return None

    def check_awaits(self) -> None:
        """Check that a coroutine is awaited that a view returns which is called on a loop, and looks like a ``def``.

        Raises TypeError, which names the fix, otherwise.
        """

    def run_on_loop(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the server's loop, from a thread that works for it. Raises RuntimeError on others."""
        import anyio.from_thread

        result: T = anyio.from_thread.run(function)
        return result
