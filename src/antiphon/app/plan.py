"""Plans: how the requests of one route are answered, settled when the application is frozen."""

from collections.abc import Callable
from enum import Enum
from math import inf
from typing import Any, Final, Literal, NamedTuple, NoReturn, Self, TypeAlias

from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook
from antiphon.app.middleware import Middleware
from antiphon.app.places import Source
from antiphon.app.route import BodyPolicy, Route
from antiphon.body.receiver import SMALL_BODY
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch
from antiphon.http.errors import HTTPError
from antiphon.request.places import Place
from antiphon.request.request import Request
from antiphon.response.response import Response

PlannedBody: TypeAlias = BodyPolicy | Literal["delegated"]
"""The time at which a body is received; "delegated" if the handler hands the request on to a plan that decides it."""


class RunsOn(Enum):
    """The place in which a handler runs, with the middleware and hooks around it.

    ``from_loop`` and ``from_thread`` are the places to switch to first, from a server's loop and from its thread.
    """

    LOOP = (None, ON_LOOP)
    THREAD = (ON_THREAD, None)
    MIXED = (None, None)
    """Some parts run on a thread, others on the loop: each switches to its place itself."""

    def __init__(self, from_loop: Switch | None, from_thread: Switch | None) -> None:
        self.from_loop = from_loop
        self.from_thread = from_thread


LOOP: Final = RunsOn.LOOP


