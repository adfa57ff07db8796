"""All that is done for the requests of one route, settled when the application is frozen."""

from typing import NamedTuple

from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook
from antiphon.app.middleware import Middleware
from antiphon.app.places import Source
from antiphon.app.route import Route
from antiphon.handler.contract import ON_LOOP, ON_THREAD


class HandlerStack(NamedTuple):
    """What is around a handler, outermost first; but of the error handlers the innermost are asked first."""

    middleware: tuple[Middleware, ...] = ()
    before: tuple[Hook, ...] = ()
    after: tuple[Hook, ...] = ()
    error_handlers: tuple[ErrorHandlers, ...] = ()


class Plan:
    """How the requests of one route are answered.

    ``place`` is where the handler is called,
    and all that has no place of its own; ``moves`` says whether to go there at once, from a server's loop and from its
    thread. ``hops`` says that some of it is called on a thread, ``is_woven`` that there are hooks or middleware,
    ``body`` how the body is read, ``loads`` that it is loaded before the handler is called, ``body_first`` that a
    middleware reads it, and that it is loaded before that opens, whatever its size.
    ``hands_on`` says that the handler hands the request on to another plan, which loads the body, ``seeks`` that this
    stands before the route is sought, so that method and path may still be set, and is given what is wrong with the
    request.
    """

    __slots__ = (
        "after", "before", "blocks", "body", "body_first", "error_handlers", "folder", "handler", "hands_on", "hops",
        "is_async", "is_mixed", "is_woven", "loads", "middleware", "moves", "place", "resolving", "route", "seeks",
    )  # fmt: skip

    def __init__(self, route: Route, handler: Hook, stack: HandlerStack, *, hands_on: bool = False) -> None:
        self.route = route
        self.folder = route.app.upload_folder
        self.body = route.body
        self.loads = route.body == "load" and not hands_on
        self.handler = handler.function
        self.is_async = handler.is_async
        self.blocks = handler.blocks
        self.place = ON_THREAD if handler.blocks else ON_LOOP
        self.hands_on = hands_on
        self.seeks = route.is_before_routing
        self.error_handlers = stack.error_handlers
        self.resolving = () if hands_on else route.places.resolving
        self.middleware = tuple(part.for_handler(handler.blocks) for part in stack.middleware)
        self.before = tuple(part.for_handler(handler.blocks) for part in stack.before)
        self.after = tuple(part.for_handler(handler.blocks) for part in reversed(stack.after))
        self.body_first = any(part.reads_body for part in self.middleware)
        self.is_woven = bool(self.middleware or self.resolving or self.before or self.after)
        self._place()

    def _place(self) -> None:
        """Have each part go to its place, where there are some of both colours."""
        parts: tuple[Middleware | Source | Hook, ...]
        parts = (*self.middleware, *self.resolving, *self.before, *self.after)
        self.is_mixed = any(part.blocks != self.blocks for part in parts)
        self.hops = self.blocks or self.is_mixed or self.hands_on
        self.moves = (self.hops, not self.hops)
        if self.hands_on:
            self.moves = (self.is_woven, self.is_woven)
        if self.is_mixed:
            self.moves = (False, False)
            self.middleware = tuple(part.pinned() for part in self.middleware)
            self.resolving = tuple(part.pinned() for part in self.resolving)
            self.before = tuple(part.pinned() for part in self.before)
            self.after = tuple(part.pinned() for part in self.after)
