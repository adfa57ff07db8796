"""The locale of a request."""

from typing import Any


class LocalizerRequestMixin:
    """The locale of a request, as attributes of it."""

    @property
    def locale_name(self) -> Any:
        """The name of the locale."""
        return "en"
