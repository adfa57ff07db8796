"""Arguments that no route gives: an error when the application is made, unless their default may be meant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial, wraps
from typing import Annotated, Any, Literal

import pytest

from antiphon import App, Blueprint, Dependency, Request
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Order:
    item: str = ""


class Store: ...


STORE, ORDER = Store(), Order()


def passing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def called(request: Request, **given: Any) -> Any:
        return function(request, user="Ann", **given)

    return called


def text(request: Request, q: str = "") -> str:
    return q


def number(request: Request, q: int | None = None) -> str:
    return str(q)


def choice(request: Request, *, q: Literal["a", "b"] = "a") -> str:
    return q


def several(request: Request, q: "list[str] | tuple[date, ...]" = ()) -> str:  # type: ignore[assignment]
    return str(q)


def annotated(request: Request, q: Annotated[str, "Query"] = "") -> str:
    return q


def body(request: Request, q: Order | None = None) -> str:
    return str(q)


async def waiting(request: Request, q: str = "") -> str:
    return q


class Views:
    def index(self, request: Request, q: str = "") -> str:
        return q

    def told(self, request: Request, q: str = "") -> str:
        return q

    def tell(self, request: Request) -> str:
        return self.told(request, q="a")


def store(request: Request, q: Store = STORE) -> str:
    return "a"


def record(request: Request, q: Order = ORDER) -> str:
    return "a"


def function(request: Request, q: Callable[[], str] = str) -> str:
    return q()


def unannotated(request: Request, q="a") -> str:  # type: ignore[no-untyped-def]
    return q


def any_names(request: Request, *args: str, **kwargs: str) -> str:
    return "a"


def shown(request: Request, q: str = "") -> str:
    return q


def showing(request: Request) -> str:
    return shown(request, "a")


@passing_on
def with_user(request: Request, user: str = "") -> str:
    return user


@rows("handler", [text, number, choice, several, annotated, body, waiting, Views().index])
def test_an_argument_that_no_route_gives_is_an_error_before_the_first_request(handler: Any) -> None:
    app = App()
    app.get("/search")(handler)
    with pytest.raises(
        TypeError, match=r"(?s) takes 'q', which is not a parameter of /search, so it is always "
    ) as caught:
        Client(app).get("/search")
    assert f"({__file__}:" in str(caught.value)
    assert "request.args_as" in str(caught.value) or "request.json_as(Order)" in str(caught.value)


@rows(
    "handler",
        store, record, function, unannotated, any_names, shown, with_user, Views().told,
        partial(text, q="a"), partial(partial(text, q="b"), q="a"), lambda request, q="a": q,
)  # fmt: skip
def test_a_default_that_may_be_meant_is_none(handler: Any) -> None:
    app = App()
    app.get("/search")(handler)
    assert Client(app).get("/search").status == 200


@pytest.mark.axes("interface")
def test_one_of_the_routes_of_a_handler_gives_it(interface: Any) -> None:
    app, shop = App(), Blueprint("shop", prefix="/shops/<q>")

    @app.get("/one")
    @shop.get("/one")
    def one(request: Request, q: str = "") -> str:
        return q

    @app.get("/two")
    @app.get("/two/<int:q>")
    def two(request: Request, q: int | None = None) -> str:
        return str(q)

    @app.get("/three", defaults={"q": "c"})
    def three(request: Request, q: str = "") -> str:
        return q

    app.register(shop)
    client = Client(app, interface)
    paths = ["/one", "/shops/a/one", "/two", "/two/2", "/three"]
    assert [client.get(path).text for path in paths] == ["", "a", "None", "2", "c"]


def test_a_value_bound_in_a_loop_is_none(app) -> None:
    for n in ("1", "2"):

        @app.get(f"/{n}", name=n)
        def show(request: Request, n=n) -> str:  # type: ignore[no-untyped-def]
            return n

    assert [Client(app).get(path).text for path in ("/1", "/2")] == ["1", "2"]


USER = Dependency[str]("user name")


def with_dependency(request: Request, user=USER) -> str:  # type: ignore[no-untyped-def]
    return str(user)


def test_a_dependency_as_a_default_is_an_error_that_tells_where_its_value_is(app) -> None:
    app.get("/")(with_dependency)
    with pytest.raises(TypeError, match=r"takes 'user' .* Dependency itself.*user = request\[dependency\]"):
        Client(app).get("/")
