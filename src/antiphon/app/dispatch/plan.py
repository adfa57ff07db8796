"""Plans: how a route's requests are handled, decided when the application is frozen."""

from collections.abc import Callable
from enum import Enum
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Self

from antiphon.app.dispatch.declared import declared_by
from antiphon.app.dispatch.dependencies import Source
from antiphon.app.dispatch.hooks import ErrorHandlers, Hook, find_handler
from antiphon.app.dispatch.middleware import Middleware, grouped
from antiphon.body.receiver import SMALL_BODY
from antiphon.handler.callables import READS_CODE
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD, Switch
from antiphon.handler.scope import set_current_request
from antiphon.http.errors import HTTPError
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.route import Route


def _begin_limited(seconds: float, request: Request) -> None:
    """Make a request with a deadline the current one."""
    set_current_request(request)
    request.lifetime._limit(seconds)


class RunsOn(Enum):
    """Where a handler runs, with the middleware and hooks around it.

    ``from_loop`` and ``from_thread`` are the switches to await first, from a server's loop and from its thread.
    """

    LOOP = (None, ON_LOOP)
    THREAD = (BEGIN_ON_THREAD, None)
    MIXED = (None, None)
    """Some parts run on a thread, others on the loop, and each has its own switch."""

    def __init__(self, from_loop: Switch | None, from_thread: Switch | None) -> None:
        self.from_loop = from_loop
        self.from_thread = from_thread


class Surroundings(Enum):
    """The surroundings of a handler. Unless STACKED, a server's thread or loop runs the handler and responds at
    once.
    """

    BARE = "nothing"
    IN_PLACE = "what seldom waits, and runs where the handler does"
    STACKED = "anything, in one coroutine"


class Body(Enum):
    """The way in which a route's body is received: as its ``receive`` option says, or as another plan decides."""

    LOAD = "load"
    LAZY = "lazy"
    STREAM = "stream"
    DELEGATED = "delegated"
    """The handler passes the request on to a plan that decides."""


class Ahead(Enum):
    """How much of a body is received before middleware opens, in bytes, for requests in general and for refused
    requests.
    """

    NOTHING = (0, 0)
    SMALL = (SMALL_BODY, SMALL_BODY)
    """A larger body is received only after the middleware has let the request through."""
    ALL = (inf, SMALL_BODY)
    FOR_MIDDLEWARE = (inf, inf)
    """Middleware reads it, even if something is wrong with the request."""

    def __init__(self, most: float, most_refused: float) -> None:
        self.most = most
        self.most_refused = most_refused


LOOP, THREAD, MIXED = RunsOn
BARE, IN_PLACE, STACKED = Surroundings
LOAD, LAZY, STREAM, DELEGATED = Body
NOTHING, SMALL, ALL, FOR_MIDDLEWARE = Ahead

COMBINATIONS: Final = {
    (BARE, LOAD, ALL): {LOOP, THREAD},
    (BARE, LAZY, NOTHING): {LOOP, THREAD},
    (BARE, STREAM, NOTHING): {LOOP, THREAD},
    (IN_PLACE, LOAD, ALL): {LOOP, THREAD},  # nothing around has work to do before the handler has run
    (IN_PLACE, LOAD, SMALL): {LOOP, THREAD},
    (IN_PLACE, LOAD, FOR_MIDDLEWARE): {LOOP, THREAD},
    (IN_PLACE, LAZY, NOTHING): {LOOP, THREAD},
    (IN_PLACE, LAZY, FOR_MIDDLEWARE): {LOOP, THREAD},
    (IN_PLACE, STREAM, NOTHING): {LOOP, THREAD},
    (IN_PLACE, STREAM, FOR_MIDDLEWARE): {LOOP, THREAD},
    (STACKED, LOAD, ALL): {LOOP, THREAD},
    (STACKED, LOAD, SMALL): {LOOP, THREAD, MIXED},
    (STACKED, LOAD, FOR_MIDDLEWARE): {LOOP, THREAD, MIXED},
    (STACKED, LAZY, NOTHING): {LOOP, THREAD, MIXED},
    (STACKED, LAZY, FOR_MIDDLEWARE): {LOOP, THREAD, MIXED},
    (STACKED, STREAM, NOTHING): {LOOP, THREAD, MIXED},
    (STACKED, STREAM, FOR_MIDDLEWARE): {LOOP, THREAD, MIXED},
    (STACKED, DELEGATED, SMALL): {MIXED},
    (STACKED, DELEGATED, FOR_MIDDLEWARE): {MIXED},
}
"""All combinations that plans have. The handler may be ``def`` or ``async def`` in each."""


