"""Requests and responses as in `werkzeug.wrappers`, and their mixins."""

from antiphon.dialects.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import (
    AcceptMixin,
    AuthorizationMixin,
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
    CORSRequestMixin,
    CORSResponseMixin,
    UserAgentMixin,
    WWWAuthenticateMixin,
)
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin, ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONMixin, ResponseStream, ResponseStreamMixin
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.dialects.werkzeug.wrappers.response import Response

__all__ = [
    "AcceptMixin", "AuthorizationMixin", "BaseRequest", "BaseResponse", "CORSRequestMixin", "CORSResponseMixin",
    "CommonRequestDescriptorsMixin", "CommonResponseDescriptorsMixin", "ETagRequestMixin", "ETagResponseMixin",
    "JSONMixin", "Request", "Response", "ResponseStream", "ResponseStreamMixin", "UserAgentMixin",
    "WWWAuthenticateMixin",
]  # fmt: skip
