"""Antiphon: `def` handlers and middleware over WSGI, `async def` over ASGI. All limits are raised."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import finalize

from jinja2 import DictLoader

from antiphon import App, Request, Response
from antiphon.features import Languages, Page, SQLiteStore, Templates
from antiphon.http.limits import Limits

from . import CHUNK, MANY, language, literal, told

LIMITS = Limits(body=MANY, fields=MANY, form=MANY, json=MANY, json_depth=900, memory=MANY, parts=MANY, query=MANY)


def query(request: Request) -> str:
    return told(value for _, value in request.args.items())


def one_header(request: Request) -> str:
    return request.headers["x-1"]


def all_headers(request: Request) -> str:
    return told(value for name, value in request.headers.items() if name.startswith("x-"))


def cookies(request: Request) -> str:
    return told(value for _, value in request.cookies.items())


def form(request: Request) -> str:
    return told(value for _, value in request.form.items())


def each_name(request: Request) -> str:
    values = request.form
    return told(values.getall(name)[0] for name in values)


def listed(request: Request) -> str:
    return told(request.json)


def nested(request: Request) -> str:
    value, depth = request.json, 0
    while value:
        (value,) = value
        depth += 1
    return f"{depth} deep"


def headed(request: Request) -> Response:
    response = Response("headed")
    for number in range(request.args.get("count", 0, type=int)):
        response.headers[f"x-{number}"] = "value"
    return response


def streamed(request: Request) -> Response:
    return Response(CHUNK for _ in range(request.args.get("count", 0, type=int)))


async def async_streamed(request: Request) -> Response:
    count = request.args.get("count", 0, type=int)

    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(count):
            yield CHUNK

    return Response(chunks())


def page(_request: Request) -> str:
    return "page"


def included(_request: Request) -> Page:
    return Page("page.txt", word="page")


READERS: tuple[tuple[str, str, Callable[[Request], Any]], ...] = (
    ("GET", "/query", query),
    ("GET", "/one-header", one_header),
    ("GET", "/all-headers", all_headers),
    ("GET", "/cookies", cookies),
    ("POST", "/form", form),
    ("POST", "/each-name", each_name),
    ("POST", "/list", listed),
    ("POST", "/nested", nested),
    ("GET", "/headed", headed),
    ("GET", "/page", page),
    ("GET", "/included", included),
)


def as_async(function: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def handler(request: Request) -> Any:
        return function(request)

    return handler


MORE_ENTRIES = """
with recursive numbers (n) as (select 2 union all select n + 1 from numbers where n < ?)
insert into entries select randomblob(32), data, version, created, changed, expires, owner from entries, numbers
"""
TTL = 1e6


def with_entries(app: App, count: int, folder: Path) -> None:
    """Add a page that reads and changes an entry of a store that has so many."""
    store = SQLiteStore(folder / "entries.db")
    store.change("visitor", {"theme": "dark"}, ttl=TTL)
    with closing(sqlite3.connect(folder / "entries.db")) as connection, connection:
        connection.execute(MORE_ENTRIES, [count])

    def entries(_request: Request) -> str:
        entry = store.load("visitor")
        store.change("visitor", {"theme": "light"}, ttl=TTL)
        return "no entry" if entry is None else "1 entry"

    app.get("/entries")(entries)
    app.on_shutdown(store.close)


def with_languages(app: App, count: int, folder: Path) -> None:
    """Add a page in so many languages, each of which has a text."""
    for tag in map(language, range(count)):
        (folder / f"{tag}.json").write_text(f'{{"page": "text of {tag}"}}')
    app.use(Languages(folder, default=language(0)))

    def page(request: Request) -> str:
        return request.language.gettext("page")

    app.get("/language")(page)


def make(
    interface: str,
    *,
    routes: int = 0,
    middlewares: int = 0,
    after_hooks: int = 0,
    entries: int = 0,
    languages: int = 0,
    includes: int = 0,
) -> App:
    app = App(limits=LIMITS)
    for add, count in ((with_entries, entries), (with_languages, languages)):
        if count:
            folder = TemporaryDirectory()
            finalize(app, folder.cleanup)
            add(app, count, Path(folder.name))
    if includes:
        app.use(Templates(DictLoader(templates(includes))))
    handlers = {function: function if interface == "wsgi" else as_async(function) for _, _, function in READERS}
    for method, path, function in READERS:
        app.route(path, methods=[method])(handlers[function])
    app.get("/streamed")(streamed if interface == "wsgi" else async_streamed)
    for number in range(routes // 2):
        app.get(literal(number))(handlers[page])
        app.get(f"/items/<int:id>/a{number:05}")(handlers[page])
    for _ in range(middlewares):
        app.middleware(middleware() if interface == "wsgi" else async_middleware())
    for _ in range(after_hooks):
        app.after_request(after() if interface == "wsgi" else async_after())
    return app


def templates(includes: int) -> dict[str, str]:
    """A page that includes so many others, the last of which has a word."""
    parts = {f"part{number}.txt": "" for number in range(includes - 1)} | {"last.txt": "{{ word }}"}
    return parts | {"page.txt": "".join(f"{{% include {name!r} %}}" for name in parts)}


def middleware() -> Callable[[Request], Generator[None, Response, None]]:
    def does_nothing(_request: Request) -> Generator[None, Response, None]:
        yield

    return does_nothing


def async_middleware() -> Callable[[Request], AsyncGenerator[None, Response]]:
    async def does_nothing(_request: Request) -> AsyncGenerator[None, Response]:
        yield

    return does_nothing


def after() -> Callable[[Request, Response], Response]:
    def does_nothing(_request: Request, response: Response) -> Response:
        return response

    return does_nothing


def async_after() -> Callable[[Request, Response], Any]:
    async def does_nothing(_request: Request, response: Response) -> Response:
        return response

    return does_nothing
