"""The headers for content negotiation."""

from antiphon.dialects.werkzeug.datastructures.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from antiphon.dialects.werkzeug.http.parsing import parse_accept_header
from antiphon.dialects.werkzeug.utils.accessors import environ_header


def _mimetypes(raw: str | None) -> MIMEAccept:
    return parse_accept_header(raw, MIMEAccept)


def _charsets(raw: str | None) -> CharsetAccept:
    return parse_accept_header(raw, CharsetAccept)


def _encodings(raw: str | None) -> Accept:
    return parse_accept_header(raw, Accept)


def _languages(raw: str | None) -> LanguageAccept:
    return parse_accept_header(raw, LanguageAccept)


class AcceptMixin:
    """Attributes for the headers of content negotiation, each a list sorted by quality."""

    accept_mimetypes = environ_header("HTTP_ACCEPT", _mimetypes, "The media types (RFC 9110 §12.5.1).")
    accept_charsets = environ_header("HTTP_ACCEPT_CHARSET", _charsets, "The charsets (RFC 9110 §12.5.2).")
    accept_encodings = environ_header("HTTP_ACCEPT_ENCODING", _encodings, "The codings, such as gzip (§12.5.3).")
    accept_languages = environ_header("HTTP_ACCEPT_LANGUAGE", _languages, "The languages (RFC 9110 §12.5.4).")
