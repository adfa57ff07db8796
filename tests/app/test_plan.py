"""Plans: an application makes each combination of their switches that there is, and none makes others. A plan is
arranged when it is first found.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from itertools import combinations, product

from antiphon import App, Dependency, Request
from antiphon.app.dispatch.plan import COMBINATIONS, LOOP, THREAD, RunsOn, Surroundings
from tests.helpers.rows import rows

Tenant, User, Session = Dependency[str]("tenant"), Dependency[str]("user"), Dependency[str]("session")


def around(request):
    yield


async def around_async(request):
    yield


def hook(*_):
    """Let requests and responses pass."""


async def hook_async(*_):
    """Let requests and responses pass."""


def value(request):
    yield "value"


async def value_async(request):
    return "value"


def open_on_read(app):
    app.middleware(around, when_read=Tenant)
    app.provide(Tenant, lambda request: "value")


SURROUNDINGS = {
    "middleware": lambda app: app.middleware(around),
    "async middleware": lambda app: app.middleware(around_async),
    "middleware on a thread": lambda app: app.middleware(around, blocking=True),
    "middleware that throws": lambda app: app.middleware(around, errors_at_yield=True),
    "middleware that reads bodies": lambda app: app.middleware(around, loads_body=True),
    "async middleware that reads bodies": lambda app: app.middleware(around_async, loads_body=True),
    "middleware on a thread that reads bodies": lambda app: app.middleware(around, loads_body=True, blocking=True),
    "middleware that a read opens": open_on_read,
    "a hook before": lambda app: app.before_request(hook),
    "an async hook after": lambda app: app.after_request(hook_async),
    "a dependency that waits": lambda app: app.provide(User, value_async),
    "a dependency that is closed": lambda app: app.provide(Session, value),
    "a function that completes": lambda app: app.before_send(hook),
    "a deadline": lambda app: setattr(app, "deadline", 1.0),
    "middleware before routing": lambda app: app.middleware(around, before_routing=True),
    "that, which reads bodies": lambda app: app.middleware(around, before_routing=True, loads_body=True),
}


def handler(request):
    return "answer"


async def handler_async(request):
    return "answer"


def plans(surroundings, handlers, body):
    """Return the plans of an application: of a route, of a mount, and of requests without a route."""
    app = App()
    for each in surroundings:
        SURROUNDINGS[each](app)
    app.get("/", receive=body)(handlers)
    app.mount("/inner", App())
    app.mount("/asgi", foreign, interface="asgi")
    routing = app._freeze()
    for path, find in product(("/", "/inner", "/asgi", "/nothing"), (routing.find, app._find)):
        plan, _ = find(Request.blank(path))
        yield from (plan, plan.for_wsgi)


async def foreign(scope, receive, send):
    """Answer nothing: it is never called."""


def made(most):
    """Return the combinations of all applications with up to so many things around their handlers."""
    return {
        ((plan.surroundings, plan.body, plan.ahead), plan.runs_on)
        for count in range(most + 1)
        for surroundings in combinations(SURROUNDINGS, count)
        for handlers, body in product((handler, handler_async), ("load", "lazy", "stream"))
        for plan in plans(surroundings, handlers, body)
    }


def test_each_combination_is_made_by_an_application_and_no_other_is():
    assert made(2) == {(key, runs_on) for key, several in COMBINATIONS.items() for runs_on in several}


@rows(
    "surroundings, handlers, expected",
    ((), handler, (Surroundings.BARE, THREAD)),
    ((), handler_async, (Surroundings.BARE, LOOP)),
    (["a deadline"], handler_async, (Surroundings.BARE, LOOP)),
    (["middleware"], handler, (Surroundings.IN_PLACE, THREAD)),
    (["middleware"], handler_async, (Surroundings.IN_PLACE, LOOP)),
    (["async middleware"], handler_async, (Surroundings.IN_PLACE, LOOP)),
    (["async middleware", "an async hook after"], handler_async, (Surroundings.STACKED, LOOP)),
    (["async middleware"], handler, (Surroundings.STACKED, RunsOn.MIXED)),
    (["middleware on a thread"], handler_async, (Surroundings.STACKED, RunsOn.MIXED)),
    (["a dependency that is closed"], handler, (Surroundings.STACKED, THREAD)),
)
def test_a_handler_runs_where_it_was_written_for_with_what_is_around_it(surroundings, handlers, expected):
    plan = next(plans(surroundings, handlers, "load"))
    assert (plan.surroundings, plan.runs_on) == expected


def test_a_plan_has_eight_switches_and_few_enough_attributes_to_read_them_quickly():
    plan = next(plans((), handler, "load"))
    switches = {name for name, each in vars(plan).items() if isinstance(each, bool | Enum)}
    assert switches == {
        "runs_on", "at_once_on", "is_unseen", "body", "ahead", "is_async", "hooks_block", "checks_writes",
    }  # fmt: skip
    assert len(vars(plan)) <= 30


async def pair(request, number: int, text: str):
    """Take two parameters, as handlers of most routes do."""


def calls_at_start(count):
    """Return how many functions are called to register and plan an application of so many routes."""
    calls = [0]

    def count_call(_frame, event, _argument):
        calls[0] += event == "call"

    sys.setprofile(count_call)
    try:
        app = App()
        for number in range(count):
            app.get(f"/{number}/<int:number>/<text>", name=f"route {number}")(pair)
        app.plan()
    finally:
        sys.setprofile(None)
    return calls[0]


def test_a_route_costs_few_calls_at_start():
    calls_at_start(1)  # which imports what is imported late
    assert (calls_at_start(30) - calls_at_start(10)) / 20 < 360


def test_a_route_is_arranged_by_its_first_request_however_many_there_are_at_once():
    app = App()
    app.middleware(around_async)
    app.get("/", name="async")(handler_async)
    app.get("/never")(handler)
    app.plan()
    first, never = (app._routing.router.literal[path]["GET"] for path in ("/", "/never"))
    assert (first.found, never.found) == (None, None)
    with ThreadPoolExecutor(8) as pool:
        found = {*pool.map(lambda _: app._find(Request.blank("/")), range(8))}
    assert found == {(first, None)} == {first.found}
    assert (first.surroundings, first.for_wsgi.runs_on) == (Surroundings.IN_PLACE, LOOP)
    assert never.found is None
