"""Programs that answer with HTML."""

from dataclasses import dataclass
from typing import Annotated

from jinja2 import DictLoader
from msgspec import Meta

from antiphon import App, Dependency, Redirect, Request, Response, abort
from antiphon.features import (
    Block,
    CSRFTokens,
    Field,
    Flash,
    MemoryStore,
    Page,
    SessionLogin,
    Sessions,
    Templates,
    Users,
    login,
    login_required,
    logout,
)


@dataclass
class Member:
    id: int
    name: str


@dataclass
class Note:
    text: Annotated[str, Meta(min_length=1), Field(label="Your note")]
    is_public: bool = False


TEMPLATES = DictLoader({"note.html": "{{ title }}", "new.html": "{{ error }}", "search.html": "{{ found }}"})
MEMBERS = {"1": Member(1, "Ada")}
Visitor = Dependency[Member | None]("visitor")
CurrentMember = Dependency[Member]("member")


def page_with_a_status() -> App:
    app = App()
    app.use(Templates(TEMPLATES))

    @app.post("/notes")
    async def create(request: Request) -> Page | Response:
        text = request.form["text"].strip()
        if not text:
            return Page("new.html", 422, error="Write something.", text=text)
        return Response.redirect(request.url_for("show", number=len(text)))

    return app


def blocks_of_a_page() -> App:
    app = App()
    app.use(Templates(TEMPLATES))

    @app.get("/search")
    def search(request: Request) -> Page | Block:
        found = [word for word in ("tea", "milk") if word.startswith(request.args.get("q", ""))]
        if "hx-request" in request.headers:
            return Block("search.html", "results", found=found)
        return Page("search.html", found=found)

    return app


def flash_messages_and_tokens() -> App:
    app = App(secret_keys=["a key of 16 bytes"])
    app.use(Sessions(MemoryStore()))
    app.use(Flash())
    app.use(CSRFTokens())

    @app.post("/notes/<int:number>/delete")
    def delete(request: Request, number: int) -> Response:
        request.flash(f"Note {number} is deleted.", "info")
        return Response.back(request)

    @app.get("/notes")
    def index(request: Request) -> str:
        return "\n".join(f"{each.category}: {each}" for each in request.flash.take())

    return app


def logins() -> App:
    app = App()
    app.use(Sessions(MemoryStore()))
    app.use(Users(SessionLogin(MEMBERS.get), login="login_page", dependency=Visitor, required=CurrentMember))

    @app.get("/login")
    def login_page(request: Request) -> Response:
        return Response.html(f"<!doctype html><form method=post>{request.args.get('next', '')}")

    @app.post("/login")
    def log_in(request: Request) -> Response:
        member = MEMBERS.get(request.form["id"])
        if member is None:
            abort(403, "The name or the password is wrong.")
        login(request, member)
        return Response.redirect(request.args.get("next"), otherwise="/account")

    @app.post("/logout")
    def log_out(request: Request) -> Response:
        logout(request)
        return Response.redirect("/")

    @app.get("/account", before=login_required)
    def account(request: Request) -> str:
        return f"Hello, {request[CurrentMember].name}."

    @app.get("/")
    def home(request: Request) -> str:
        visitor = request[Visitor]
        return "Hello." if visitor is None else f"Hello, {visitor.name}."

    return app


def language_in_a_cookie() -> App:
    app = App()

    @app.before_request
    def old_address(request: Request) -> None:
        if request.path == "/index.html":
            raise Redirect("/", 308)

    @app.get("/")
    def index(request: Request) -> Response:
        chosen = request.cookies.get("lang") or request.accept_languages.best(["en", "de"]) or "en"
        response = Response.html(f"<!doctype html><html lang={chosen}>")
        response.set_cookie("lang", chosen, max_age=3600)
        response.vary("Accept-Language")
        return response

    return app


PROGRAMS = [page_with_a_status, blocks_of_a_page, flash_messages_and_tokens, logins, language_in_a_cookie]
