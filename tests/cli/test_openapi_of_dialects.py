"""`antiphon openapi --dialect`: documents of applications that are written for Flask and for Pyramid."""

import json

import pytest

from tests.helpers import zygote

pytestmark = [pytest.mark.once, pytest.mark.processes]

FLASK = '''
from flask import Blueprint, Flask, abort, jsonify, redirect, render_template_string, request, url_for
from flask.views import MethodView

app = Flask(__name__)
api = Blueprint("api", __name__, url_prefix="/api")
lamps = {}


@app.route("/")
def index():
    """Show all lamps."""
    return render_template_string("<h1>Lamps</h1>")


@api.get("/lamps/<int:number>")
def show(number):
    """Show a lamp.

    The one with the number.
    """
    lamp = lamps.get(number)
    if lamp is None:
        abort(404, "There is no such lamp.")
    return {"id": number, "name": str(lamp)}


@api.route("/lamps", methods=["GET", "POST"])
def all_lamps():
    if request.method == "POST":
        data = request.get_json()
        lamps[len(lamps)] = data["name"]
        return jsonify({"id": len(lamps)}), 201
    page = request.args.get("page", 1, type=int)
    return jsonify([{"id": each} for each in lamps])


@api.post("/lamps/<string(length=2):code>/rename/<any(a, 'b'):kind>")
def rename(code: str, kind: str):
    lamps[0] = request.form["name"]
    request.headers.get("X-Reason")
    return redirect(url_for("api.show", number=0))


class Room(MethodView):
    def get(self, name):
        return f"<p>{name}</p>"

    def delete(self, name):
        return "", 204


@api.get("/strange")
def strange():
    return SHOWN[request.args["kind"]]()


SHOWN = {}
api.add_url_rule("/rooms/<path:name>", view_func=Room.as_view("room"))
app.register_blueprint(api)
'''
PYRAMID = '''
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPConflict, HTTPFound, HTTPNotFound

lamps = {}


def show(request):
    """Show a lamp."""
    number = request.matchdict["number"]
    if number not in lamps:
        raise HTTPNotFound("There is no such lamp.")
    return {"id": 1, "name": "Desk"}


def add(context, request):
    new = request.json_body
    if new in lamps:
        raise HTTPConflict()
    request.response.status = 201
    return {"id": 1}


def leave(request):
    request.GET["to"]
    return HTTPFound(location="/")


class Rooms:
    def __init__(self, request):
        self.request = request

    def rename(self):
        return {"name": self.request.POST["name"]}


def make():
    config = Configurator()
    config.add_route("lamp", "/lamps/{number:[0-9]{1,9}}")
    config.add_route("lamps", "/lamps")
    config.add_route("leave", "leave/*rest")
    config.add_route("room", "/rooms/{name}")
    config.add_view(show, route_name="lamp", renderer="json")
    config.add_view(add, route_name="lamps", request_method="POST", renderer="json")
    config.add_view(leave, route_name="leave")
    config.add_view(Rooms, attr="rename", route_name="room", request_method=("POST", "PUT"), renderer="json")
    return config.make_wsgi_app()
'''


def run(folder, dialect, program, *options):
    (folder / "shop.py").write_text(program)
    return zygote.run("-m", "antiphon", "openapi", "--dialect", dialect, *options, cwd=folder)


def described(made):
    """The parameters, the body and the answers of each operation."""
    assert made.returncode == 0, made.stderr
    found = {}
    for path, item in json.loads(made.stdout)["paths"].items():
        for method, operation in item.items():
            parameters = [f"{each['in']} {each['name']}" for each in operation.get("parameters", ())]
            body = [*operation.get("requestBody", {}).get("content", {})]
            answers = {status: [*each.get("content", {})] for status, each in operation["responses"].items()}
            found[f"{method} {path}"] = (parameters, body, answers)
    return found


PAGE, DATA = ["text/html"], ["application/json"]
FORM = ["application/x-www-form-urlencoded"]
REFUSED_FORM = {"400": PAGE, "413": PAGE}
REFUSED_JSON = {**REFUSED_FORM, "415": PAGE}


def test_an_application_of_flask(tmp_path):
    made = run(tmp_path, "flask", FLASK, "shop:app")
    assert described(made) == {
        "get /": ([], [], {"200": PAGE}),
        "get /api/lamps/{number}": (["path number"], [], {"200": DATA, "404": PAGE}),
        "get /api/lamps": (["query page"], [], {"200": DATA}),
        "post /api/lamps": ([], DATA, {"201": DATA, **REFUSED_JSON}),
        "post /api/lamps/{code}/rename/{kind}": (
            ["path code", "path kind", "header X-Reason"], FORM, {"302": [], "404": PAGE, **REFUSED_FORM},
        ),
        "get /api/rooms/{name}": (["path name"], [], {"200": PAGE, "404": PAGE}),
        "delete /api/rooms/{name}": (["path name"], [], {"204": [], "404": PAGE}),
        "get /api/strange": (["query kind"], [], {"200": [], "400": PAGE}),
    }  # fmt: skip
    content = json.loads(made.stdout)
    show = content["paths"]["/api/lamps/{number}"]["get"]
    assert (show["summary"], show["description"], show["tags"]) == ("Show a lamp", "The one with the number.", ["api"])
    assert show["responses"]["404"]["description"] == "There is no such lamp."
    assert show["parameters"][0]["schema"]["type"] == "integer"
    assert show["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["name"] == {"type": "string"}
    assert content["paths"]["/api/lamps/{code}/rename/{kind}"]["post"]["parameters"][1]["schema"]["enum"] == ["a", "b"]
    assert "Problem" not in made.stdout
    (told,) = made.stderr.splitlines()
    assert told.startswith("Unknown: GET /api/strange: strange (")


def test_an_application_of_pyramid(tmp_path):
    made = run(tmp_path, "pyramid", PYRAMID, "shop:make", "--strict")
    assert described(made) == {
        "get /lamps/{number}": (["path number"], [], {"200": DATA, "404": PAGE}),
        "post /lamps": ([], DATA, {"200": DATA, "409": PAGE, **REFUSED_JSON}),
        "get /leave/{rest}": (["query to", "path rest"][::-1], [], {"302": [], "400": PAGE, "404": PAGE}),
        "post /rooms/{name}": (["path name"], FORM, {"200": DATA, "404": PAGE, **REFUSED_FORM}),
        "put /rooms/{name}": (["path name"], FORM, {"200": DATA, "404": PAGE, **REFUSED_FORM}),
    }
    lamp = json.loads(made.stdout)["paths"]["/lamps/{number}"]["get"]
    assert (lamp["operationId"], lamp["summary"]) == ("lamp", "Show a lamp")


def test_an_application_of_another_kind_is_a_mistake(tmp_path):
    made = run(tmp_path, "flask", "def app(environ, start_response): return []", "shop:app")
    assert made.returncode == 2
    assert "whose routes are unknown: name an App, or an app of Flask or Pyramid with --dialect" in made.stderr
