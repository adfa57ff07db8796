"""Requests and responses as `werkzeug.wrappers` had them in 0.8, and the parts that they are made of."""

from antiphon.dialects.kay.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.kay.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import (
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
)
from antiphon.dialects.kay.werkzeug.wrappers.conditions import ETagRequestMixin
from antiphon.dialects.kay.werkzeug.wrappers.request import Request
from antiphon.dialects.kay.werkzeug.wrappers.response import Response
from antiphon.dialects.werkzeug.wrappers import (
    AcceptMixin,
    AuthorizationMixin,
    ETagResponseMixin,
    ResponseStream,
    ResponseStreamMixin,
    UserAgentMixin,
    WWWAuthenticateMixin,
)

__all__ = [
    "AcceptMixin",
    "AuthorizationMixin",
    "BaseRequest",
    "BaseResponse",
    "CommonRequestDescriptorsMixin",
    "CommonResponseDescriptorsMixin",
    "ETagRequestMixin",
    "ETagResponseMixin",
    "Request",
    "Response",
    "ResponseStream",
    "ResponseStreamMixin",
    "UserAgentMixin",
    "WWWAuthenticateMixin",
]
