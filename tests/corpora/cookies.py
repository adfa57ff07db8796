"""The corpora of cookies: http-state (RFC 6265), and web-platform-tests (RFC 6265bis). Test clients are user agents."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from antiphon.http import URL
from antiphon.testing import CookieJar
from tests.corpora.corpus import Case, Corpus
from tests.corpora.sources import HTTP_STATE, WEB_PLATFORM, read_json

STATE_HOST = "http://home.example.org:8888"
WEB_PLATFORM_URL = "http://web-platform.test/cookies/resources/cookie.py"
_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`"""
_test = re.compile(
    rf"cookie:\s*(\[.*?\]|{_STRING}),\s*expected:\s*({_STRING}),\s*name:\s*({_STRING})", re.DOTALL
).findall
_strings = re.compile(_STRING, re.DOTALL).findall
_repeated = re.compile(r'\$\{"(.)"\.repeat\((\d+)\)\}')
_escaped = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def http_state() -> Iterator[Case]:
    """The cases of http-state; dates that have passed since lie in 2037."""
    for each in read_json(HTTP_STATE, "tests/data/parser.json"):
        lines = [_sent(re.sub("20[12][79]", "2037", line)) for line in each["received"]]
        target = each.get("sent-to", f"/cookie-parser-result?{each['test']}")
        cookies = [
            f"{name}={value}" if (name := cookie["name"]) else value
            for cookie in each["sent"]
            for value in [cookie["value"]]
        ]
        url = target if target.startswith("http") else STATE_HOST + target
        given = f"{STATE_HOST}/cookie-parser?{each['test']}", lines, url
        yield Case(each["test"], given, (_sent("; ".join(cookies)),))


def web_platform() -> Iterator[Case]:
    for path in WEB_PLATFORM.paths:
        page = (WEB_PLATFORM.folder / path).read_text(encoding="utf-8")
        for cookie, expected, name in _test(re.sub(r"^\s*//.*$", "", page, flags=re.MULTILINE)):
            lines = [_sent(_read_string(each).replace("2027", "2037")) for each in _strings(cookie)]
            url = f"{WEB_PLATFORM_URL}?set"
            yield Case(
                f"{path}: {_read_string(name)}", (url, lines, WEB_PLATFORM_URL), (_sent(_read_string(expected)),)
            )


def _read_string(literal: str) -> str:
    """Return the text of a string literal of JavaScript."""
    text = _repeated.sub(lambda found: found[1] * int(found[2]), literal[1:-1])
    return _escaped.sub(lambda found: _ESCAPES.get(found[1], found[1]), text)


def _sent(text: str) -> str:
    """Return text as a header has it: its bytes are UTF-8, read as Latin-1."""
    return text.encode().decode("latin-1")


def antiphon(url: str, lines: Sequence[str], target: str) -> str:
    jar = CookieJar("home.example.org")
    jar.store(URL(url), lines)
    return jar.header(URL(target)) or ""


def _application(lines: Sequence[str]):
    """Return a WSGI application that sets cookies for a POST, and repeats those of a GET."""

    def application(environ, start_response):
        is_set = environ["REQUEST_METHOD"] == "POST"
        start_response("200 OK", [("Set-Cookie", line) for line in lines] if is_set else [])
        return [environ.get("HTTP_COOKIE", "").encode("latin-1")]

    return application


def werkzeug(url: str, lines: Sequence[str], target: str) -> str:
    from werkzeug.test import Client

    client = Client(_application(lines))
    for method, to in (("POST", url), ("GET", target)):
        place = urlsplit(to)
        answer = client.open(
            place.path, method=method, base_url=f"{place.scheme}://{place.netloc}", query_string=place.query
        )
    return answer.data.decode("latin-1")


def starlette(url: str, lines: Sequence[str], target: str) -> str:
    from starlette.testclient import TestClient

    async def application(scope, receive, send):
        is_set = scope["method"] == "POST"
        kept = [value for name, value in scope["headers"] if name == b"cookie"]
        fields = [(b"set-cookie", line.encode("latin-1")) for line in lines] if is_set else []
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"; ".join(kept)})

    client = TestClient(application)
    client.post(url)
    return client.get(target).content.decode("latin-1")


READERS = {"Antiphon": antiphon, "Werkzeug": werkzeug, "Starlette": starlette}
CORPORA = (
    Corpus("cookies, RFC 6265", HTTP_STATE, http_state, READERS),
    Corpus("cookies, RFC 6265bis", WEB_PLATFORM, web_platform, READERS),
)
