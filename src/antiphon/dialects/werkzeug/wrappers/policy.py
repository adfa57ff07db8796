"""The security policies of a response."""

from collections.abc import Callable

from antiphon.dialects._environ.attributes import live_header
from antiphon.dialects.werkzeug.datastructures.csp import ContentSecurityPolicy
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.fields import COEP, COOP
from antiphon.dialects.werkzeug.http.parsing import parse_csp_header
from antiphon.dialects.werkzeug.utils.accessors import header_property


def _parse_policy(value: str | None, on_update: Callable[[ContentSecurityPolicy], None]) -> ContentSecurityPolicy:
    return parse_csp_header(value, on_update, ContentSecurityPolicy)


class PolicyMixin:
    """Attributes for the security policies of a response."""

    headers: Headers

    content_security_policy = live_header(
        "Content-Security-Policy", _parse_policy, "The allowed sources of a page's contents."
    )
    content_security_policy_report_only = live_header(
        "Content-Security-Policy-Report-Only", _parse_policy, "A policy whose violations are only reported."
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy",
        COOP.UNSAFE_NONE,
        COOP,
        lambda policy: policy.value,
        doc="The isolation from pages that open it.",
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy",
        COEP.UNSAFE_NONE,
        COEP,
        lambda policy: policy.value,
        doc="The resources that it may embed.",
    )