class HandlerStack(NamedTuple):
    """The middleware, places and hooks around a handler, outermost first; of error handlers the innermost come first.

    ``resolving`` are the sources of places that are resolved before the handler, after the middleware has opened.
    ``opens_places`` is True if any place is filled by a generator, which has to be closed. ``last`` complete each
    response when all is closed.
    """

    middleware: tuple[Middleware, ...] = ()
    resolving: tuple[Source, ...] = ()
    before: tuple[Hook, ...] = ()
    after: tuple[Hook, ...] = ()
    error_handlers: tuple[ErrorHandlers, ...] = ()
    opens_places: bool = False
    last: tuple[Callable[[Request, Response], None], ...] = ()

    @property
    def is_around(self) -> bool:
        """True if anything is around the handler."""
        return bool(self.parts) or self.opens_places

    @property
    def parts(self) -> tuple[Middleware | Source | Hook, ...]:
        """The middleware, sources and hooks together, without the error handlers."""
        return (*self.middleware, *self.resolving, *self.before, *self.after)

    @property
    def waits(self) -> bool:
        """True if any part is awaited."""
        is_async = any(part.is_async for part in self.middleware) or any(part.is_async for part in self.before)
        return is_async or bool(self.resolving) or any(part.is_async for part in self.after)

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the stack as it runs around a handler, its ``after`` in the order in which it is called."""
        return self._replace(
            middleware=tuple(part.for_handler(handler_blocks) for part in self.middleware),
            before=tuple(part.for_handler(handler_blocks) for part in self.before),
            after=tuple(part.for_handler(handler_blocks) for part in reversed(self.after)),
        )

    def without_writes(self) -> Self:
        """Return the stack as it is around a handler of safe methods."""
        return self._replace(
            resolving=tuple(source for source in self.resolving if not source.hook.writes),
            before=tuple(part for part in self.before if not part.writes),
        )

    def pinned(self) -> Self:
        """Return the stack with parts that switch to their places themselves."""
        return self._replace(
            middleware=tuple(part.pinned() for part in self.middleware),
            resolving=tuple(part.pinned() for part in self.resolving),
            before=tuple(part.pinned() for part in self.before),
            after=tuple(part.pinned() for part in self.after),
        )


def raise_error(_request: Request, error: HTTPError) -> NoReturn:
    """Refuse a request in which something is wrong: the error is raised where the handler would be called."""
    raise error


class Plan:
    """The way in which the requests of one route are answered; ``for_wsgi`` is another one, if that is otherwise.

    Around an ``async def`` handler, what is sync runs on the server's loop, but over WSGI, with ``hooks_block``, on the
    thread that waits for the request: the process has one loop then, which all of them would hold up.

    ``deadline`` is in seconds from the dispatch, None for none; ``prepares`` is True with one, and where places are
    opened. ``refuse`` is called in place of the handler, with the error, if something is wrong with a request before.
    ``is_in_place`` is True if all that is around the handler runs where the handler does, and is given responses alone;
    ``is_plain`` if it is sync, too, so that nothing has to wait.
    ``answers_on_thread`` and ``answers_on_loop`` are True if a server's thread, or its loop, may answer at once: the
    handler does not wait either, or is run without its scope, by ``unscoped``, until it does.
    ``has_middleware`` is True if anything at all is around the handler, but for middleware that opens late, when one of
    the places ``late`` was read; ``leaves`` is True if anything is to do on the way back. Up to ``most_ahead`` bytes of
    a body are received before the middleware opens; after it, ``waits_on_thread`` is True if a thread may wait for the
    rest. ``place`` is where error handlers run, and the hooks of a single request.

    Reading an attribute of a stack or a hook takes several times as long as one of a plan, so that a plan has the
    ``function`` of its handler, and of the ``stack`` the functions of ``middleware`` and ``before``, ``after`` and
    ``last``, and those ``error_handlers`` that are not empty.
    """

    # No __slots__: without the GIL, threads lock the plan to read most of them.

    checks_writes = True
    """False if the handler hands requests on to an application that refuses writes from other sites by itself."""

    def __init__(
        self,
        route: Route,
        handler: Hook,
        stack: HandlerStack,
        *,
        body: PlannedBody = "load",
        refuse: Callable[[Request, HTTPError], Any] = raise_error,
        hooks_block: bool = False,
    ) -> None:
        self.route = route
        self.deadline = route.deadline
        self.refuse = refuse
        self.body = body
        self.hooks_block = handler.blocks or hooks_block
        around = stack.for_handler(self.hooks_block)
        if body == "delegated":
            around = around._replace(resolving=())
        self.runs_on = _runs_on(handler, around, body)
        self.place = ON_THREAD if handler.blocks else ON_LOOP
        is_mixed = self.runs_on is RunsOn.MIXED
        self.handler = handler.pinned() if is_mixed and body != "delegated" else handler
        self.function, self.unscoped = handler.function, handler.unscoped
        self.is_async = handler.is_async
        self._surround(around.pinned() if is_mixed else around)
        self._bound_body(around)
        self.for_wsgi = self  # the last attribute: names that another plan would set first cost more to read
        if handler.is_async and not self.hooks_block:
            self.for_wsgi = Plan(route, handler, stack, body=body, refuse=refuse, hooks_block=True)

    def _surround(self, stack: HandlerStack) -> None:
        """Settle what is around the handler, and how much of the general way it needs."""
        self.stack = stack
        self.middleware = tuple(part.function for part in stack.middleware)
        self.before = tuple(part.function for part in stack.before)
        self.after = stack.after
        self.last = stack.last
        self.error_handlers = tuple(filter(None, stack.error_handlers))
        self.late = _late(stack, self.runs_on)
        self.has_middleware = stack.is_around and not self.late
        self.leaves = stack.opens_places or bool(stack.middleware or stack.after or stack.last)
        self.prepares = stack.opens_places or self.deadline is not None
        self.is_in_place = _is_in_place(stack, self.runs_on)
        self.is_plain = self.is_in_place and not stack.waits
        is_direct = self.is_plain and not self.prepares and (not self.is_async or self.unscoped is not None)
        self.answers_on_thread = is_direct and self.runs_on is RunsOn.THREAD
        self.answers_on_loop = is_direct and self.runs_on is LOOP

    def _bound_body(self, stack: HandlerStack) -> None:
        """Settle how much of a body is received ahead of the middleware, and who waits for the rest."""
        self.reads_body = any(part.reads_body for part in stack.middleware)
        self.most_ahead = self._most_ahead()
        self.waits_on_thread = self._waits_on_thread()

    def is_driven(self, request: Request) -> bool:
        """True where steps may switch: those of a plan that is all async are awaited as they are on a server's loop."""
        return self.runs_on is not LOOP or request.head.blocks

    def _most_ahead(self) -> float:
        if self.reads_body:
            return inf
        if self.body in ("lazy", "stream"):
            return 0
        # A larger body is received only when the middleware has let the request through.
        return SMALL_BODY if (self.stack.parts and not self.late) or self.body == "delegated" else inf

    def _waits_on_thread(self) -> bool:
        return (self.handler.blocks and self.most_ahead == 0) or any(part.blocks for part in self.stack.parts)


def _is_in_place(stack: HandlerStack, runs_on: RunsOn) -> bool:
    return runs_on is not RunsOn.MIXED and not stack.opens_places and not any(part.throws for part in stack.middleware)


def _late(stack: HandlerStack, runs_on: RunsOn) -> tuple[Place[Any], ...]:
    """Return the places for which middleware is opened late, if nothing else is around the handler."""
    parts = stack.parts
    if runs_on is RunsOn.MIXED:
        return ()
    places = [part.when_read for part in parts if isinstance(part, Middleware) and part.when_read is not None]
    return () if len(places) < len(parts) or stack.opens_places else tuple(dict.fromkeys(places))


def _runs_on(handler: Hook, stack: HandlerStack, body: PlannedBody) -> RunsOn:
    if body == "delegated" or any(part.blocks != handler.blocks for part in stack.parts):
        return RunsOn.MIXED  # nobody can tell where another plan ends
    return RunsOn.THREAD if handler.blocks else LOOP
