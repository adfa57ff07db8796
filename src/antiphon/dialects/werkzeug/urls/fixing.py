"""URLs as people type them, made into such as programs read."""

from antiphon.dialects.werkzeug.urls.iri import url_unparse
from antiphon.dialects.werkzeug.urls.parts import url_parse
from antiphon.dialects.werkzeug.urls.quoting import url_quote, url_quote_plus


def url_fix(s: str | bytes, charset: str = "utf-8") -> str:
    """A URL with its spaces and the like escaped, and with slashes for backslashes."""
    text = (s.decode(charset, "replace") if isinstance(s, bytes) else s).replace("\\", "/")
    if text.startswith("file://") and text[7:8].isalpha() and text[8:10] in (":/", "|/"):
        text = f"file:///{text[7:]}"
    url = url_parse(text)
    path = url_quote(url.path, charset, safe="/%+$!*'(),")
    query = url_quote_plus(url.query, charset, safe=":&%=+$!*'(),")
    fragment = url_quote_plus(url.fragment, charset, safe=":&%=+$!*'(),")
    fixed: str = url_unparse((url.scheme, url.ascii_netloc(), path, query, fragment))
    return fixed
