"""Conversion of requests in other charsets to UTF-8."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects.webob.multidict import NoVars
from antiphon.dialects.webob.request.charsets import UTF_8, codec_of, declared_charset, named_charset, with_charset
from antiphon.dialects.webob.request.forms import RequestForms, parse_fields, raw_bytes
from antiphon.http import format_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class RequestTranscoding(RequestForms):
    """A request whose text can be transcoded."""

    if TYPE_CHECKING:

        def __init__(self, environ: "WSGIEnvironment", **kw: Any) -> None: ...

    def decode(self, charset: str | None = None, errors: str = "strict") -> Self:
        """Return a request in UTF-8 with what this one has in a charset: the query, and a form in the body.

        The charset is that of this request if none is given; the same request is returned for UTF-8. ``errors`` says
        what happens to malformed text, as in `bytes.decode`. Raises LookupError for a charset that requests can't have,
        UnicodeDecodeError, and what ``POST`` raises.
        """
        named = named_charset(charset or self.charset)
        if named == UTF_8:
            return self
        codec = codec_of(named)

        def text(data: bytes) -> str:
            return data.decode(codec, errors)

        written = self._content_type_raw
        decoded = self.__class__(self.environ.copy(), query_string=_in_utf_8(self.query_string, text))
        del decoded.charset
        if declared_charset(written):
            decoded._content_type_raw = with_charset(written, UTF_8)  # noqa: SLF001 - its own
        self._transcode_form(decoded, text)
        return decoded

    def _transcode_form(self, decoded: Self, text: Callable[[bytes], str]) -> None:
        if self.content_type == "application/x-www-form-urlencoded":
            decoded.body = _in_utf_8(self.body.decode("latin-1"), text).encode()
            return
        if self.content_type != "multipart/form-data":
            return
        from antiphon.dialects.webob.request.multipart_body import multipart
        from antiphon.embedding import parse_boundary

        fields = self._form(text)
        if not isinstance(fields, NoVars):
            boundary = parse_boundary(self._content_type_raw).decode()
            decoded.body = multipart(fields.items(), boundary)


def _in_utf_8(query: str, text: Callable[[bytes], str]) -> str:
    """Return a query, or a urlencoded form; without an equals sign it is something else, and stays as it is."""
    return format_query(parse_fields(raw_bytes(query).replace(b";", b"&"), text, None)) if "=" in query else query
