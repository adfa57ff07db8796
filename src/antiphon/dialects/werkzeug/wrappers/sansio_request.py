"""The head of a request, made from values, with attributes for all usual headers."""

from antiphon.dialects.werkzeug.wrappers.accept import AcceptMixin
from antiphon.dialects.werkzeug.wrappers.auth import AuthorizationMixin
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonRequestDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSRequestMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONTypeMixin
from antiphon.dialects.werkzeug.wrappers.request_head import RequestHead
from antiphon.dialects.werkzeug.wrappers.user_agent import UserAgentMixin


class Request(
    AcceptMixin,
    ETagRequestMixin,
    UserAgentMixin,
    AuthorizationMixin,
    CORSRequestMixin,
    CommonRequestDescriptorsMixin,
    JSONTypeMixin,
    RequestHead,
):
    """The head of a request, with attributes for all usual headers: `werkzeug.sansio.request.Request`.

    It has no environ: ``environ`` is a view of the headers.
    """
