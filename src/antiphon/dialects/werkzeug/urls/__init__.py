"""The functions of `werkzeug.urls`: ``iri_to_uri``, ``uri_to_iri``, and those that Werkzeug had up to 2.3."""

from antiphon.dialects.werkzeug.urls.iri import (
    iri_to_uri,
    uri_to_iri,
    url_quote,
    url_quote_plus,
    url_unparse,
    url_unquote,
    url_unquote_plus,
)
from antiphon.dialects.werkzeug.urls.parts import (
    URL,
    BaseURL,
    BytesURL,
    Href,
    url_decode,
    url_decode_stream,
    url_encode,
    url_encode_stream,
    url_fix,
    url_join,
    url_parse,
)

__all__ = [
    "URL", "BaseURL", "BytesURL", "Href", "iri_to_uri", "uri_to_iri", "url_decode", "url_decode_stream",
    "url_encode", "url_encode_stream", "url_fix", "url_join", "url_parse", "url_quote", "url_quote_plus",
    "url_unparse", "url_unquote", "url_unquote_plus",
]  # fmt: skip
