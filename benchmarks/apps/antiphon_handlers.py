"""The handlers of Antiphon: `antiphon_app` takes them as they are, and once more as ``async def``."""

from typing import Any

from antiphon import App, Request
from antiphon.features import CookieStore, MemoryStore, Recorder, Sessions

from .work import FIELDS, LANGUAGES, MADE, NO_STORE, PAGES, SESSION_KEY, invoice, listing, receipt, upload

app, hooked, wrapped, visited, recorded, static = App(), App(), App(), App(secret_keys=[SESSION_KEY]), App(), App()
static.static("/static", PAGES)
visited.use(Sessions(CookieStore(visited.secret_keys), cookie="session"))
recorded.use(Recorder(MemoryStore(), secret_keys=[SESSION_KEY]))


@recorded.get("/hello")
@wrapped.get("/hello")
@app.get("/hello")
def hello(_request: Request) -> str:
    return "Hello, world!"


@hooked.get("/hooks")
def hooks(request: Request) -> str:
    return f"Hello, {request.g.user}!"


@visited.get("/session")
def session(request: Request) -> str:
    request.session["visits"] += 1
    return f"Hello, {request.session['user']}!"


@app.get("/tuple")
def made(_request: Request) -> tuple[str, int, dict[str, str]]:
    return MADE, 201, {"cache-control": NO_STORE}


@app.get("/read/<name>")
def read(request: Request) -> str:
    args = request.args
    return listing(
        request.path_params["name"],
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best(LANGUAGES),
    )


@app.post("/json-msgspec")
@app.post("/json")
def order(request: Request) -> dict[str, Any]:
    return invoice(request.json)


@app.post("/form")
def form(request: Request) -> str:
    values = request.form
    return receipt([values[name] for name in FIELDS])


@app.post("/multipart")
def multipart(request: Request) -> str:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read())
