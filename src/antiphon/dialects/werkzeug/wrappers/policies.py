"""What browsers are told to keep a page from."""

from antiphon.dialects.werkzeug.datastructures import Headers
from antiphon.dialects.werkzeug.http import COEP, COOP
from antiphon.dialects.werkzeug.utils import header_property
from antiphon.dialects.werkzeug.wrappers.header_set_property import policy_property


class PolicyMixin:
    """Policies of a response."""

    headers: Headers

    content_security_policy = policy_property("Content-Security-Policy", "Where what a page loads may come from.")
    content_security_policy_report_only = policy_property(
        "Content-Security-Policy-Report-Only", "The same, of which violations are only reported."
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy", COOP.UNSAFE_NONE, COOP, lambda policy: policy.value, doc="Who shares its group."
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy", COEP.UNSAFE_NONE, COEP, lambda policy: policy.value, doc="What it may embed."
    )
