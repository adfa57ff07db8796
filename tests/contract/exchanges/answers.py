"""Everything that a handler may return, streams among it, and the answers to HEAD and OPTIONS."""

from tests.contract.application.answers import BYTES as ALL_BYTES
from tests.contract.application.answers import HTML as PAGE
from tests.contract.application.answers import ODD_VALUES
from tests.contract.application.streams import LARGE_CHUNK, LARGE_COUNT, LINES
from tests.contract.exchanges.exchange import BYTES, HTML, STREAMED, TEXT, Exchange, answer, both, in_json, without_body

_TEXT = answer("Grüße\n")
_COOKIES = answer(
    "set\n",
    TEXT,
    200,
    ("set-cookie", "first=1; Max-Age=60; HttpOnly; Path=/; SameSite=Lax"),
    ("set-cookie", 'second="Gr%C3%BC%C3%9Fe%2C%20viele"; Path=/def; SameSite=Strict'),
    ("set-cookie", "third=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"),
)
_LINES = answer("lines\n", TEXT, 200, *(("x-line", value) for value in ODD_VALUES))
_ALLOWED = ("allow", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT, QUERY")
_FEW_CHUNKS = answer("one\nzwölf\nthree\n", TEXT, 200, *STREAMED, length=None)
_NO_CHUNKS = answer(b"", TEXT, 200, *STREAMED, length=None)
_LARGE_STREAM = answer(LARGE_CHUNK * LARGE_COUNT, TEXT, 200, *STREAMED, length=None)
_LINES_OF_STREAM = answer(b"".join(LINES), TEXT, 200, *STREAMED, length=None)
_SIZED_STREAM = answer("1234567890", TEXT, 200, *STREAMED)


def _streams(iterator: str) -> list[Exchange]:
    """Streams by a ``sync`` or an ``async`` iterator."""
    path = f"/{{def}}/stream/{iterator}"
    return [
        *both(f"a stream by {iterator} iterator arrives", _FEW_CHUNKS, f"{path}/few"),
        *both(f"an empty stream by {iterator} iterator has an empty body", _NO_CHUNKS, f"{path}/none"),
        *both(f"a stream of 1 MiB by {iterator} iterator arrives", _LARGE_STREAM, f"{path}/large"),
        *both(f"a stream of 5000 lines by {iterator} iterator arrives", _LINES_OF_STREAM, f"{path}/lines"),
        *both(f"HEAD of a stream by {iterator} iterator", without_body(_FEW_CHUNKS), f"{path}/few", "HEAD"),
    ]


EXCHANGES: tuple[Exchange, ...] = (
    *both("text is sent as UTF-8", _TEXT, "/{def}/text"),
    *both("HTML is sent as UTF-8", answer(PAGE, HTML), "/{def}/html"),
    *both("bytes of every value arrive", answer(ALL_BYTES, BYTES), "/{def}/bytes"),
    *both("empty text is an empty body", answer(""), "/{def}/empty"),
    *both("None is 204", answer(b"", None, 204, length=None), "/{def}/nothing"),
    *both("a dict is JSON", in_json({"name": "Grüße", "numbers": [1, 2.5, None, True]}), "/{def}/dict"),
    *both("a dataclass is JSON", in_json({"title": "Antiphon", "words": 2}), "/{def}/dataclass"),
    *both("a tuple has status and headers", in_json({"id": 7}, 201, ("location", "/def/number/7")), "/{def}/created"),
    *both("several Set-Cookie stay apart", _COOKIES, "/{def}/cookies/set"),
    *both("odd but legal values arrive, each in its own line", _LINES, "/{def}/lines"),
    *both("an empty value arrives", answer("lines\n", TEXT, 200, ("x-line", "")), "/{def}/lines/empty"),
    *both(
        "a redirect's location is a URI",
        answer(b"", None, 303, ("location", "/def/path/Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln?q=%C3%BC")),
        "/{def}/redirect",
    ),
    *both(
        "a redirect may keep the method",
        answer(b"", None, 308, ("location", "http://elsewhere.example/def/text")),
        "/{def}/redirect/kept",
        "POST",
        body=b"kept",
    ),
    *both(
        "304 has headers and no body",
        answer(b"", None, 304, ("etag", '"1"'), ("cache-control", "max-age=60"), ("vary", "x-early"), length=None),
        "/{def}/unchanged",
    ),
    *both("HEAD has GET's headers", without_body(_TEXT), "/{def}/text", "HEAD"),
    *both("HEAD of all bytes has their length", without_body(answer(ALL_BYTES, BYTES)), "/{def}/bytes", "HEAD"),
    *both("HEAD of 204", answer(b"", None, 204, length=None), "/{def}/nothing", "HEAD"),
    *both("OPTIONS tells what is allowed", answer(b"", None, 204, _ALLOWED, length=None), "/{def}/methods", "OPTIONS"),
    *both("PUT has a body", answer("PUT 4\n"), "/{def}/methods", "PUT", body=b"1234"),
    *both("PATCH has a body", answer("PATCH 4\n"), "/{def}/methods", "PATCH", body=b"1234"),
    *both("DELETE without a body", answer("DELETE 0\n"), "/{def}/methods", "DELETE"),
    *both("DELETE with a body", answer("DELETE 4\n"), "/{def}/methods", "DELETE", body=b"1234"),
    *both("GET with a body", answer("GET 4\n"), "/{def}/methods", "GET", body=b"1234"),
    *both("QUERY has a body", answer("QUERY 4\n"), "/{def}/methods", "QUERY", body=b"1234"),
    *both("a hook answers early", answer("early\n", TEXT, 203), "/{def}/text", "GET", ("X-Early", "yes")),
    *_streams("sync"),
    *_streams("async"),
    *both("a stream may declare its length", _SIZED_STREAM, "/{def}/stream/sized"),
    *both("HEAD of a stream has the declared length", without_body(_SIZED_STREAM), "/{def}/stream/sized", "HEAD"),
)
