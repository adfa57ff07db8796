"""The corpus of URLs (WHATWG URL): where each one leads, that is its origin."""

from collections.abc import Iterator

from antiphon.http import URL
from antiphon.http.redirect import redirect_location
from tests.corpora.corpus import REFUSED, Case, Corpus, name_of
from tests.corpora.sources import RUST_URL, read_json

NETWORK = ("http:", "https:", "ws:", "wss:", "ftp:")
SITE = "http://example.org"
FALLBACK = "/otherwise"


def absolute() -> Iterator[Case]:
    for each in _examples():
        if each.get("base") in (None, "about:blank"):
            yield Case(name_of(each["input"]), (each["input"],), _right(each))


def resolved() -> Iterator[Case]:
    for each in _examples():
        base = each.get("base")
        if base not in (None, "about:blank"):
            yield Case(f"{name_of(each['input'])} at {base}", (each["input"], base), _right(each))


def redirects() -> Iterator[Case]:
    """The cases that a page of this site could be asked to redirect to: they lead nowhere else."""
    for each in _examples():
        if (each.get("base") or "").startswith(SITE):
            stays = not each.get("failure") and _right(each) == (SITE,)
            right = (True, False) if stays else (False,)
            yield Case(f"{name_of(each['input'])} at {each['base']}", (each["input"],), right)


def _examples() -> Iterator[dict]:
    for each in read_json(RUST_URL, "url/tests/urltestdata.json"):
        if not isinstance(each, str) and (each.get("failure") or each["protocol"] in NETWORK):
            yield each


def _right(each: dict) -> tuple[str, ...]:
    return (REFUSED,) if each.get("failure") else (f"{each['protocol']}//{each['host']}",)


def antiphon(text: str, base: str = "") -> str:
    try:
        return (URL(base).join(text) if base else URL(text)).origin or REFUSED
    except ValueError:
        return REFUSED


def starlette(text: str) -> str:
    from starlette.datastructures import URL as StarletteURL

    try:
        url = StarletteURL(text)
        scheme, host, port = url.scheme, url.hostname, url.port
    except ValueError:
        return REFUSED
    if not scheme or not host:
        return REFUSED
    suffix = (
        "" if port in (None, {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}.get(scheme)) else f":{port}"
    )
    return f"{scheme}://[{host}]{suffix}" if ":" in host else f"{scheme}://{host}{suffix}"


def is_followed(text: str) -> bool:
    """True if a redirect to what a client gave leads there, and not to the page for all others."""
    return redirect_location(text, False, FALLBACK, SITE) != FALLBACK


CORPORA = (
    Corpus("URLs, absolute", RUST_URL, absolute, {"Antiphon": antiphon, "Starlette": starlette}),
    Corpus("URLs, resolved", RUST_URL, resolved, {"Antiphon": antiphon}),
    Corpus("URLs, redirected to", RUST_URL, redirects, {"Antiphon": is_followed}),
)
