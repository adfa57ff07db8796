"""The response class."""

from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import Response as SansIOResponse
from antiphon.dialects.werkzeug.wrappers.etag import ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONResponseMixin, ResponseStream, ResponseStreamMixin


class Response(ETagResponseMixin, ResponseStreamMixin, JSONResponseMixin, SansIOResponse, BaseResponse):
    """A response with attributes for all usual headers."""


__all__ = ["Response", "ResponseStream"]
