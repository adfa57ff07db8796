"""Handlers that return everything a handler may, and middleware and hooks that mark each response."""

from collections.abc import Generator
from dataclasses import dataclass

from antiphon import App, Request, Response
from antiphon.http import Link
from tests.contract.application.registration import def_and_async

MARK = ("x-contract", "marked")
AFTER = ("x-after", "seen")

HTML = "<!doctype html>\n<title>Grüße</title>\n<p>Grüße &amp; Küsse\n"
BYTES = bytes(range(256))
ODD_VALUES = ("a\tb", "inner   spaces", '"quoted, \\" text"', "!#$%&'*+-.^_`|~()<>@/[]?={};:\\")
LATIN1 = "grün ÿ"
HINT = "</style.css>; rel=preload; as=style"


@dataclass
class Page:
    title: str
    words: int


def register(app: App) -> None:
    _register_marks(app)
    _register_values(app)
    _register_heads(app)


def _register_marks(app: App) -> None:
    @app.middleware
    def mark(request: Request) -> Generator[None, Response]:
        response = yield
        response.headers[MARK[0]] = MARK[1]

    @app.before_request
    def early(request: Request) -> tuple[str, int] | None:
        return ("early\n", 203) if "x-early" in request.headers else None

    @app.after_request
    def after(request: Request, response: Response) -> None:
        response.headers[AFTER[0]] = AFTER[1]


def _register_values(app: App) -> None:
    @def_and_async(app, "/text")
    def text(_: Request) -> str:
        return "Grüße\n"

    @def_and_async(app, "/html")
    def html(_: Request) -> Response:
        return Response.html(HTML)

    @def_and_async(app, "/bytes")
    def bytes_(_: Request) -> bytes:
        return BYTES

    @def_and_async(app, "/empty")
    def empty(_: Request) -> str:
        return ""

    @def_and_async(app, "/nothing")
    def nothing(_: Request) -> None:
        return None

    @def_and_async(app, "/dict")
    def dict_(_: Request) -> dict[str, object]:
        return {"name": "Grüße", "numbers": [1, 2.5, None, True]}

    @def_and_async(app, "/dataclass")
    def dataclass_(_: Request) -> Page:
        return Page("Antiphon", 2)

    @def_and_async(app, "/created")
    def created(_: Request) -> tuple[dict[str, int], int, dict[str, str]]:
        return {"id": 7}, 201, {"location": "/def/number/7"}


def _register_heads(app: App) -> None:
    @def_and_async(app, "/cookies/set")
    def set_cookies(_: Request) -> Response:
        response = Response("set\n")
        response.set_cookie("first", "1", max_age=60, httponly=True)
        response.set_cookie("second", "Grüße, viele", path="/def", samesite="Strict")
        response.delete_cookie("third")
        return response

    @def_and_async(app, "/lines")
    def lines(_: Request) -> tuple[str, list[tuple[str, str]]]:
        return "lines\n", [("x-line", value) for value in ODD_VALUES]

    @def_and_async(app, "/lines/latin1")
    def latin1_line(_: Request) -> tuple[str, dict[str, str]]:
        return "lines\n", {"x-line": LATIN1}

    @def_and_async(app, "/lines/empty")
    def empty_line(_: Request) -> tuple[str, dict[str, str]]:
        return "lines\n", {"x-line": ""}

    @def_and_async(app, "/hints")
    def hints(request: Request) -> str:
        request.send_early_hints(Link.parse(HINT))
        return "hinted\n"

    @def_and_async(app, "/redirect")
    def redirect(_: Request) -> Response:
        return Response.redirect("/def/path/Grüße aus Köln?q=ü")

    @def_and_async(app, "/redirect/kept", ("POST",))
    def redirect_kept(_: Request) -> Response:
        return Response.redirect("http://elsewhere.example/def/text", 308, external=True)

    @def_and_async(app, "/unchanged")
    def unchanged(_: Request) -> Response:
        return Response(None, 304, {"etag": '"1"', "cache-control": "max-age=60"})

    @def_and_async(app, "/methods", ("GET", "PUT", "PATCH", "DELETE", "QUERY"))
    def methods(request: Request) -> str:
        return f"{request.method} {len(request.body)}\n"
