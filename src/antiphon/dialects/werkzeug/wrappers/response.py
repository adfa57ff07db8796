"""The response."""

from antiphon.dialects.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSResponseMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONResponseMixin
from antiphon.dialects.werkzeug.wrappers.policies import PolicyMixin
from antiphon.dialects.werkzeug.wrappers.response_stream import ResponseStream, ResponseStreamMixin


class Response(
    ETagResponseMixin,
    WWWAuthenticateMixin,
    CORSResponseMixin,
    ResponseStreamMixin,
    CommonResponseDescriptorsMixin,
    PolicyMixin,
    JSONResponseMixin,
    BaseResponse,
):
    """A response with all that there is: see ``BaseResponse``, and the parts it is made of."""


__all__ = ["Response", "ResponseStream"]
