"""Requests of which one part grows: what grows, how much of it there is, the request, and the app that answers it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .cases import PAGE, Case, WrongAnswerError, sending
from .forms import CONTENT_TYPE, fields_form
from .growth_apps import CHUNK, language, literal

URLENCODED = "application/x-www-form-urlencoded"
Parts = Mapping[str, int]


class Growth(NamedTuple):
    """One thing of which requests have more and more.

    `request` makes the request for a size; `parts` says of how much the app is made. With `is_flat`, the size must not
    matter. `peers` have the thing, too. With `is_of_start` the time is that until the app has answered once.
    """

    name: str
    sizes: Sequence[int]
    request: Callable[[int], Case]
    parts: Callable[[int], Parts] = lambda _size: {}
    is_flat: bool = False
    peers: Sequence[str] = ()
    is_of_start: bool = False


def get(path: str, answer: str, *, query: str = "", headers: Mapping[str, str] | None = None) -> Case:
    return Case(path, "GET", path, {**PAGE, **(headers or {})}, "text/plain", answer, query)


def post(path: str, answer: str, content_type: str, body: bytes) -> Case:
    return Case(path, "POST", path, sending(body, content_type, PAGE), "text/plain", answer, "", body)


def fields(count: int) -> str:
    return "&".join(f"name{number}=value{number}" for number in range(1, count + 1))


def last(count: int) -> str:
    return f"{count} value{count}"


def in_query(count: int) -> Case:
    return get("/query", last(count), query=fields(count))


def in_headers(path: str, count: int) -> Case:
    headers = {f"x-{number}": f"value{number}" for number in range(1, count + 1)}
    return get(path, "value1" if path == "/one-header" else last(count), headers=headers)


def in_cookies(count: int) -> Case:
    return get("/cookies", last(count), headers={"cookie": fields(count).replace("&", "; ")})


def in_form(path: str, count: int) -> Case:
    return post(path, last(count), URLENCODED, fields(count).encode())


def in_parts(count: int) -> Case:
    body = fields_form({f"name{number}": f"value{number}" for number in range(1, count + 1)})
    return post("/form", last(count), CONTENT_TYPE, body)


def in_json(count: int) -> Case:
    body = json.dumps([f"value{number}" for number in range(1, count + 1)]).encode()
    return post("/list", last(count), "application/json", body)


def deep_json(depth: int) -> Case:
    return post("/nested", f"{depth} deep", "application/json", b"[" * (depth + 1) + b"]" * (depth + 1))


def headed(count: int) -> Case:
    return get("/headed", "headed", query=f"count={count}")


def page(_size: int) -> Case:
    return get("/page", "page")


def included(_size: int) -> Case:
    return get("/included", "page")


def last_literal(routes: int) -> Case:
    return get(literal(routes // 2 - 1), "page")


def last_dynamic(routes: int) -> Case:
    return get(f"/items/7/a{routes // 2 - 1:05}", "page")


class Streamed(Case):
    """A request for a body whose length nobody knows before its end."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:  # noqa: ARG002
        if (status, body) != (self.status, self.answer):
            raise WrongAnswerError(f"{self.name}: {status} {body[:200]!r}")


def streamed(count: int) -> Case:
    return Streamed("streamed", "GET", "/streamed", PAGE, "", CHUNK * count, f"count={count}")


class Missing(Case):
    """A request that no route answers; the page that says so is as the framework makes it."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:  # noqa: ARG002
        if status != self.status:
            raise WrongAnswerError(f"{self.name}: {status} {body[:200]!r}")


def missing(_routes: int) -> Case:
    return Missing("missing", "GET", "/items/7/a99999", PAGE, "", "", status=404)


def in_store(_entries: int) -> Case:
    return get("/entries", "1 entry")


def in_language(count: int) -> Case:
    return get("/language", f"text of {language(count - 1)}", headers={"accept-language": language(count - 1)})


SHORT, LONG, ROUTES = (1, 10, 100, 1000, 10_000), (10, 100, 1000, 10_000, 100_000), (10, 100, 1000, 10_000)
MANY_ROUTES = (*ROUTES, 100_000)
READERS = ("falcon", "flask", "starlette", "blacksheep")


def routes(size: int) -> Parts:
    return {"routes": size}


GROWTHS = (
    Growth("fields of the query", SHORT, in_query, peers=READERS),
    Growth("headers, one of which is read", (5, 50), lambda size: in_headers("/one-header", size)),
    Growth("headers, all of which are read", (5, 50), lambda size: in_headers("/all-headers", size)),
    Growth("cookies", (1, 10, 100, 1000), in_cookies, peers=READERS),
    Growth("fields of a form", LONG, lambda size: in_form("/form", size), peers=READERS),
    Growth("fields of a form, `getall` of each", LONG[:-1], lambda size: in_form("/each-name", size)),
    Growth("fields of a form in parts", LONG, in_parts, peers=("flask", "starlette", "blacksheep")),
    Growth("strings in a JSON array", LONG, in_json),
    Growth("depth of a JSON array", (10, 100, 800), deep_json),
    Growth("routes, a literal one", ROUTES, last_literal, routes, is_flat=True, peers=READERS),
    Growth("routes, one with a parameter", MANY_ROUTES, last_dynamic, routes, is_flat=True, peers=READERS),
    Growth("routes, none of which matches", ROUTES, missing, routes, is_flat=True),
    Growth("routes, until the first answer", (10, 100, 10_000, 100_000), last_literal, routes, is_of_start=True),
    Growth(
        "entries in SQLite: one read, one changed",
        (10, 100, 1000, 1_000_000),
        in_store,
        lambda size: {"entries": size},
        is_flat=True,
    ),
    Growth(
        "languages, one of which is asked for", (2, 10, 50), in_language, lambda size: {"languages": size}, is_flat=True
    ),
    Growth(
        "middlewares", (0, 5, 20), page, lambda size: {"middlewares": size}, peers=("falcon", "starlette", "blacksheep")
    ),
    Growth(
        "functions after the request", (0, 5, 20), page, lambda size: {"after_hooks": size}, peers=("falcon", "flask")
    ),
    Growth("headers of the response", (0, 10, 50), headed, peers=READERS),
    Growth("templates that a page includes", (10, 50, 200, 1000), included, lambda size: {"includes": size}),
    Growth("chunks of a streamed body", ROUTES, streamed, peers=READERS),
)
