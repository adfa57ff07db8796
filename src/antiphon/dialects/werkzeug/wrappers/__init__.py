"""Requests and responses as `werkzeug.wrappers` has them, and their mixins."""

from antiphon.dialects.werkzeug.wrappers.accept import AcceptMixin
from antiphon.dialects.werkzeug.wrappers.auth import AuthorizationMixin, WWWAuthenticateMixin
from antiphon.dialects.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import (
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
)
from antiphon.dialects.werkzeug.wrappers.cors import CORSRequestMixin, CORSResponseMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin, ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONMixin
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.dialects.werkzeug.wrappers.response import Response
from antiphon.dialects.werkzeug.wrappers.response_stream import ResponseStream, ResponseStreamMixin
from antiphon.dialects.werkzeug.wrappers.user_agent import UserAgentMixin

__all__ = [
    "AcceptMixin",
    "AuthorizationMixin",
    "BaseRequest",
    "BaseResponse",
    "CORSRequestMixin",
    "CORSResponseMixin",
    "CommonRequestDescriptorsMixin",
    "CommonResponseDescriptorsMixin",
    "ETagRequestMixin",
    "ETagResponseMixin",
    "JSONMixin",
    "Request",
    "Response",
    "ResponseStream",
    "ResponseStreamMixin",
    "UserAgentMixin",
    "WWWAuthenticateMixin",
]
