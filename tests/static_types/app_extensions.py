"""Extensions of applications: features, hooks, middleware, sources, stores and observers."""

from collections.abc import Mapping

from antiphon import App, Dependency, Exchange, Observer, Request
from antiphon.features import Health, MemoryStore, Sessions, Users, UserSource
from antiphon.http import Challenge


class Tenant:
    def __init__(self, name: str) -> None:
        self.name = name


TENANT = Dependency[Tenant]("tenant", fix="app.use(Tenants())")


class Tenants:
    def __init__(self, known: Mapping[str, Tenant]) -> None:
        self._known = known

    def install(self, app: App) -> None:
        app.provide(TENANT, self._find)
        app.template_context(tenant=lambda request: request[TENANT].name)

    def _find(self, request: Request) -> Tenant:
        return self._known[request.host.partition(".")[0]]


class DatabaseLike:
    def commit(self) -> None: ...


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


PROGRAMS = [source_of_users, observer, store]
