"""What a client gets."""

from collections.abc import Iterable
from typing import Any

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.utils.accessors import cached_property
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.dialects.werkzeug.wrappers.response import Response


class TestResponse(Response):
    """A response with the ``request`` that it answers, and the ``history`` of redirects that led to it."""

    __test__ = False
    default_mimetype = None

    def __init__(
        self,
        response: Iterable[bytes],
        status: str,
        headers: Headers,
        request: Request,
        history: "tuple[TestResponse, ...]" = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(response, status, headers, **kwargs)
        self.request = request
        self.history = history

    @cached_property
    def text(self) -> str:
        """The body as text."""
        text: str = self.get_data(as_text=True)
        return text
