"""The response class."""

from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.etag import ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONResponseMixin, ResponseStream, ResponseStreamMixin
from antiphon.dialects.werkzeug.wrappers.sansio import Response as SansIOResponse


class Response(ETagResponseMixin, ResponseStreamMixin, JSONResponseMixin, SansIOResponse, BaseResponse):
    """A response with attributes for all usual headers."""


__all__ = ["Response", "ResponseStream"]
