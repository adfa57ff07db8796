"""The request class."""

from antiphon.dialects.werkzeug.wrappers.accept import AcceptMixin
from antiphon.dialects.werkzeug.wrappers.auth import AuthorizationMixin
from antiphon.dialects.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonRequestDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSRequestMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONMixin
from antiphon.dialects.werkzeug.wrappers.user_agent import UserAgentMixin


class Request(
    AcceptMixin,
    ETagRequestMixin,
    UserAgentMixin,
    AuthorizationMixin,
    CORSRequestMixin,
    CommonRequestDescriptorsMixin,
    JSONMixin,
    BaseRequest,
):
    """A request with attributes for all usual headers."""
