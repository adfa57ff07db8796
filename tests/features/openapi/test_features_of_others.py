"""The document of an application that uses features of other packages: they say what the library's own say."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Struct

from antiphon import App, Request, RouteKey
from antiphon.embedding import Added
from antiphon.features import OpenAPI, Users, UserSource, login_required
from antiphon.features.openapi.audit.routes import audited_routes
from antiphon.http import Unauthorized
from antiphon.testing import Client

pytestmark = pytest.mark.once

SEALED = RouteKey[bool]("sealed")
BY_CERTIFICATE = {"type": "mutualTLS"}
TEXT = {"type": "string"}
SEAL = {"type": "apiKey", "in": "header", "name": "Seal"}


class Certificate(UserSource[str]):
    def credentials(self, request: Request) -> tuple[str] | None:
        return None

    def scheme(self, app: App) -> tuple[str, Mapping[str, Any]]:
        return "certificate", BY_CERTIFICATE


class Seals:
    def install(self, app: App) -> None:
        app.before_request(self._check)

    def _check(self, request: Request) -> None: ...

    def __adds__(self, route, method):
        if (strictly := route.meta.get(SEALED)) is not None:
            yield Added(security=("seal", SEAL), is_optional=not strictly, protects="seal", per_minute=5)
            yield Added(parameter=("Seal-Tenant", {"type": "string"}), form_field="tenant", is_optional=not strictly)


class Trusted:
    """A hook that requires scopes."""

    __scopes__ = ("orders",)

    def __call__(self, request: Request) -> None:
        if request.user is None:
            raise Unauthorized


class Page:
    """A part of a list, which it reads from the query."""

    def __init__(self, wanted: type, request: Request, *, sizes: tuple[str, ...] = ()) -> None:
        self.wanted = request.query_as(wanted)

    @staticmethod
    def __takes__(wanted: type, sizes: tuple[str, ...] = ()) -> tuple[str, type]:
        return "query", wanted


class Range(Struct):
    first: str


@pytest.fixture(scope="module")
def app():
    app = App()
    app.use(Users(Certificate(lambda name: name)))
    app.use(Seals())
    app.use(OpenAPI("Shop"))

    @app.post("/mine", meta={SEALED: True}, before=login_required)
    def mine(request: Request) -> dict[str, str]:
        return {}

    @app.post("/form", meta={SEALED: False})
    def form(request: Request) -> dict[str, str]:
        return {"name": request.form["name"]}

    @app.get("/list", before=Trusted())
    def list_(request: Request) -> dict[str, str]:
        page = Page(Range, request, sizes=("10", "20"))
        return {"first": page.wanted.first}

    @app.get("/open")
    def open_(request: Request) -> dict[str, str]:
        return {}

    return app


def test_they_add_credentials_proofs_and_parameters(app):
    document = Client(app).get("/openapi.json").json
    operations = {path: operation for path, item in document["paths"].items() for operation in item.values()}
    assert document["components"]["securitySchemes"] == {"certificate": BY_CERTIFICATE, "seal": SEAL}
    assert {path: each.get("security") for path, each in operations.items()} == {
        "/form": [{"seal": []}, {}],
        "/list": [{"certificate": ["orders"]}],
        "/mine": [{"certificate": [], "seal": []}],
        "/open": None,
    }
    tenant = {"name": "Seal-Tenant", "in": "header", "schema": {"type": "string"}}
    in_field = "A form may have it in its field `tenant`."
    assert {path: each.get("parameters") for path, each in operations.items()} == {
        "/form": [{**tenant, "description": in_field, "required": False}],
        "/list": [{"name": "first", "in": "query", "required": False, "schema": TEXT}],
        "/mine": [{**tenant, "required": True}],
        "/open": None,
    }


def test_an_audit_knows_what_they_protect(app):
    found = {each.path: "seal" in each.protection for each in audited_routes(app)}
    assert found == {"/mine": True, "/form": True, "/list": False, "/open": False}
