"""Status and headers of a response, without a body: the base of `wrappers.Response`."""

from antiphon.dialects.werkzeug.wrappers.response import SansIOResponse as Response

__all__ = ["Response"]
