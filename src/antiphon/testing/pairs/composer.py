"""Programs from a seed: features in random order and place, routes of every kind, callers of every kind."""

from collections.abc import Collection, Iterator
from importlib.util import find_spec
from itertools import combinations
from random import Random

from antiphon.testing.pairs import varied
from antiphon.testing.pairs.programs import Around, Caller, Feature, Group, Option, Program, Route, Sent, Sign
from antiphon.testing.pairs.rendering import APP, VIEWS
from antiphon.testing.pairs.routes import DIALECT, KINDS, NEED_A_FEATURE, NOTES, SHOWN, Requests

_YIELD = "middleware(errors_at_yield=True)"
_AROUND = (
    ("before_request", "", "request.g.seen = request.method"),
    ("after_request", ", response", 'response.headers["x-after"] = request.method'),
    ("middleware", "", 'response = yield\n    response.headers["x-around"] = str(response.status)'),
    (_YIELD, "", "try:\n        response = yield\n    finally:\n        request.g.is_closed = True"),
    ("middleware", "", 'if request.headers.get("x-stop"):\n        abort(410, "Stopped.")\n    yield'),
    ("before_request", "", 'if request.headers.get("x-stop"):\n        return "stopped", 418'),
    ("after_request", ", response", """request.after_response(lambda: None)
    if response.status == 404:
        return Response("none here", 404)"""),
    ("middleware", "", """response = yield
    if response.status == 500:
        response.headers["x-error"] = type(response.error).__name__
        response.reraise()"""),
    (_YIELD, "", 'try:\n        yield\n    except Broken:\n        yield Response("caught", 503)'),
    ("errorhandler(Broken)", ", error", 'return f"{{error}} of {{request.headers.get(\'x-tenant\')}}", 500, CACHED'),
    ("errorhandler(404)", ", error", 'return Response.html(f"<p>{{request.cookies.get(\'seat\')}}", 404, CACHED)'),
    ("errorhandler(405)", ", error", 'return f"not so, {{request.headers.get(\'x-tenant\')}}", 405, CACHED'),
    ("after_request", ", response", 'response.headers.setdefault("cache-control", "public, max-age=60")'),
    ("before_send", ", response", 'response.headers.setdefault("cache-control", "s-maxage=60")'),
)  # fmt: skip
AROUND = tuple([
    f"@{{target}}.{kind}\n{{color}}def {{name}}(request{given}):\n{{waits}}    {body}" for kind, given, body in _AROUND
])  # fmt: skip
"""Hooks, middleware and error handlers that change nothing that rules look at."""
SHARED = Sign("staging", "", "", frozenset(), fields=(("authorization", "Basic c3RhZ2luZzpzdGFnaW5n"),))
"""Credentials that all visitors of a site share, as before a site that is tested: they tell nobody apart."""
DJANGO = """\
import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import URLResolver, path
from django.urls.resolvers import RegexPattern

if not settings.configured:
    # Without this, Django would disable the framework's loggers, and no rule would see what they write.
    quiet = {{"version": 1, "disable_existing_loggers": False, "loggers": {{"django": {{"level": "CRITICAL"}}}}}}
    settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 50, ROOT_URLCONF="django.conf.urls", LOGGING=quiet)
    django.setup(set_prefix=False)


class Site({interface}Handler):
    def resolve_request(self, request):
        request.resolver_match = URLResolver(RegexPattern("^/"), self.urls).resolve(request.path_info)
        return request.resolver_match


{name} = Site()
{name}.urls = []"""
GROUPS = {
    "blueprint": ('{name} = Blueprint("{name}", prefix="/{name}")', "app.register({name})"),
    "mounted": (f"{{name}} = {APP.replace('100', '50')}", 'app.mount("/{name}", {name})'),
    "flask": ("from flask import Flask\n\n{name} = Flask('{name}')", 'app.mount("/{name}", {name})'),
    "dialect": (
        "from antiphon.dialects import flask as dialect\n\n{name} = dialect.Flask('{name}')",
        'app.mount("/{name}", {name})',
    ),
    "starlette": (
        "from starlette.applications import Starlette\nfrom starlette.routing import Route\n\n{name} = Starlette()",
        'app.mount("/{name}", {name})',
    ),
    "django": (DJANGO, 'app.mount("/{name}", {name})'),
}
"""What routes are added to, beside the application: the lines that make it, and those that add it."""
STORES = ("MemoryStore()", "SQLiteStore(Path(mkdtemp(), 'store.db'))")


