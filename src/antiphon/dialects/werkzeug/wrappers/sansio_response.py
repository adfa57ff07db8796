"""Status and headers of a response, with attributes for all usual headers."""

from antiphon.dialects.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSResponseMixin
from antiphon.dialects.werkzeug.wrappers.etag import VersionMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONTypeMixin
from antiphon.dialects.werkzeug.wrappers.policy import PolicyMixin
from antiphon.dialects.werkzeug.wrappers.response_head import ResponseHead


class Response(
    VersionMixin,
    WWWAuthenticateMixin,
    CORSResponseMixin,
    CommonResponseDescriptorsMixin,
    PolicyMixin,
    JSONTypeMixin,
    ResponseHead,
):
    """Status and headers of a response, with attributes for all usual headers: `werkzeug.sansio.response.Response`."""
