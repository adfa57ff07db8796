"""Heads of requests and responses, made from values, with attributes for all usual headers."""

from antiphon.dialects.werkzeug.wrappers.base_request import RequestHead
from antiphon.dialects.werkzeug.wrappers.base_response import ResponseHead
from antiphon.dialects.werkzeug.wrappers.common_descriptors import (
    AcceptMixin,
    AuthorizationMixin,
    CommonRequestDescriptorsMixin,
    CommonResponseDescriptorsMixin,
    CORSRequestMixin,
    CORSResponseMixin,
    PolicyMixin,
    UserAgentMixin,
    WWWAuthenticateMixin,
)
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin, VersionMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONTypeMixin


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