def program_of(seed: int, features: list[Feature], wanted: Collection[str] = ()) -> Program:
    """Return the program of a seed, the same one on every machine with these features: with one of those ``wanted``."""
    return _Composer(Random(seed), seed, features, wanted).program(seed)


class _Composer:
    def __init__(self, random: Random, seed: int, features: list[Feature], wanted: Collection[str]) -> None:
        self._random = random
        self._known = {each.name: each for each in sorted(features, key=lambda each: each.name)}
        pairs = [each for each in combinations(self._known, 2) if not wanted or {*wanted} & {*each}]
        self._pair = pairs[seed % len(pairs)]
        self._count = 0

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def program(self, seed: int) -> Program:
        """Compose a program."""
        random = self._random
        used = self._features()
        features = [("app", each) for each in used]
        around = [*self._around("app", random.choice([0, 0, 1, 2]))]
        groups, routes = [], [*self._routes("app", "app", "", used, random.randint(2, 4))]
        packages = {"dialect": "blinker", **{name: name for name in VIEWS}}
        known = [each for each in GROUPS if each not in packages or find_spec(packages[each])]
        for kind in random.sample(known, random.choice([0, 0, 1, 1, 2])):
            name = self._name("part")
            interface = random.choice(["WSGI", "ASGI"])
            group = Group(name, kind, *[each.format(name=name, interface=interface) for each in GROUPS[kind]])
            own = [*self._features_of(kind, used)]
            features += [(name, each) for each in own]
            groups.append(group)
            if kind in ("blueprint", "mounted"):
                around += self._around(name, random.choice([0, 0, 1]))
            routes += self._routes(kind, name, f"/{name}", own if kind == "mounted" else used, random.randint(1, 2))
        if random.random() < 0.5 and any(route.kind in varied.KINDS for route in routes):
            color, then = random.choice(["", "async "]), random.choice(["", "", varied.FAILS])
            around.append(Around("opened", varied.OPENED.format(color=color, name="opened", then=then)))
        own_routes = [route for target, each in features if target == "app" for route in each.routes]
        store, routes_of_all = random.choices(STORES, [9, 1])[0], (*own_routes, *routes)
        program = Program(seed, tuple(features), tuple(around), tuple(groups), routes_of_all, (), store)
        return self._with_requests(program, routes)

    def _features(self) -> list[Feature]:
        """Choose the pair of features that is the seed's turn, up to five others, and those that they need."""
        random = self._random
        chosen: list[Feature] = []
        names = random.sample([*self._known], min(len(self._known), random.choice([0, 1, 1, 2, 3, 5])))
        for name in random.sample([*self._pair, *names], len(self._pair) + len(names)):
            if len(chosen) < 7:
                self._use(name, chosen)
        return chosen

    def _use(self, name: str, chosen: list[Feature]) -> None:
        each = self._known[name]
        if each in chosen or (each.one_of and any(other.one_of == each.one_of for other in chosen)):
            return
        for needed in each.needs:
            self._use(needed, chosen)
        if {*each.needs} <= {name for other in chosen for name in (other.name, other.one_of)}:
            chosen.append(each)

    def _features_of(self, kind: str, used: list[Feature]) -> Iterator[Feature]:
        """Yield features for a group: those of the application that know callers, and others that it doesn't use."""
        if kind == "mounted":
            known = [each for each in used if each.identities]
            yield from known if self._random.random() < 0.6 else [each for each in known if each.in_views]
        if kind in ("blueprint", "mounted"):
            fitting = [each for each in self._known.values() if kind in each.places and each not in used]
            yield from self._random.sample(fitting, min(len(fitting), self._random.choice([0, 1, 1, 2])))

    def _around(self, target: str, count: int) -> Iterator[Around]:
        for form in self._random.sample(AROUND, count):
            name, color = self._name("around"), "" if "before_send" in form else self._random.choice(["", "async "])
            waits = "    await asyncio.sleep(0)\n" if color else ""
            yield Around(name, form.format(target=target, name=name, color=color, waits=waits), target)

    def _routes(self, place: str, target: str, prefix: str, features: list[Feature], count: int) -> Iterator[Route]:
        more = {kind for each in features for kind in each.kinds}
        fitting = [
            kind for kind in KINDS if place in KINDS[kind].places and (kind not in NEED_A_FEATURE or kind in more)
        ]
        for kind in self._random.choices(fitting, [KINDS[each].rate for each in fitting], k=count):
            route = KINDS[kind].make(self._random, self._name("route"))
            options = tuple(self._options(place, kind, features))
            if route.is_late and self._random.random() < 0.7:  # else the caller is known ahead of its head
                options = ()
            if place == "dialect":
                route = route._replace(body=DIALECT[kind], pattern=f"/{route.name}", parameter="", is_async=False)
            elif kind == "page" and place in ("app", "blueprint", "mounted"):
                route = self._of_feature(route, features)
            if route.options:  # of a body that is read late, nothing is known ahead of the handler
                options = tuple([each for each in options if not (each[1].once or "signer" in each[1].requires)])
            refused = {name for _, each in options for name in each.refuses}
            options = tuple([each for each in options if each[0] not in refused])
            yield route._replace(target=target, prefix=prefix, options=(*route.options, *options))

    def _of_feature(self, route: Route, features: list[Feature]) -> Route:
        """Return a page that uses one of the features, or the same one."""
        bodies = [body for each in features for body in each.pages]
        if not bodies or self._random.random() < 0.5:
            return route
        shown = SHOWN.replace("NOTE", route.parameter or NOTES[0])
        body = self._random.choice(bodies).replace("SHOWN", shown).replace("NOTE", route.parameter or NOTES[0])
        return route._replace(body=body, is_async=route.is_async or "await" in body)

    def _options(self, place: str, kind: str, features: list[Feature]) -> Iterator[tuple[str, Option]]:
        if place == "dialect":
            return
        is_view = place in VIEWS
        for each in features:
            fitting = [option for option in each.options if kind in option.kinds and (option.in_view or not is_view)]
            if fitting:
                option = self._random.choice(fitting)
                likely = 0.7 if each.name in self._pair and option.rate > 0.1 else 0.0
                if self._random.random() < max(option.rate, likely):
                    yield each.name, option

    def _callers(self, program: Program) -> list[Caller]:
        """Return an anonymous caller, those of each sign, and some that have two signs."""
        signs = [*dict.fromkeys(sign for _, each in program.features for sign in each.signs), SHARED]
        callers = [Caller(()), Caller((SHARED,)), *[Caller((each,)) for each in signs[:-1]]]
        own = self._random.choice([each.signs for _, each in program.features if each.signs] or [()])
        callers += [Caller((SHARED, each)) for each in own[:2] if _go_together(SHARED, each)]
        for _ in range(3 if len(signs) > 2 else 0):
            one, other = self._random.sample(signs, 2)
            if _go_together(one, other) and Caller((one, other)) not in callers:
                callers.append(Caller((one, other)))
        return callers

    def _with_requests(self, program: Program, routes: list[Route]) -> Program:
        callers = self._callers(program)
        requests = Requests(self._random, program, callers)
        for_all = [each for each in program.routes if each.kind == "of feature"]
        runs = [[*requests.to(route)] for route in self._random.sample(routes, len(routes))]
        found = sorted([sent for run in runs for sent in run], key=lambda sent: sent.like == "left")
        seen = dict.fromkeys(each.caller for each in found)
        begins = [sent for caller in seen for sent in self._begins(program, caller)]
        shown = [Sent(Caller(()), "GET", each.pattern, each.name) for each in for_all]
        return program._replace(sent=(*begins, *found, *shown))

    def _begins(self, program: Program, caller: Caller) -> Iterator[Sent]:
        """Yield the requests with which a caller begins: logins, and what writes need."""
        begin = [each for each in program.routes if each.kind == "begin"]
        pages = [each for each in begin if each.method == "GET"]
        needed = tuple([field for _, each in program.features for field in each.writes_send])
        yield from (Sent(caller, "GET", each.pattern, each.name) for each in pages)
        for sign in caller.signs:
            for method, path in sign.begins:
                route = next(each for each in begin if path.startswith(each.pattern.partition("<")[0]))
                yield Sent(caller, method, path, route.name, needed)
                yield from (Sent(caller, "GET", each.pattern, each.name) for each in pages)


def _go_together(one: Sign, other: Sign) -> bool:
    """Return True for two signs that one caller can have: they name no two people, in fields of their own."""
    are_apart = {name for name, _ in one.fields}.isdisjoint({name for name, _ in other.fields})
    return are_apart and (one.kind != other.kind or one.value == other.value or one.is_bad or other.is_bad)
