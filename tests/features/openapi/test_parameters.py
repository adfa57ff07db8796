"""Parameters: which are required, their defaults and descriptions, in documents and in tools."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from msgspec import Meta

from antiphon import App, Request, abort
from antiphon.features import OpenAPI, Tools
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.helpers.rows import rows


def in_test(request: Request) -> str:
    if "x" not in request.args:
        abort(428)
    return request.args["x"]


def by_or(request: Request) -> str:
    return request.args.get("x") or abort(400)


def by_none(request: Request) -> str:
    found = request.args.get("x")
    if found is None:
        abort(400)
    return found


def by_not(request: Request) -> str:
    if not (found := request.args.get("x")):
        abort(400)
    return found


def by_several(request: Request) -> str:
    if "x" not in request.args or request.args.get("y") is None:
        abort(400)
    return "both"


def by_variable(request: Request) -> str:
    is_there = "x" in request.args
    if not is_there:
        abort(400)
    return "there"


def by_helper(request: Request) -> str:
    return needed(request, "x")


def needed(request: Request, name: str) -> str:
    value = request.args.get(name, "")
    if value == "" or not value:
        abort(400)
    return value


def by_try(request: Request) -> str:
    try:
        return request.args["x"]
    except KeyError:
        abort(404)


def only_compared(request: Request) -> str:
    if request.args.get("x") == "a":
        abort(400)
    return "b"


def either_of_two(request: Request) -> str:
    return request.args.get("x") or request.args.get("y") or abort(400)


def one_way(request: Request) -> str:
    if request.args.get("y"):
        return "y"
    return request.args.get("x") or abort(400)


def absent(request: Request) -> str:
    if "x" in request.args:
        abort(400)
    return "b"


def caught(request: Request) -> str:
    try:
        return request.args["x"]
    except KeyError:
        return "none"


REQUIRED: list[tuple[Callable[[Request], str], set[str]]] = [
    (in_test, {"x"}), (by_or, {"x"}), (by_none, {"x"}), (by_not, {"x"}), (by_several, {"x", "y"}),
    (by_variable, {"x"}), (by_helper, {"x"}), (by_try, {"x"}),
    (only_compared, set()), (either_of_two, set()), (one_way, set()), (absent, set()), (caught, set()),
]  # fmt: skip


@rows("handler, required", REQUIRED)
def test_a_parameter_without_which_the_handler_refuses_is_required(
    handler: Callable[[Request], str], required: set[str]
) -> None:
    app = App()
    app.get("/x")(handler)
    operation = make_document(app, Info("X")).content["paths"]["/x"]["get"]
    assert {each["name"] for each in operation["parameters"] if each["required"]} == required
    for left_out in ("x", "y"):
        params = {name: "1" for name in ("x", "y") if name != left_out}
        assert left_out not in required or Client(app).get("/x", params=params).status >= 400


def test_headers_and_fields_of_forms_are_required_too() -> None:
    app = App(cross_site_writes=True)

    @app.put("/x")
    def change(request: Request) -> str:
        if not request.if_match:
            abort(428)
        if request.files.get("photo") is None or not request.form.get("name"):
            abort(400)
        request.form.get("note")
        request.form.getall("tags")
        return "a"

    operation = make_document(app, Info("X")).content["paths"]["/x"]["put"]
    assert [(each["name"], each["required"]) for each in operation["parameters"]] == [("if-match", True)]
    assert operation["requestBody"]["required"]
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["photo", "name"]
    one = {"type": "string"}
    assert (schema["properties"]["name"], schema["properties"]["tags"]) == (one, {"type": "array", "items": one})


class Order(Enum):
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass
class Search:
    text: str
    limit: int = 10
    order: Order = Order.NEWEST
    color: str | None = None


def searched(request: Request, number: Annotated[int, Meta(description="The shop's number.")]) -> str:
    """Search."""
    search = request.args_as(Search)
    page = request.args.get("page", 1, type=int)
    request.args.get("seen", "a")
    request.args.get("seen", "b")
    return f"{number} {search} {page}"


def test_defaults_and_descriptions_are_in_documents_and_tools() -> None:
    app = App(cross_site_writes=True)
    api = OpenAPI("Shops")
    app.use(api)
    app.use(Tools(api))
    app.get("/shops/<int:number>", tool=True)(searched)
    operation: Any = make_document(app, Info("X")).content["paths"]["/shops/{number}"]["get"]
    told = {each["name"]: each for each in operation["parameters"]}
    assert told["number"]["description"] == "The shop's number."
    defaults = {name: each["schema"].get("default") for name, each in told.items()}
    assert defaults == {
        "number": None, "text": None, "limit": 10, "order": "newest", "color": None, "page": 1, "seen": None
    }  # fmt: skip
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    (tool,) = Client(app).post("/mcp", json=call, headers=headers).json["result"]["tools"]
    properties = tool["inputSchema"]["properties"]
    assert properties["number"]["description"] == "The shop's number."
    assert properties["limit"]["default"] == 10
