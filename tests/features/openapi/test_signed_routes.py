"""Signatures in the document of an API: the scheme, and the answers to what is not signed."""

import pytest

from antiphon import App, Request
from antiphon.features import Bearer, OpenAPI, Signatures, Users, login_required
from antiphon.testing import Client

pytestmark = pytest.mark.once


def test_a_signed_route_demands_a_signature():
    app = App()
    app.use(Users(Bearer(lambda token: None)))
    app.use(Signatures({"p": b"a secret that both sides know"}))
    app.use(Signatures({"p": b"a secret that both sides know"}, name="agents", required=False))

    @app.post("/orders", signed_by="partners", check_digest=True)
    def order(request: Request) -> dict[str, str]:
        return {}

    @app.get("/page", signed_by="agents")
    def page(request: Request) -> dict[str, str]:
        return {}

    @app.get("/mine", signed_by="partners", before=login_required)
    def mine(request: Request) -> dict[str, str]:
        return {}

    @app.get("/open")
    def open_(request: Request) -> dict[str, str]:
        return {}

    app.use(OpenAPI("Shop"))
    document = Client(app).get("/openapi.json").json
    paths, schemes = document["paths"], document["components"]["securitySchemes"]
    assert (schemes["signature"]["type"], schemes["signature"]["name"]) == ("apiKey", "Signature")
    assert paths["/orders"]["post"]["security"] == [{"signature": []}]
    assert {"400", "401"} <= paths["/orders"]["post"]["responses"].keys()
    assert paths["/page"]["get"]["security"] == [{"signature": []}, {}]
    assert paths["/mine"]["get"]["security"] == [{"bearer": [], "signature": []}]
    assert "security" not in paths["/open"]["get"]
