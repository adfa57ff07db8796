"""Requests and responses as `werkzeug.wrappers` had them in 0.8, and their mixins."""

from antiphon.dialects.kay.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.kay.werkzeug.wrappers.base_request import BaseRequest, Request
from antiphon.dialects.kay.werkzeug.wrappers.base_response import BaseResponse, Response
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import (
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
    ETagRequestMixin,
)
from antiphon.dialects.werkzeug.wrappers import (
    AcceptMixin,
    AuthorizationMixin,
    ETagResponseMixin,
    ResponseStream,
    ResponseStreamMixin,
    UserAgentMixin,
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
