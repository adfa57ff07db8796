"""The base of responses: here that is everything but the attributes for headers."""

from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse as Response

__all__ = ["Response"]
