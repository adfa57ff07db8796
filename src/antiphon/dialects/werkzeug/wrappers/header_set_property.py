"""Headers that are sets, or policies: what is changed in the value is sent."""

from collections.abc import Iterable
from typing import Any, Self, overload

from antiphon.dialects.werkzeug.datastructures import ContentSecurityPolicy, HeaderSet
from antiphon.dialects.werkzeug.http import dump_header, parse_csp_header, parse_set_header


class header_set_property:  # noqa: N801 - used as a declaration, like property
    """A header as a HeaderSet. It may be set to an iterable of elements, or to text; what is empty removes it."""

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    @overload
    def __get__(self, response: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, response: object, owner: type | None = None) -> HeaderSet: ...
    def __get__(self, response: Any, owner: type | None = None) -> Self | HeaderSet:
        if response is None:
            return self
        return parse_set_header(response.headers.get(self.name), lambda changed: self.__set__(response, changed))

    def __set__(self, response: Any, value: Iterable[str] | str | None) -> None:
        elements = value.to_header() if isinstance(value, HeaderSet) else value
        if not elements:
            response.headers.remove(self.name)
        else:
            response.headers[self.name] = elements if isinstance(elements, str) else dump_header(elements)


class policy_property:  # noqa: N801 - used as a declaration, like property
    """A header as a ContentSecurityPolicy, an empty one where it is absent. What is empty removes it."""

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    @overload
    def __get__(self, response: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, response: object, owner: type | None = None) -> ContentSecurityPolicy: ...
    def __get__(self, response: Any, owner: type | None = None) -> Self | ContentSecurityPolicy:
        if response is None:
            return self
        written = response.headers.get(self.name)
        return parse_csp_header(written, lambda changed: self.__set__(response, changed), ContentSecurityPolicy)

    def __set__(self, response: Any, value: ContentSecurityPolicy | str | None) -> None:
        if value:
            response.headers[self.name] = value if isinstance(value, str) else value.to_header()
        else:
            response.headers.remove(self.name)
