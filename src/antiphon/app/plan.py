"""All that is done for the requests of one route, settled when the application is frozen."""

from typing import Any, NamedTuple

from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook
from antiphon.app.middleware import Middleware
from antiphon.app.places import Places, Source
from antiphon.app.route import BodyPolicy
from antiphon.handler.contract import ON_LOOP, ON_THREAD, describe
from antiphon.http.limits import Limits


class Around(NamedTuple):
    """What is around a handler, outermost first; but of the error handlers the innermost are asked first."""

    middleware: tuple[Middleware, ...] = ()
    before: tuple[Hook, ...] = ()
    after: tuple[Hook, ...] = ()
    error_handlers: tuple[ErrorHandlers, ...] = ()
    places: Places = Places()
    """What the application fills; those that are resolved before the handler come between middleware and hooks."""


class Plan:
    """How the requests of one route are answered.

    ``endpoint`` and ``blueprint`` are its names, None where there is none. ``place`` is where the handler is called,
    and all that has no place of its own; ``moves`` says whether to go there at once, from a server's loop and from its
    thread. ``hops`` says that some of it is called on a thread, ``is_woven`` that there are hooks or middleware,
    ``body`` how the body is read, ``loads`` that it is loaded before the handler is called, ``body_first`` that a
    middleware reads it, and that it is loaded before that opens, whatever its size.
    ``hands_on`` says that the handler hands the request on to another plan, which loads the body, ``seeks`` that this
    stands before the route is sought, so that method and path may still be set, and is given what is wrong with the
    request.
    """

    __slots__ = (
        "after", "app", "before", "blocks", "blueprint", "body", "body_first", "endpoint", "error_handlers", "folder",
        "handler", "hands_on", "hops", "is_async", "is_mixed", "is_woven", "limits", "loads", "middleware", "moves",
        "place", "places", "resolving", "seeks",
    )  # fmt: skip

    def __init__(
        self,
        app: Any,
        handler: Hook,
        limits: Limits,
        around: Around,
        *,
        endpoint: str | None = None,
        blueprint: str | None = None,
        body: BodyPolicy = "load",
        hands_on: bool = False,
        seeks: bool = False,
    ) -> None:
        self.app = app
        self.folder = app.upload_folder
        self.body = body
        self.loads = body == "load" and not hands_on
        self.endpoint = endpoint
        self.blueprint = blueprint
        self.handler = handler.function
        self.is_async = handler.is_async
        self.blocks = handler.blocks
        self.place = ON_THREAD if handler.blocks else ON_LOOP
        self.limits = limits
        self.hands_on = hands_on
        self.seeks = seeks
        self.error_handlers = around.error_handlers
        self.places = around.places
        self.resolving = () if hands_on else around.places.resolving
        self.middleware = tuple(part.around(handler.blocks) for part in around.middleware)
        self.before = tuple(part.around(handler.blocks) for part in around.before)
        self.after = tuple(part.around(handler.blocks) for part in reversed(around.after))
        self.body_first = any(part.reads_body for part in self.middleware)
        self.is_woven = bool(self.middleware or self.resolving or self.before or self.after)
        self._place()

    @property
    def answered_by(self) -> str:
        """The handler's name with its file and line, for errors that a programmer reads."""
        return describe(self.handler)

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
            self.middleware = tuple(part.placed() for part in self.middleware)
            self.resolving = tuple(part.placed() for part in self.resolving)
            self.before = tuple(part.placed() for part in self.before)
            self.after = tuple(part.placed() for part in self.after)
