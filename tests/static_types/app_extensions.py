"""Ten extensions of applications: features, hooks, middleware, sources, stores and observers."""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, TypeVar

from jinja2 import DictLoader

from antiphon import App, Blueprint, Dependency, Exchange, Observer, Request, Response, current_request
from antiphon.features import Health, MemoryStore, Sessions, Templates, Users, UserSource
from antiphon.http import Challenge, Forbidden, TooManyRequests
from antiphon.types import ResponseLike

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseLike)
T = TypeVar("T")


class Tenant:
    def __init__(self, name: str) -> None:
        self.name = name


TENANT = Dependency[Tenant]("tenant", fix="app.use(Tenants())")


class Tenants:
    """A feature with a dependency."""

    def __init__(self, known: Mapping[str, Tenant]) -> None:
        self._known = known

    def install(self, app: App) -> None:
        app.provide(TENANT, self._find)
        app.template_context(tenant=lambda request: request[TENANT].name)

    def _find(self, request: Request) -> Tenant:
        return self._known[request.host.partition(".")[0]]


def feature_with_a_dependency() -> App:
    app = App()
    app.use(Tenants({"localhost": Tenant("local")}))
    app.get("/")(lambda request: request[TENANT].name)
    return app


class Flags:
    """A feature with a hook, a route and a cookie."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def install(self, app: App) -> None:
        flags = Blueprint("flags", prefix="/flags")
        flags.post("/<name>", name="switch")(self._switch)
        app.register(flags)
        app.after_request(self._note)

    def _switch(self, request: Request, name: str) -> Response:
        response = Response.redirect("/")
        response.set_cookie(name, "on", httponly=True)
        return response

    def _note(self, request: Request, response: Response) -> None:
        response.headers["x-flags"] = ",".join(name for name in self.names if request.cookies.get(name) == "on")


def feature_with_a_hook() -> App:
    app = App()
    app.use(Flags(["dark"]))
    return app


def middleware_of_both_kinds() -> App:
    app = App()

    @app.middleware
    def timing(request: Request) -> Generator[None, Response, None]:
        started = time.perf_counter()
        response = yield
        response.headers["server-timing"] = f"app;dur={(time.perf_counter() - started) * 1e3:.1f}"

    @app.middleware
    async def closed(request: Request) -> AsyncGenerator[Response | None, Response]:
        if request.path == "/closed":
            yield Response("We are closed.", 503)
            return
        response = yield None
        response.vary("Cookie")

    return app


class DatabaseLike:
    def commit(self) -> None: ...


TRANSACTION = Dependency[DatabaseLike]("transaction")


class Transactions:
    """A feature whose dependency is closed with the response, and which writes alone have."""

    def install(self, app: App) -> None:
        app.provide(TRANSACTION, self._begin, blocking=True, only_writes=True)

    def _begin(self, request: Request) -> Iterator[DatabaseLike]:
        database = DatabaseLike()
        yield database
        database.commit()


def transactions() -> App:
    app = App()
    app.use(Transactions())

    @app.post("/orders")
    def create(request: Request) -> None:
        request[TRANSACTION].commit()

    return app


class APIKey(UserSource[str]):
    """A kind of credentials."""

    def credentials(self, request: Request) -> tuple[str] | None:
        key = request.headers.get("x-api-key")
        return None if key is None else (key,)

    def challenge(self, request: Request) -> Challenge:
        return Challenge("ApiKey", {"realm": "shop"})


def source_of_users() -> App:
    app = App()
    caller = Dependency[str]("caller")
    app.use(Users(APIKey({"k7Qz": "ada"}.get), required=caller))
    app.get("/")(lambda request: request[caller].upper())
    return app


class Slow(Observer):
    """An observer that counts slow requests."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.paths: list[str] = []

    def sent(self, exchange: Exchange) -> None:
        if exchange.seconds > self.seconds:
            self.paths.append(f"{exchange.method} {exchange.path}")


def observer() -> App:
    app = App()
    app.observe(Slow(1.0))
    return app


class CountingStore(MemoryStore):
    """A store that counts its entries."""

    changes = 0

    def delete(self, key: str) -> bool:
        self.changes += 1
        return super().delete(key)


def store() -> App:
    app = App()
    kept = CountingStore()
    app.use(Sessions(kept))
    app.use(Health(checks={"database": DatabaseLike().commit, "sessions": kept}))
    app.get("/count")(lambda request: {"count": kept.changes})
    return app


def only_in(country: str) -> Callable[[Request], None]:
    """Return a hook for a route."""

    def check(request: Request) -> None:
        if request.headers.get("x-country") != country:
            raise Forbidden(f"This is for {country} alone.")

    return check


def logged(function: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R]:
    """Decorate a handler, whatever parameters it has."""

    @wraps(function)
    def called(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        request.g.calls = [*request.g.get("calls", []), function.__name__]
        return function(request, *args, **kwargs)

    return called


def hooks_and_decorators() -> App:
    app = App()

    @app.get("/<int:number>", before=[only_in("NL"), only_in("NL")])
    @logged
    def item(request: Request, number: int) -> dict[str, int]:
        return {"number": number}

    return app


class Cached(Generic[T]):
    """A value that is computed once a minute, for requests and for templates."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._kept: tuple[float, T] | None = None

    def __call__(self, request: Request) -> T:
        if self._kept is None or time.monotonic() - self._kept[0] > 60:
            self._kept = time.monotonic(), self._compute()
        return self._kept[1]


def shared_values() -> App:
    app = App()
    prices = Dependency[dict[str, float]]("prices")
    app.use(Templates(DictLoader({"prices.html": "{{ prices }}"})))
    app.provide(prices, Cached(lambda: {"tea": 2.5}))
    app.template_context(prices=lambda request: request[prices])
    app.get("/")(lambda request: sorted(request[prices]))
    return app


CALLER: ContextVar[str] = ContextVar("caller", default="nobody")


class Quota:
    """A feature that knows the current request where nobody hands it over."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.calls: dict[str, int] = {}

    def install(self, app: App) -> None:
        app.before_request(self._count)

    def _count(self, request: Request) -> Response | None:
        CALLER.set(request.ip or "nobody")
        spend(self)
        return None


def spend(quota: Quota) -> None:
    calls = quota.calls[CALLER.get()] = quota.calls.get(CALLER.get(), 0) + 1
    if calls > quota.most:
        raise TooManyRequests(f"{current_request().path} was asked for too often.", retry_after=60)


def quota() -> App:
    app = App()
    app.use(Quota(2))
    app.get("/")(lambda request: CALLER.get())
    return app


PROGRAMS = [
    feature_with_a_dependency, feature_with_a_hook, middleware_of_both_kinds, transactions, source_of_users, observer,
    store, hooks_and_decorators, shared_values, quota,
]  # fmt: skip
