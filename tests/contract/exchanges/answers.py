"""Everything that a handler may return, and what becomes of it for HEAD and OPTIONS."""

from tests.contract.application.answers import BYTES as ALL_BYTES
from tests.contract.application.answers import HTML as PAGE
from tests.contract.application.answers import ODD_VALUES
from tests.contract.exchanges.exchange import (
    BYTES,
    HTML,
    TEXT,
    Exchange,
    answer,
    both,
    in_json,
    without_body,
)

_TEXT = answer("Grüße\n")
_COOKIES = answer(
    "set\n",
    TEXT,
    200,
    ("set-cookie", "first=1; Max-Age=60; HttpOnly; Path=/; SameSite=Lax"),
    ("set-cookie", 'second="Gr\\303\\274\\303\\237e\\054 viele"; Path=/def; SameSite=Strict'),
    ("set-cookie", "third=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"),
)
_LINES = answer("lines\n", TEXT, 200, *(("x-line", value) for value in ODD_VALUES))
_ALLOWED = ("allow", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT, QUERY")

EXCHANGES: tuple[Exchange, ...] = (
    *both("text is sent as UTF-8", _TEXT, "/{colour}/text"),
    *both("HTML is sent as UTF-8", answer(PAGE, HTML), "/{colour}/html"),
    *both("bytes of every value arrive", answer(ALL_BYTES, BYTES), "/{colour}/bytes"),
    *both("empty text is an empty body", answer(""), "/{colour}/empty"),
    *both("None is 204", answer(b"", None, 204, length=None), "/{colour}/nothing"),
    *both("a dict is JSON", in_json({"name": "Grüße", "numbers": [1, 2.5, None, True]}), "/{colour}/dict"),
    *both("a dataclass is JSON", in_json({"title": "Antiphon", "words": 2}), "/{colour}/dataclass"),
    *both(
        "a tuple has status and headers",
        in_json({"id": 7}, 201, ("location", "/def/number/7")),
        "/{colour}/created",
    ),
    *both("several Set-Cookie stay apart", _COOKIES, "/{colour}/cookies/set"),
    *both("odd but legal values arrive, each in its own line", _LINES, "/{colour}/lines"),
    *both("an empty value arrives", answer("lines\n", TEXT, 200, ("x-line", "")), "/{colour}/lines/empty"),
    *both(
        "a redirect's location is a URI",
        answer(b"", None, 303, ("location", "/def/path/Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln?q=%C3%BC")),
        "/{colour}/redirect",
    ),
    *both(
        "a redirect may keep the method",
        answer(b"", None, 308, ("location", "http://elsewhere.example/def/text")),
        "/{colour}/redirect/kept",
        "POST",
        body=b"kept",
    ),
    *both(
        "304 has headers and no body",
        answer(b"", None, 304, ("etag", '"1"'), ("cache-control", "max-age=60"), length=None),
        "/{colour}/unchanged",
    ),
    *both("HEAD has GET's headers", without_body(_TEXT), "/{colour}/text", "HEAD"),
    *both("HEAD of all bytes has their length", without_body(answer(ALL_BYTES, BYTES)), "/{colour}/bytes", "HEAD"),
    *both("HEAD of 204", answer(b"", None, 204, length=None), "/{colour}/nothing", "HEAD"),
    *both(
        "OPTIONS tells what is allowed",
        answer(b"", None, 204, _ALLOWED, length=None),
        "/{colour}/methods",
        "OPTIONS",
    ),
    *both("PUT has a body", answer("PUT 4\n"), "/{colour}/methods", "PUT", body=b"1234"),
    *both("PATCH has a body", answer("PATCH 4\n"), "/{colour}/methods", "PATCH", body=b"1234"),
    *both("DELETE without a body", answer("DELETE 0\n"), "/{colour}/methods", "DELETE"),
    *both("DELETE with a body", answer("DELETE 4\n"), "/{colour}/methods", "DELETE", body=b"1234"),
    *both("GET with a body", answer("GET 4\n"), "/{colour}/methods", "GET", body=b"1234"),
    *both("QUERY has a body", answer("QUERY 4\n"), "/{colour}/methods", "QUERY", body=b"1234"),
    *both("a hook answers early", answer("early\n", TEXT, 203), "/{colour}/text", "GET", ("X-Early", "yes")),
)
