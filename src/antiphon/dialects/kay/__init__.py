"""What code written for Kay expects: `from antiphon.dialects.kay import Request, Response`."""

from antiphon.dialects.kay.werkzeug.wrappers import (
    AcceptMixin,
    AuthorizationMixin,
    BaseRequest,
    BaseResponse,
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
    ETagRequestMixin,
    ETagResponseMixin,
    Request,
    Response,
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
    "ResponseStreamMixin",
    "UserAgentMixin",
    "WWWAuthenticateMixin",
]
