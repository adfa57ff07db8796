"""The media type of a content that is being made."""

from collections.abc import Mapping
from typing import Any

from antiphon.dialects.werkzeug.datastructures.dicts import CallbackDict
from antiphon.dialects.werkzeug.tokens.options import dump_options_header, parse_options_header
from antiphon.dialects.werkzeug.utils.texts import get_content_type


class MediaType:
    """What ``content_type`` says, in two parts that can be set."""

    content_type: Any
    charset: str

    @property
    def mimetype(self) -> str | None:
        """The media type without parameters; None if there is none. Text that is set is given a charset."""
        content_type = self.content_type
        return content_type.partition(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, self.charset)

    @property
    def mimetype_params(self) -> "CallbackDict[str, str]":
        """The parameters of the media type; what is changed in them is sent."""
        return CallbackDict(parse_options_header(self.content_type)[1], self._set_mimetype_params)

    def _set_mimetype_params(self, parameters: Mapping[str, str]) -> None:
        self.content_type = dump_options_header(self.mimetype, parameters)
