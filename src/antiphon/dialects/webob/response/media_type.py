"""The Content-Type of a response, in parts: the media type, its charset and its other parameters."""

from typing import Any

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects.webob.header_values import CHARSET_RE
from antiphon.dialects.webob.lines import last_value, put_line, remove_lines
from antiphon.dialects.webob.response.head import ResponseHead
from antiphon.http.grammar import format_parameters, parse_parameters

_NAME = "Content-Type"


class MediaTypes(ResponseHead):
    """The parts of the Content-Type. Deleting a part keeps the others."""

    default_content_type: str | None = "text/html"
    """The media type of a response that is made without one."""
    default_charset: str | None = "UTF-8"
    """The default charset of text."""

    @property
    def content_type(self) -> str | None:
        """The media type, without parameters; None without one.

        Setting it removes all parameters, and adds the default charset to text and to XML.
        """
        header = last_value(self._headerlist, "content-type")
        return header.partition(";")[0] if header else None

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if not value:
            del self.content_type
            return
        if not isinstance(value, str):
            raise TypeError(f"a content type is text, not {type(value).__name__}")
        self.headers[_NAME] = with_charset(value, self.default_charset)

    @content_type.deleter
    def content_type(self) -> None:
        remove_lines(self._headerlist, "content-type")

    @property
    def charset(self) -> str | None:
        """The charset of the Content-Type; None without one. Setting raises AttributeError without a Content-Type."""
        header = last_value(self._headerlist, "content-type")
        return charset_of(header) if header else None

    @charset.setter
    def charset(self, charset: str | None) -> None:
        if charset is None:
            del self.charset
            return
        header = last_value(self._headerlist, "content-type")
        if header is None:
            raise AttributeError("You cannot set the charset when no content-type is defined")
        put_line(self._headerlist, _NAME, f"{CHARSET_RE.sub('', header, 1)}; charset={charset}")

    @charset.deleter
    def charset(self) -> None:
        header = last_value(self._headerlist, "content-type")
        if header is not None:
            put_line(self._headerlist, _NAME, CHARSET_RE.sub("", header, 1))

    @property
    def content_type_params(self) -> dict[str, str]:
        """The parameters of the Content-Type, in a dictionary of their own. Setting replaces all of them.

        Raises ValueError for names that are not tokens, and values with control characters.
        """
        header = last_value(self._headerlist, "content-type") or ""
        return parse_parameters(header.partition(";")[2])

    @content_type_params.setter
    def content_type_params(self, value_dict: Any) -> None:
        parameters = format_parameters(dict(sorted(value_dict.items()))) if value_dict else ""
        header = last_value(self._headerlist, "content-type") or ""
        put_line(self._headerlist, _NAME, header.partition(";")[0] + parameters)

    @content_type_params.deleter
    def content_type_params(self) -> None:
        self.content_type_params = {}


@cache_short(128)
def charset_of(content_type: str) -> str | None:
    """Return the charset of a Content-Type; None without one."""
    match = CHARSET_RE.search(content_type)
    return match[1].strip().strip('"') if match else None


def with_charset(content_type: str, charset: str | None) -> str:
    """Return a Content-Type with a charset, if it can have one and has none."""
    if not charset or not takes_charset(content_type) or CHARSET_RE.search(content_type):
        return content_type
    return f"{content_type}; charset={charset}"


@cache_short(128)
def takes_charset(content_type: str) -> bool:
    """Check that a media type is text or XML."""
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    if kind == "text":
        return True
    return (
        subtype.endswith("+xml")
        if kind == "image"
        else kind == "application" and (subtype.startswith("xml") or subtype.endswith("+xml"))
    )
