"""Accept, Accept-Charset, Accept-Encoding and Accept-Language as objects (RFC 9110 §12.5).

Each header has a class, such as ``Accept``, and one for each of its states: ``AcceptValidHeader``,
``AcceptInvalidHeader`` (treated as absent) and ``AcceptNoHeader``. ``create_accept_header`` chooses among them.
"""

from antiphon.dialects.webob._accept.grammar import weighted
from antiphon.dialects.webob._accept.header import Accepted, InvalidHeader, NoHeader, ValidHeader
from antiphon.dialects.webob._accept.language import (
    AcceptLanguage,
    AcceptLanguageInvalidHeader,
    AcceptLanguageNoHeader,
    AcceptLanguageValidHeader,
)
from antiphon.dialects.webob._accept.media import (
    Accept,
    AcceptInvalidHeader,
    AcceptNoHeader,
    AcceptOffer,
    AcceptValidHeader,
    MIMEAccept,
)

__all__ = [
    "Accept", "AcceptCharset", "AcceptCharsetInvalidHeader", "AcceptCharsetNoHeader", "AcceptCharsetValidHeader",
    "AcceptEncoding", "AcceptEncodingInvalidHeader", "AcceptEncodingNoHeader", "AcceptEncodingValidHeader",
    "AcceptInvalidHeader", "AcceptLanguage", "AcceptLanguageInvalidHeader", "AcceptLanguageNoHeader",
    "AcceptLanguageValidHeader", "AcceptNoHeader", "AcceptOffer", "AcceptValidHeader", "MIMEAccept", "MIMENilAccept",
    "NilAccept", "NoAccept", "accept_charset_property", "accept_encoding_property", "accept_language_property",
    "accept_property", "create_accept_charset_header", "create_accept_encoding_header", "create_accept_header",
    "create_accept_language_header",
]  # fmt: skip


class AcceptCharset(Accepted):
    """The charsets of Accept-Charset (RFC 9110 §12.5.2)."""

    grammar = weighted("Accept-Charset")


class AcceptCharsetValidHeader(ValidHeader, AcceptCharset):
    """A well-formed Accept-Charset header."""


class AcceptCharsetNoHeader(NoHeader, AcceptCharset):
    """An absent Accept-Charset header."""


class AcceptCharsetInvalidHeader(InvalidHeader, AcceptCharset):
    """A malformed Accept-Charset header."""


class AcceptEncoding(Accepted):
    """The content codings of Accept-Encoding (RFC 9110 §12.5.3)."""

    grammar = weighted("Accept-Encoding", may_be_empty=True)


class AcceptEncodingValidHeader(ValidHeader, AcceptEncoding):
    """A well-formed Accept-Encoding header. ``identity`` is acceptable unless excluded, by its name or by ``*``."""

    @staticmethod
    def _quality_in(qualities: dict[str, float], offer: str) -> float:
        return qualities.get(offer, qualities.get("*", 1.0 if offer == "identity" else 0.0))


class AcceptEncodingNoHeader(NoHeader, AcceptEncoding):
    """An absent Accept-Encoding header."""


class AcceptEncodingInvalidHeader(InvalidHeader, AcceptEncoding):
    """A malformed Accept-Encoding header."""


AcceptCharset.valid = AcceptCharsetValidHeader
AcceptCharset.invalid = AcceptCharsetInvalidHeader
AcceptCharset.absent = AcceptCharsetNoHeader
AcceptEncoding.valid = AcceptEncodingValidHeader
AcceptEncoding.invalid = AcceptEncodingInvalidHeader
AcceptEncoding.absent = AcceptEncodingNoHeader

NilAccept = MIMENilAccept = AcceptNoHeader
"""An absent Accept header, under its names of before WebOb 1.8."""
NoAccept = AcceptEncodingNoHeader
"""An absent Accept-Encoding header, under its name of before WebOb 1.8."""

create_accept_header = Accept.create
create_accept_charset_header = AcceptCharset.create
create_accept_encoding_header = AcceptEncoding.create
create_accept_language_header = AcceptLanguage.create


def accept_property() -> property:
    """Return the property of a request for Accept."""
    return Accept.environ_property("HTTP_ACCEPT", "Accept")


def accept_charset_property() -> property:
    """Return the property of a request for Accept-Charset."""
    return AcceptCharset.environ_property("HTTP_ACCEPT_CHARSET", "Accept-Charset")


def accept_encoding_property() -> property:
    """Return the property of a request for Accept-Encoding."""
    return AcceptEncoding.environ_property("HTTP_ACCEPT_ENCODING", "Accept-Encoding")


def accept_language_property() -> property:
    """Return the property of a request for Accept-Language."""
    return AcceptLanguage.environ_property("HTTP_ACCEPT_LANGUAGE", "Accept-Language")
