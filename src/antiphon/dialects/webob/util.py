"""Status phrases, HTML escaping, URL references, and the parameter names that WebOb's documentation uses."""

from collections.abc import Callable, Iterator
from functools import wraps
from hmac import compare_digest
from html import escape
from typing import Any, AnyStr, ParamSpec, TypeVar
from warnings import warn

from antiphon.http.grammar import percent_decode
from antiphon.http.status import PHRASES

P = ParamSpec("P")
T = TypeVar("T")


def also_called(word: str, parameter: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give a function's parameter a second name. A call that uses both names raises TypeError."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if word in kwargs:
                if parameter in kwargs:
                    raise TypeError(f"{function.__name__}() takes {parameter}= or {word}=, not both")
                kwargs[parameter] = kwargs.pop(word)
            return function(*args, **kwargs)

        return call

    return decorate


__all__ = ["html_escape", "status_generic_reasons", "status_reasons"]

status_reasons: dict[int, str] = PHRASES | {
    207: "Multi Status",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    451: "Unavailable for Legal Reasons",
    510: "Not Extended",
}
"""The reason phrase of each status code. WebOb's phrases take precedence over those of RFC 9110."""

status_generic_reasons: dict[int, str] = {
    1: "Continue",
    2: "Success",
    3: "Multiple Choices",
    4: "Unknown Client Error",
    5: "Unknown Server Error",
}
"""The reason phrase for unknown status codes, by their first digit."""


def html_escape(s: Any) -> str:
    """Escape an object for HTML, in ASCII. Returns "" for None and uses an object's own ``__html__`` if it has one."""
    if s is None:
        return ""
    own = getattr(s, "__html__", None)
    if callable(own):
        return str(own())
    text = s.decode() if isinstance(s, bytes) else str(s)
    return escape(text, quote=True).encode("ascii", "xmlcharrefreplace").decode("ascii")


# References


def urljoin(base: str, url: str) -> str:
    """Resolve a reference against ``base`` without dropping any characters (RFC 3986 §5).

    A reference with the base's scheme but no host is treated as if it had no scheme, as §5.2.2 allows for old
    references.
    """
    if not base or not url:
        return url or base
    scheme, _, rest = url.partition(":")
    if rest and rest[:2] != "//" and base[: len(scheme) + 1].lower() == f"{scheme}:".lower():
        url = rest
    from antiphon.http.urls.url import resolve  # imported late, since few programs join URLs

    return resolve(base, url)


def unquote(string: bytes) -> bytes:
    """Decode percent-escapes in bytes. Malformed escapes are kept."""
    return percent_decode(string or b"")


def url_unquote(s: str) -> str:
    """Decode percent-escapes in ASCII text. Each byte becomes one character (PEP 3333)."""
    return percent_decode(s.encode("ascii")).decode("latin-1")


def parse_qsl_text(qs: str, encoding: str = "utf-8") -> Iterator[tuple[str, str]]:
    """Yield the name and value of each field in an environ's query. Raises UnicodeDecodeError if it is invalid."""
    for piece in qs.encode("latin-1").replace(b"+", b" ").replace(b";", b"&").split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            yield percent_decode(name).decode(encoding), percent_decode(value).decode(encoding)


# Text and bytes


def text_(s: str | bytes, encoding: str = "latin-1", errors: str = "strict") -> str:
    """Decode bytes. Text is returned unchanged."""
    return s.decode(encoding, errors) if isinstance(s, bytes) else s


def bytes_(s: str | bytes, encoding: str = "latin-1", errors: str = "strict") -> bytes:
    """Encode text. Bytes are returned unchanged."""
    return s.encode(encoding, errors) if isinstance(s, str) else s


def strings_differ(string1: AnyStr, string2: AnyStr, compare_digest: Any = compare_digest) -> bool:
    """Return True if two strings differ, comparing them in a time that does not reveal where they differ."""
    return not compare_digest(*[bytes_(each, "utf-8", "surrogatepass") for each in (string1, string2)])


# For code that extends WebOb


def header_docstring(header: str, rfc_section: str) -> str:
    """Return the docstring of an attribute for a header or an environ key."""
    name = header.removeprefix("HTTP_").replace("_", "-").title() if header.isupper() else header
    return f"Gets and sets the ``{name}`` header (RFC 2616 section {rfc_section})."


def warn_deprecation(text: str, version: str, stacklevel: int) -> None:
    """Warn about a use deprecated since ``version``. Raise DeprecationWarning instead if that was before 1.8."""
    if version in {"1.2", "1.3", "1.4", "1.5", "1.6", "1.7"}:
        raise DeprecationWarning(text)
    warn(text, DeprecationWarning, stacklevel=stacklevel + 1)