class HandlerStack(NamedTuple):
    """The middleware, dependencies and hooks around a handler, outermost first; error handlers innermost first.

    ``resolving`` are the sources of dependencies that are resolved before the handler, after the middleware has opened,
    and ``ahead`` those that are resolved before it.
    ``innermost`` is the middleware inside the hooks. ``opens_dependencies`` is True if a generator provides any
    dependency, which has to be closed. ``finishers`` complete each response when everything is closed.
    ``is_in_blueprint`` is True if any of the middleware belongs to a blueprint; it can't surround the application's
    middleware.
    """

    middleware: tuple[Middleware, ...] = ()
    resolving: tuple[Source, ...] = ()
    before: tuple[Hook, ...] = ()
    innermost: tuple[Middleware, ...] = ()
    after: tuple[Hook, ...] = ()
    error_handlers: tuple[ErrorHandlers, ...] = ()
    opens_dependencies: bool = False
    finishers: tuple[Callable[[Request, Response], None], ...] = ()
    is_in_blueprint: bool = False
    ahead: tuple[Source, ...] = ()
    first: int = 0
    """The number of hooks before the handler that are called before dependencies are resolved."""

    @property
    def opened(self) -> tuple[Middleware | Source | Hook, ...]:
        """The parts that are opened before the handler, in this order."""
        first, rest = self.before[: self.first], self.before[self.first :]
        return (*self.ahead, *self.middleware, *first, *self.resolving, *rest, *self.innermost)

    @property
    def parts(self) -> tuple[Middleware | Source | Hook, ...]:
        """The middleware, sources and hooks together, without the error handlers."""
        return (*self.opened, *self.after)

    def error_handler(self, error: BaseException) -> Callable[..., Any] | None:
        """Return the function that handles an error, or None."""
        found = find_handler(self.error_handlers, error)
        return found[1].function if found else None

    @property
    def is_guarded(self) -> bool:
        """True if anything here may refuse a request, and would be bypassed if another application had a stored
        response.
        """
        return bool(self.before) or any(
            part.when_read is None and part.where_hooked is None for part in self.middleware
        )

    def with_hooks_first(self) -> Self:
        """Return the stack in which a cache looks for a response only after the hooks and the blueprints' middleware
        have let the request through, because these may refuse requests for a stored response.
        """
        if not (self.before or self.is_in_blueprint):
            return self
        # The part that looks for a stored response goes inside the hooks; the rest stays where it was.
        split = {part: part.where_hooked for part in self.middleware if part.where_hooked is not None}
        return self._replace(
            middleware=tuple(split[part][0] if part in split else part for part in self.middleware),
            innermost=(*self.innermost, *(inner for _, inner in split.values())),
        )

    @property
    def is_around(self) -> bool:
        """True if anything is around the handler."""
        return bool(self.parts) or self.opens_dependencies

    @property
    def sees_responses(self) -> bool:
        """True if anything around the handler may look at the handler's response."""
        around = (*self.middleware, *self.innermost)
        drops = all(each.drops_response and each.when_read is None for each in around)
        return bool(self.after or self.finishers) or not drops

    @property
    def waits(self) -> bool:
        """True if any part is always awaited. Async middleware is driven in place until it waits."""
        return bool(self.ahead or self.resolving) or any(part.is_async for part in (*self.before, *self.after))

    @property
    def opens_on_read(self) -> tuple[Dependency[Any], ...]:
        """The dependencies whose reading opens middleware, if nothing else is around the handler."""
        dependencies = [
            part.when_read for part in self.parts if isinstance(part, Middleware) and part.when_read is not None
        ]
        return (
            () if len(dependencies) < len(self.parts) or self.opens_dependencies else tuple(dict.fromkeys(dependencies))
        )

    def at(self, route: "Route") -> Self:
        """Return the stack around a planned route. Each part decides whether it blocks there, and only the dependencies
        that code of the route may read are resolved.
        """
        stack = self
        parts: list[Middleware | Hook] = [*self.middleware, *self.before]
        if any(part.blocks_at is not None for part in parts):
            stack = self._replace(
                middleware=tuple(part.at(route) for part in self.middleware),
                before=tuple(part.at(route) for part in self.before),
            )
        return stack.resolving_for(route)

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the stack for a handler: sync parts run where the handler does."""
        return self._replace(
            middleware=tuple(part.for_handler(handler_blocks) for part in self.middleware),
            before=tuple(part.for_handler(handler_blocks) for part in self.before),
            innermost=tuple(part.for_handler(handler_blocks) for part in self.innermost),
            after=tuple(part.for_handler(handler_blocks) for part in self.after),
        )

    def resolving_for(self, route: "Route") -> Self:
        """Return the stack that resolves only the dependencies that code of the route may read, once those hooks have
        passed that read none of them, such as limits.
        """
        if not self.resolving:
            return self
        may_read, kept = route.dependencies.readings.may_read, self._read_by(route)
        # Before any code of the application: what it notes is a time, and code that doesn't read it depends on it, too.
        ahead = tuple(self._ahead_for(route, source) for source in kept if source.ahead is not None)
        kept = [source for source in kept if source.ahead is None]
        # Hooks such as limits refuse a request before a dependency is opened for it.
        reading = (any(may_read(hook.function, source.provides) for source in kept) for hook in self.before)
        first = next((number for number, reads in enumerate(reading) if reads), len(self.before))
        return self._replace(ahead=(*self.ahead, *ahead), resolving=tuple(kept), first=first)

    def _read_by(self, route: "Route") -> list[Source]:
        """Return the sources of the dependencies that code of a route may read."""
        handlers = [hook for each in self.error_handlers for hook in each.hooks]
        parts: list[Middleware | Hook] = [*self.middleware, *self.innermost, *self.before, *self.after, *handlers]
        readers = [route.handler, *(part.function for part in parts)]
        may_read = route.dependencies.readings.may_read
        kept: list[Source] = []
        for source in reversed(self.resolving):  # the source of a later one may read an earlier one
            others = [each.hook.function for each in kept]
            if any(may_read(reader, source.provides) for reader in (*readers, *others)):
                kept.insert(0, source)
        return kept

    def _ahead_for(self, route: "Route", source: Source) -> Source:
        """Return a source with the condition for a route that visibly reads it, or the one for all others."""
        readers = [route.handler, *(part.function for part in self.before)]
        reads = route.dependencies.readings.reads
        is_read = not READS_CODE or any(reads(reader, source.provides) for reader in readers)
        return source._replace(when=source.ahead) if is_read else source

    def without_writes(self) -> Self:
        """Return the stack around a handler of safe methods."""
        return self._replace(
            resolving=tuple(source for source in self.resolving if not source.hook.only_writes),
            before=tuple(part for part in self.before if not part.only_writes),
        )

    def pinned(self) -> Self:
        """Return the stack with parts that have their own switches."""
        return self._replace(
            middleware=tuple(part.pinned() for part in self.middleware),
            ahead=tuple(source.pinned() for source in self.ahead),
            resolving=tuple(part.pinned() for part in self.resolving),
            before=tuple(part.pinned() for part in self.before),
            innermost=tuple(part.pinned() for part in self.innermost),
            after=tuple(part.pinned() for part in self.after),
        )


def raise_error(_request: Request, error: HTTPError) -> NoReturn:
    """Refuse a faulty request: raise the error where the handler would be called."""
    raise error


class AtHand(NamedTuple):
    """How a loop handles requests of a plan that normally needs a thread, if the requests hardly block."""

    includes: Callable[[Request], bool]
    """True if a loop handles the request."""
    plan: "Plan"


class Plan:
    """How the requests of one route are handled. ``for_wsgi`` is the plan over WSGI, if it differs.

    The stack is the one ``at`` the route. A plan is arranged for requests when it is first found, because most routes
    of a large application get no request for a long time: until then, ``found`` is None, and of the attributes below,
    only those that ``__init__`` sets exist. Code of the application was called, and read, before.

    Around an ``async def`` handler, sync parts run on the server's loop. Over WSGI, with ``hooks_block``, they run on
    the thread that waits for the request: otherwise they would all hold up the process's only loop.

    ``begin`` makes a request the current one, and starts its deadline, if it has one. ``refuse`` is called instead
    of the handler, with the error, if something is wrong with a request. ``raw_handler`` is the ``function`` of an
    async handler without the scope that it needs only when it waits, and ``handler_switch`` the switch to await
    first.

    Reading an attribute of a stack or a hook takes several times as long as reading an attribute of a plan or an
    element of a plain tuple, so a plan contains everything that each request needs. ``opening`` contains how the
    middleware, the dependencies and the hooks before the handler are opened, and is None if nothing surrounds the
    handler; the first ``opened_count`` are middleware.
    ``after`` contains how the hooks after it are called, from the end. The middleware in ``opened_on_read`` is opened
    when there is a response: if a dependency that opens it was read, or if the middleware is for a dependency in
    ``read_late`` and was not reached because a part around it has failed or responded. The ``finishers`` complete each
    response, and ``error_handlers`` contains those that aren't empty.

    ``at_once_on`` is where a server's thread or loop responds at once, or None if the plan is stacked; ``is_unseen`` is
    True if it does and nothing around the handler looks at its response. ``declared`` are the types of the returned
    values, if they have fields. ``checks_writes`` is False if writes from other sites are accepted, or are passed to
    another application, which refuses them, and for safe methods alone. ``found`` is the plan with no error,
    once it is arranged.

    Some requests of a plan for a thread may be handled ``at_hand``, by another plan on the loop.
    """

    # No __slots__: without the GIL, reading most slots locks the plan. Beyond 30 attributes, reading each takes longer.

    mount: Any = None
    """The mount to which requests are passed on, if any."""

    def __init__(
        self,
        route: "Route",
        handler: Hook,
        stack: HandlerStack,
        *,
        body: Body = Body.LOAD,
        refuse: Callable[[Request, HTTPError], Any] = raise_error,
        hooks_block: bool = False,
    ) -> None:
        self.route, self.limits = route, route.limits
        deadline = route.deadline
        self.begin = set_current_request if deadline is None else partial(_begin_limited, deadline)
        self.refuse = refuse
        self.body = body
        self.hooks_block = handler.blocks or hooks_block
        self.handler, self.stack = handler, stack
        self.checks_writes = True
        self.at_hand: AtHand | None = None
        self.found: tuple[Plan, None] | None = None

    def arrange(self) -> "tuple[Plan, None]":
        """Arrange the plan for requests and return ``found``. Several threads may do this at once: they set equal
        values.
        """
        if self.found is not None:
            return self.found
        route, handler = self.route, self.handler
        given = self.stack
        around = given.with_hooks_first().for_handler(self.hooks_block)
        self.runs_on = _runs_on(handler, around, self.body)
        if self.runs_on is MIXED:
            around = around.pinned()
            # The plan that a request is passed on to switches by itself.
            handler = handler if self.body is DELEGATED else handler.pinned()
        self.handler = handler
        self.function, self.raw_handler = handler.function, handler.raw_handler
        declared = declared_by(handler.function, route.gives)
        self.declared = declared if declared is not None and declared.has_fields else None
        self.is_async = handler.is_async
        self.handler_switch = BEGIN_ON_THREAD if handler.switch is ON_THREAD else handler.switch
        # After ``runs_on`` and the handler, which it reads.
        self._surround(around)
        self.ahead = _ahead(self)
        for_wsgi = self
        if handler.is_async and not self.hooks_block:
            for_wsgi = Plan(route, handler, given, body=self.body, refuse=self.refuse, hooks_block=True).arrange()[0]
        self.for_wsgi = for_wsgi
        self.found = self, None  # last: from here on, requests use the plan
        return self.found

    def _surround(self, stack: HandlerStack) -> None:
        """Arrange the code around the handler in the form that each request needs."""
        self.stack = stack
        opens_on_read = () if self.runs_on is MIXED else stack.opens_on_read
        openers = tuple(opener for part in stack.opened for opener in part.openers)
        if not stack.opens_dependencies:  # which are closed in between
            openers = grouped(openers)
        late = [part for part in stack.middleware if part.when_read is not None]
        self.opened_on_read = openers if opens_on_read else tuple(each for part in late for each in part.openers)
        self.read_late = {part.when_read for part in late}
        self.opened_count = 0 if opens_on_read else len(stack.middleware) + len(stack.innermost)
        self.after = tuple(part.closer for part in stack.after)
        self.finishers = stack.finishers
        self.error_handlers = tuple(filter(None, stack.error_handlers))
        self.at_once_on = None if self._is_stacked() else self.runs_on
        self.is_unseen = self.at_once_on is not None and not stack.sees_responses
        opening = () if opens_on_read else openers
        self.opening = None if self.is_unseen and not opening else opening

    def _is_stacked(self) -> bool:
        stack, always_waits = self.stack, self.is_async and self.raw_handler is None
        return self.runs_on is MIXED or stack.opens_dependencies or stack.waits or always_waits

    @property
    def is_bare(self) -> bool:
        """True if nothing surrounds the handler."""
        return self.opening is None

    @property
    def surroundings(self) -> Surroundings:
        """The surroundings of the handler."""
        return BARE if self.is_bare else STACKED if self.at_once_on is None else IN_PLACE

    @property
    def home(self) -> Switch:
        """The switch to where error handlers, and the code that follows a request's own hooks, run."""
        return ON_THREAD if self.handler.blocks else ON_LOOP

    @property
    def waits_on_thread(self) -> bool:
        """True if a thread may wait for the rest of a body once the middleware has opened."""
        return (self.handler.blocks and self.ahead is NOTHING) or any(part.blocks for part in self.stack.parts)

    def is_driven(self, request: Request) -> bool:
        """True if steps may switch. The steps of an all-async plan are awaited directly on a server's loop."""
        return self.runs_on is not LOOP or request.head.blocks


def _runs_on(handler: Hook, stack: HandlerStack, body: Body) -> RunsOn:
    if body is DELEGATED or any(part.blocks != handler.blocks for part in stack.parts):
        return MIXED  # the other plan may end anywhere
    return THREAD if handler.blocks else LOOP


def _ahead(plan: Plan) -> Ahead:
    if any(part.reads_body for part in plan.stack.middleware):
        return FOR_MIDDLEWARE
    if plan.body in (LAZY, STREAM):
        return NOTHING
    return SMALL if plan.opening or plan.after or plan.body is DELEGATED else ALL
