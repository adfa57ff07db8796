"""The response classes with attributes for all usual headers: without a body, and with one."""

from antiphon.dialects.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSResponseMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagResponseMixin, VersionMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONResponseMixin, JSONTypeMixin
from antiphon.dialects.werkzeug.wrappers.policy import PolicyMixin
from antiphon.dialects.werkzeug.wrappers.response_head import ResponseHead
from antiphon.dialects.werkzeug.wrappers.response_stream import ResponseStream, ResponseStreamMixin


class SansIOResponse(
    VersionMixin,
    WWWAuthenticateMixin,
    CORSResponseMixin,
    CommonResponseDescriptorsMixin,
    PolicyMixin,
    JSONTypeMixin,
    ResponseHead,
):
    """Status and headers of a response, with attributes for all usual headers: `werkzeug.sansio.response.Response`."""


class Response(ETagResponseMixin, ResponseStreamMixin, JSONResponseMixin, SansIOResponse, BaseResponse):
    """A response with attributes for all usual headers."""


__all__ = ["Response", "ResponseStream", "SansIOResponse"]
