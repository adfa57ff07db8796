"""The media type and its parameters, as attributes that can be set."""

from collections.abc import Mapping
from typing import Any

from antiphon.dialects.werkzeug.datastructures.dicts import CallbackDict
from antiphon.dialects.werkzeug.tokens.options import dump_options_header, parse_options_header
from antiphon.dialects.werkzeug.utils.texts import get_content_type


class MediaType:
    """A mixin that splits ``content_type`` into two attributes."""

    content_type: Any
    charset: str

    @property
    def mimetype(self) -> str | None:
        """The media type without parameters; None without one. Setting it adds a charset to text types."""
        content_type = self.content_type
        return content_type.partition(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, self.charset)

    @property
    def mimetype_params(self) -> "CallbackDict[str, str]":
        """The parameters of the media type. Changing them changes the header."""
        return CallbackDict(parse_options_header(self.content_type)[1], self._set_mimetype_params)

    def _set_mimetype_params(self, parameters: Mapping[str, str]) -> None:
        self.content_type = dump_options_header(self.mimetype, parameters)
