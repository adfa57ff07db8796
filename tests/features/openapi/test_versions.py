"""Documents of an API that has versions, as blueprints or as mounted applications, and the catalog of documents."""

from typing import Any

import pytest

from antiphon import App, Blueprint, Request, Response
from antiphon.features import APIKey, MemoryStore, OpenAPI, Users, login_required
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

CATALOG = "/.well-known/api-catalog"


def lamp(request: Request, number: int) -> str:
    return "Desk"


def by_blueprints() -> App:
    app = App(store=MemoryStore())
    app.use(Users(APIKey({}.get)))
    for number in (1, 2):
        version = Blueprint(f"v{number}")
        version.get("/lamps/<int:number>", before=login_required)(lamp)
        app.register(version, prefix=f"/v{number}")
        app.use(OpenAPI("Shop", version=str(number), prefix=f"/v{number}"))
    return app


def by_mounts() -> App:
    app = App()
    for number in (1, 2):
        version = App(store=MemoryStore())
        version.use(Users(APIKey({}.get, header=f"X-Key-{number}")))
        version.get("/lamps/<int:number>", before=login_required)(lamp)
        version.use(OpenAPI("Shop", version=str(number)))
        app.mount(f"/v{number}", version)
    return app


BY = [(by_blueprints, ["X-API-Key"]), (by_mounts, ["X-Key-1", "X-Key-2"])]


@rows("made, keys", BY)
def test_one_document_describes_all_versions(made: Any, keys: list[str]) -> None:
    app = made()
    app.use(OpenAPI("All", catalog=True))
    document = Client(app).get("/openapi.json").json
    assert [*document["paths"]] == ["/v1/lamps/{number}", "/v2/lamps/{number}"]
    operations = [path["get"] for path in document["paths"].values()]
    assert [each["operationId"] for each in operations] == ["v1.lamp", "v2.lamp"]
    schemes = document["components"]["securitySchemes"]
    named = [name for each in operations for name in each["security"][0]]
    assert [*dict.fromkeys(schemes[name]["name"] for name in named)] == keys


@rows("made, keys", BY)
def test_each_version_has_a_document(made: Any, keys: list[str]) -> None:
    client = Client(made())
    for number, key in ((1, keys[0]), (2, keys[-1])):
        document = client.get(f"/v{number}/openapi.json").json
        assert document["info"]["version"] == str(number)
        above = document.get("servers", [{"url": ""}])[0]["url"]
        assert [above + path for path in document["paths"]] == [f"/v{number}/lamps/{{number}}"]
        assert [each["name"] for each in document["components"]["securitySchemes"].values()] == [key]
        assert client.get(f"/v{number}/docs").status == 200


@rows("made, keys", BY)
def test_a_catalog_lists_all_documents(made: Any, keys: list[str]) -> None:
    app = made()
    app.use(OpenAPI("All", docs=None, servers=["https://api.example/"], catalog=True))
    app.mount("/any/<tenant>" if made is by_blueprints else "/other", made(), host="other.example")
    outer = App()
    outer.mount("/shop", app)
    for client, base in ((Client(app), ""), (Client(outer), "/shop")):
        response = client.get(base + CATALOG)
        media = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
        assert (response.status, response.headers["content-type"]) == (200, media)
        entries = {each["anchor"]: each for each in response.json["linkset"]}
        url = f"http://testserver{base}"
        assert {*entries} == {"https://api.example/", f"{url}/v1", f"{url}/v2"}
        assert entries[f"{url}/v2"]["service-desc"] == [
            {"href": f"{url}/v2/openapi.json", "type": "application/json", "title": "Shop 2"}
        ]
        assert entries[f"{url}/v2"]["service-doc"][0]["href"] == f"{url}/v2/docs"
        assert "service-doc" not in entries["https://api.example/"]


def test_the_catalog_and_the_home_page_have_the_link_that_the_rfc_requires() -> None:
    app, outer = App(), App()
    app.use(OpenAPI("All", catalog=True))
    app.get("/")(lambda request: Response.text("Home", headers={"link": "</a.css>; rel=preload"}))
    app.get("/other")(lambda request: "Other")
    outer.mount("/shop", app)
    for client, base in ((Client(app), ""), (Client(outer), "/shop")):
        link = f"<{base}{CATALOG}>; rel=api-catalog"
        assert client.head(base + CATALOG).headers["link"] == link
        assert client.get(f"{base}/").headers["link"] == f"</a.css>; rel=preload, {link}"
        assert "link" not in client.get(f"{base}/other").headers
    assert Client(by_blueprints()).get(CATALOG).status == 404
