"""Status and headers of a response, without a body: the base of `wrappers.Response`."""

from antiphon.dialects.werkzeug.wrappers.sansio_response import Response

__all__ = ["Response"]
