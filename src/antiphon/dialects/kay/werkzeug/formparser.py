"""Form parsing as in `werkzeug.formparser` 0.8, whose parser takes a charset."""

from collections.abc import Callable
from typing import Any

from antiphon.dialects.werkzeug import formparser
from antiphon.dialects.werkzeug.formparser import (
    MultiPartParser,
    StreamFactory,
    default_stream_factory,
    parse_form_data,
)

__all__ = ["FormDataParser", "MultiPartParser", "default_stream_factory", "parse_form_data"]


class FormDataParser(formparser.FormDataParser):
    """The Werkzeug dialect's parser, with a ``charset``.

    Bytes that are invalid in the charset become U+FFFD. ``errors`` has no effect.
    """

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        charset: str = "utf-8",
        errors: str = "replace",
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        cls: Callable[..., Any] | None = None,
        silent: bool = True,
    ) -> None:
        super().__init__(stream_factory, max_form_memory_size, max_content_length, cls, silent)
        self.charset = charset
        self.errors = errors
