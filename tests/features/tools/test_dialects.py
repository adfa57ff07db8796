"""Views of Flask and Pyramid as tools, of an application that is mounted."""

import pytest

from antiphon import App
from antiphon.dialects.flask import Flask, abort, request
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound
from antiphon.features import OpenAPI, Tool, Tools
from antiphon.testing import Client
from tests.helpers.rows import rows

LAMPS = {7: "Globe"}


def make_flask():
    shop = Flask("shop")

    @shop.get("/lamps/<int:number>")
    def show_lamp(number):
        """Show a lamp."""
        return {"name": LAMPS.get(number) or abort(404, "There is no such lamp.")}

    @shop.post("/lamps/<int:number>")
    def rename_lamp(number):
        """Rename a lamp."""
        return {"number": number, "name": request.get_json()["name"]}

    return shop


def show(request):
    """Show a lamp."""
    name = LAMPS.get(int(request.matchdict["number"]))
    if name is None:
        raise HTTPNotFound("There is no such lamp.")
    return {"name": name}


def rename(request):
    """Rename a lamp."""
    return {"number": int(request.matchdict["number"]), "name": request.json_body["name"]}


def make_pyramid():
    config = Configurator()
    config.add_route("show_lamp", "/lamps/{number}")
    config.add_route("rename_lamp", "/renamed/{number}")
    config.add_view(show, route_name="show_lamp", renderer="json", request_method="GET")
    config.add_view(rename, route_name="rename_lamp", renderer="json", request_method="POST")
    return config.make_wsgi_app()


def client_of(shop, tools):
    app = App()
    app.mount("/shop", shop)
    app.use(Tools(OpenAPI("Shop"), dialect=shop, tools=tools))
    return Client(app)


@rows("make", [make_flask, make_pyramid])
def test_views_that_are_named_are_tools(make):
    client = client_of(make(), {"show_lamp": True, "rename_lamp": Tool(destructive=True)})
    listed = client.tools.list()
    assert [(name, each["description"]) for name, each in listed.items()] == [
        ("rename_lamp", "Rename a lamp"),
        ("show_lamp", "Show a lamp"),
    ]
    assert listed["rename_lamp"]["annotations"]["destructiveHint"]
    assert client.tools.call("show_lamp", number=7).data == {"name": "Globe"}
    missing = client.tools.call("show_lamp", number=8)
    assert (missing.is_error, "There is no such lamp." in missing.text) == (True, True)
    renamed = client.tools.call("rename_lamp", number=7, body={"name": "Cube"})
    assert renamed.data == {"number": 7, "name": "Cube"}


@rows("make", [make_flask, make_pyramid])
def test_a_view_that_is_not_named_is_no_tool(make):
    client = client_of(make(), {"show_lamp": True, "rename_lamp": False})
    assert [*client.tools.list()] == ["show_lamp"]
    with pytest.raises(AssertionError, match="Unknown tool"):
        client.tools.call("rename_lamp", number=7)


def test_a_name_without_a_view_and_an_app_that_is_not_mounted():
    shop = make_flask()
    app = App()
    with pytest.raises(LookupError, match="is not mounted"):
        Tools(OpenAPI("Shop"), dialect=shop, tools={"show_lamp": True}).definitions_in(app)
    app.mount("/shop", shop)
    with pytest.raises(LookupError, match="no route with the name 'sing'"):
        Tools(OpenAPI("Shop"), dialect=shop, tools={"sing": True}).definitions_in(app)


def make_flask_things():
    shop = Flask("shop")
    shop.delete("/things/<name>", endpoint="remove")(lambda name: f"remove {name}")
    shop.delete("/things/all", endpoint="remove_all")(lambda: "remove all")
    return shop


def make_pyramid_things():
    config = Configurator()
    for name, pattern in (("remove_all", "/things/all"), ("remove", "/things/{name}")):
        config.add_route(name, pattern)
        config.add_view(
            lambda request: {"done": request.path}, route_name=name, renderer="json", request_method="DELETE"
        )
    return config.make_wsgi_app()


@rows("make", [make_flask_things, make_pyramid_things])
@rows("path", ["/mcp", "/in/mcp"])
def test_an_argument_can_t_lead_a_call_to_another_view(path, make):
    app = client_of(make(), {"remove": True}).app
    if path != "/mcp":
        outer = App()
        outer.mount("/in", app)
        app = outer
    done = {}
    for name in ("lamp", "all", "%61ll", "all;x", "a?b", "a b"):
        params = {"name": "remove", "arguments": {"name": name}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        done[name] = not Client(app).post(path, json=message).json["result"]["isError"]
    assert done == {"lamp": True, "all": False, "%61ll": True, "all;x": True, "a?b": True, "a b": True}
