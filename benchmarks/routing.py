"""`python -m benchmarks.routing`: a lookup among 10 routes and among 10,000, beside other routers, in one run.

Half of the routes are literal, half have a parameter under one prefix. Fails where a lookup of ours among 10,000 takes
more than 1.2 times what it takes among 10. Each router is called below its framework: only the lookup is timed.
"""

import sys
from collections.abc import Callable
from time import perf_counter_ns

from antiphon.routing.router import Router

FEW, MANY = 10, 10_000
LIMIT = 1.2
CALLS, ROUNDS = 200, 25
SLOW_CALLS, SLOW_ROUNDS = 2, 3
SLOW = 200.0
"""Microseconds above which a lookup is sampled less."""

Find = Callable[[str], bool]


def literal(number: int) -> str:
    return f"/pages/b{number:05}"


def dynamic(number: int, parameter: str) -> str:
    return f"/items/{parameter}/a{number:05}"


def antiphon(count: int) -> Find:
    router: Router[bool] = Router()
    for number in range(count // 2):
        router.resource(literal(number)).methods["GET"] = True
        router.resource(dynamic(number, "<int:id>")).methods["GET"] = True

    def find(path: str) -> bool:
        return (router.literal.get(path) or router.deep.get(path) or router.search(path)) is not None

    return find


def werkzeug(count: int) -> Find:
    from werkzeug.exceptions import NotFound
    from werkzeug.routing import Map, Rule

    rules = [Rule(literal(number), endpoint="x") for number in range(count // 2)]
    rules += [Rule(dynamic(number, "<int:id>"), endpoint="x") for number in range(count // 2)]
    adapter = Map(rules).bind("localhost")

    def find(path: str) -> bool:
        try:
            adapter.match(path)
        except NotFound:
            return False
        return True

    return find


def starlette(count: int) -> Find:
    from starlette.routing import Match, Route

    routes = [Route(literal(number), print) for number in range(count // 2)]
    routes += [Route(dynamic(number, "{id:int}"), print) for number in range(count // 2)]

    def find(path: str) -> bool:
        scope = {"type": "http", "path": path, "root_path": "", "method": "GET"}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    return find


def falcon(count: int) -> Find:
    from falcon.routing import CompiledRouter

    class Resource:
        def on_get(self, req: object, resp: object, **params: object) -> None: ...

    router = CompiledRouter()
    for number in range(count // 2):
        router.add_route(literal(number), Resource())
        router.add_route(dynamic(number, "{id:int}"), Resource())
    return lambda path: router.find(path) is not None


ROUTERS = {"antiphon": antiphon, "werkzeug": werkzeug, "starlette": starlette, "falcon": falcon}


def lookups(count: int) -> dict[str, tuple[str, bool]]:
    """Paths by name, and whether they are to be found."""
    last = count // 2 - 1
    return {
        "first literal": (literal(0), True),
        "last literal": (literal(last), True),
        "first dynamic": (dynamic(0, "7"), True),
        "last dynamic": (dynamic(last, "7"), True),
        "missing": (dynamic(99_999, "7"), False),
    }


def sample(find: Find, path: str, calls: int) -> float:
    """Microseconds a lookup."""
    start = perf_counter_ns()
    for _ in range(calls):
        find(path)
    return (perf_counter_ns() - start) / calls / 1000


def compare(few: Find, many: Find, name: str) -> tuple[float, float]:
    """The best time of a lookup in each, measured in turns."""
    (short, _), (long, _) = lookups(FEW)[name], lookups(MANY)[name]
    is_slow = sample(many, long, 1) > SLOW and sample(many, long, 1) > SLOW
    calls, rounds = (SLOW_CALLS, SLOW_ROUNDS) if is_slow else (CALLS, ROUNDS)
    times = [(sample(few, short, calls), sample(many, long, calls)) for _ in range(rounds)]
    return min(few for few, _ in times), min(many for _, many in times)


def main() -> int:
    print(f"Microseconds a lookup among {FEW} routes and among {MANY:,}, and the ratio\n")
    print("".join([f"{'':14}", *(f"{name:>26}" for name in lookups(FEW))]))
    grown = []
    for router, make in ROUTERS.items():
        few, many = make(FEW), make(MANY)
        for find, count in ((few, FEW), (many, MANY)):
            for path, is_there in lookups(count).values():
                assert find(path) is is_there, (router, path)
        cells = {name: compare(few, many, name) for name in lookups(FEW)}
        texts = (f"{one:.2f} {other:.2f} ({other / one:.2f}x)" for one, other in cells.values())
        print("".join([f"{router:14}", *(f"{text:>26}" for text in texts)]), flush=True)
        if router == "antiphon":
            grown = [name for name, (one, other) in cells.items() if other > LIMIT * one]
    for name in grown:
        print(f"GROWS: {name} takes more than {LIMIT} times as long among {MANY:,} routes")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
