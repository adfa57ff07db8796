"""`python -m tests.corpora.answers FILE`: write answers of all kinds, to lint them in an environment of its own."""

import base64
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from antiphon import App, Limits, Request, Response, abort
from antiphon.testing import Client
from examples.guestbook import make_app
from examples.tour import app as tour

ADA = {"name": "Ada", "password": "an oboe in the rain"}
PAGES = {"accept": "text/html"}

Asked = tuple[str, str, dict[str, Any]]
"""A method, a path, and what else a request has."""

OF_EACH_KIND: list[Asked] = [
    *(
        ("GET", f"/{kind}", {})
        for kind in ("text", "bytes", "json", "page", "file", "download", "lines", "events", "stream")
    ),
    *(
        ("GET", f"/{kind}", {})
        for kind in ("moved", "cookie", "cached", "private", "none", "link", "fails", "missing", "forbidden")
    ),
    ("GET", "/fails", {"headers": PAGES}),
    ("GET", "/missing", {"headers": PAGES}),
    ("GET", "/file", {"headers": {"range": "bytes=0-9"}}),
    ("GET", "/file", {"headers": {"range": "bytes=0-9,20-29"}}),
    ("GET", "/file", {"headers": {"range": "bytes=9999999-"}}),
    ("GET", "/file", {"headers": {"if-none-match": "*"}}),
    ("GET", "/file", {"headers": {"if-match": '"other"'}}),
    ("HEAD", "/file", {}),
    ("GET", "/static/a.css", {}),
    ("GET", "/static/a.css", {"headers": {"accept-encoding": "gzip"}}),
    ("POST", "/typed", {"json": {"n": "x"}}),
    ("POST", "/typed", {"body": b"{", "headers": {"content-type": "application/json"}}),
    ("POST", "/typed", {"body": b"a", "headers": {"content-type": "text/plain"}}),
    ("POST", "/typed", {"body": bytes(2000), "headers": {"content-type": "application/json"}}),
    ("POST", "/typed", {"json": 1, "headers": {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}}),
    ("PUT", "/json", {}),
    ("OPTIONS", "/json", {}),
    ("OPTIONS", "*", {}),
    ("QUERY", "/typed", {"json": 1}),
    ("GET", "/slash/", {}),
    ("GET", "/protected", {}),
    ("GET", f"/text?{'q' * 70_000}", {}),
]
OF_THE_TOUR: list[Asked] = [
    ("GET", "/", {}),
    ("POST", "/readers", {"files": {"file": b"film"}}),
    ("POST", "/votes", {"form": {"drink": "tea"}}),
    ("POST", "/api/lamps", {"json": {}}),
    ("GET", "/api/lamps/7", {}),
    ("GET", "/bug", {"headers": PAGES}),
    ("GET", "/docs/how-to/forms.md", {}),
]
OF_THE_GUESTBOOK: list[Asked] = [
    ("GET", "/", {"headers": PAGES}),
    ("GET", "/", {"headers": {"accept": "application/json"}}),
    ("GET", "/signup", {"headers": PAGES}),
    ("POST", "/signup", {"form": {"name": ""}, "headers": PAGES}),
    ("POST", "/signup", {"form": ADA, "headers": PAGES}),
    ("GET", "/", {"headers": PAGES}),
    ("GET", "/login", {"headers": PAGES}),
    (
        "POST",
        "/",
        {"files": {"words": [], "picture": ("lamp.png", b"\x89PNG\r\n\x1a\n" + bytes(100))}, "headers": PAGES},
    ),
    ("POST", "/", {"form": {"words": "What a house!"}, "headers": PAGES}),
    ("POST", "/entries/1/delete", {"headers": PAGES}),
    ("POST", "/logout", {"headers": PAGES}),
    ("POST", "/login", {"form": ADA, "headers": PAGES}),
    ("POST", "/login", {"form": {"name": "Ada"}, "headers": PAGES}),
    ("GET", "/nowhere", {"headers": PAGES}),
]


def app_of_each_kind(folder: Path) -> App:
    """An application with a route for each kind of answer."""
    (folder / "p.html").write_text("<p>An oboe." * 600)
    (folder / "a.css").write_text("b { color: red }\n" * 500)
    app = App()
    app.static("/static", folder)
    answers = {
        "text": lambda: "an oboe",
        "bytes": lambda: b"an oboe",
        "json": lambda: {"oboe": 1},
        "page": lambda: Response.html("<!doctype html><p>an öboe"),
        "file": lambda: Response.file(folder / "p.html"),
        "download": lambda: Response.file(folder / "p.html", filename="an öboe.html", as_attachment=True),
        "lines": lambda: Response.ndjson(iter([1, 2])),
        "events": lambda: Response.events(iter([1, 2]), heartbeat=None),
        "stream": lambda: Response.stream(iter(["an ", "oboe"])),
        "moved": lambda: Response.redirect("/page"),
        "fails": lambda: 1 / 0,
        "forbidden": lambda: abort(403),
        "cookie": _with_cookie,
        "cached": _cached,
        "private": _private,
        "link": lambda: Response.text("x", headers={"link": "</a.css>; rel=preload; as=style"}),
        "slash": lambda: "x",
        "protected": lambda: abort(401, headers={"www-authenticate": 'Basic realm="oboes"'}),
    }
    for name, answer in answers.items():
        app.get(f"/{name}")(lambda request, answer=answer: answer())

    @app.get("/none")
    def none(request: Request) -> None:
        pass

    @app.post("/typed", limits=Limits(body=1000))
    def typed(request: Request) -> dict[str, int]:
        return request.json_as(dict[str, int])

    return app


def _with_cookie() -> Response:
    response = Response.text("x")
    response.set_cookie("a", "b", max_age=60)
    return response


def _cached() -> Response:
    response = Response.text("x" * 2000)
    response.cache_for(60, public=True)
    response.add_etag()
    return response


def _private() -> Response:
    response = Response.text("x")
    response.headers["cache-control"] = "private, no-cache"
    return response


def responses_of(name: str, app: App, asked: list[Asked]) -> Iterator[dict[str, Any]]:
    """Yield the answers to requests that one visitor sends, in order."""
    with Client(app, base_url="http://localhost", raise_errors=False, follow_redirects=False) as client:
        for method, path, more in asked:
            answer = client.request(method, path, **more)
            headers = list(answer.headers.items())
            yield {
                "name": f"{name}: {method} {path:.40} {json.dumps(more.get('headers', {}))}",
                "method": method,
                "status": answer.status,
                "headers": headers,
                "body": base64.b64encode(answer.body).decode(),
            }


def main(file: str) -> None:
    logging.disable()  # some of these fail on purpose
    with TemporaryDirectory() as folder, TemporaryDirectory() as book:
        answers = [
            *responses_of("each kind", app_of_each_kind(Path(folder)), OF_EACH_KIND),
            *responses_of("the tour", tour, OF_THE_TOUR),
            *responses_of("the guestbook", make_app(Path(book)), OF_THE_GUESTBOOK),
        ]
    logging.disable(logging.NOTSET)
    Path(file).write_text(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])
