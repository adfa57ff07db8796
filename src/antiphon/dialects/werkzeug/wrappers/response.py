"""The response."""

from collections.abc import Callable

from antiphon.dialects._environ.attributes import live_header
from antiphon.dialects.werkzeug.datastructures.csp import ContentSecurityPolicy
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.fields import COEP, COOP
from antiphon.dialects.werkzeug.http.parsing import parse_csp_header
from antiphon.dialects.werkzeug.utils.accessors import header_property
from antiphon.dialects.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug.wrappers.cors import CORSResponseMixin
from antiphon.dialects.werkzeug.wrappers.etag import ETagResponseMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONResponseMixin
from antiphon.dialects.werkzeug.wrappers.response_stream import ResponseStream, ResponseStreamMixin


def _parse_policy(value: str | None, on_update: Callable[[ContentSecurityPolicy], None]) -> ContentSecurityPolicy:
    return parse_csp_header(value, on_update, ContentSecurityPolicy)


class PolicyMixin:
    """Policies of a response."""

    headers: Headers

    content_security_policy = live_header(
        "Content-Security-Policy", _parse_policy, "Where what a page loads may come from."
    )
    content_security_policy_report_only = live_header(
        "Content-Security-Policy-Report-Only", _parse_policy, "The same, of which violations are only reported."
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy", COOP.UNSAFE_NONE, COOP, lambda policy: policy.value, doc="Who shares its group."
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy", COEP.UNSAFE_NONE, COEP, lambda policy: policy.value, doc="What it may embed."
    )


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
