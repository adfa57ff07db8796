"""Content-Security-Policy as a dictionary of directives, with an attribute for each known directive."""

from typing import Any

from antiphon.dialects.werkzeug.datastructures.dicts import Directives
from antiphon.dialects.werkzeug.tokens import dump_csp_header


def csp_property(key: str) -> Any:
    """Return an attribute for a directive. A missing directive is None, and setting None removes it."""

    def write(policy: "ContentSecurityPolicy", value: str | None) -> None:
        if value is None:
            policy.pop(key, None)
        else:
            policy[key] = value

    def delete(policy: "ContentSecurityPolicy") -> None:
        policy.pop(key, None)

    return property(lambda policy: policy.get(key), write, delete, f"The `{key}` directive.")


class ContentSecurityPolicy(Directives[str]):
    """Directives by name. Changes to them change the response's header.

    ``provided`` is False if the directives were made from None, which means that the message has no such header.
    """

    base_uri = csp_property("base-uri")
    child_src = csp_property("child-src")
    connect_src = csp_property("connect-src")
    default_src = csp_property("default-src")
    font_src = csp_property("font-src")
    form_action = csp_property("form-action")
    frame_ancestors = csp_property("frame-ancestors")
    frame_src = csp_property("frame-src")
    img_src = csp_property("img-src")
    manifest_src = csp_property("manifest-src")
    media_src = csp_property("media-src")
    navigate_to = csp_property("navigate-to")
    object_src = csp_property("object-src")
    plugin_types = csp_property("plugin-types")
    prefetch_src = csp_property("prefetch-src")
    report_to = csp_property("report-to")
    report_uri = csp_property("report-uri")
    sandbox = csp_property("sandbox")
    script_src = csp_property("script-src")
    script_src_attr = csp_property("script-src-attr")
    script_src_elem = csp_property("script-src-elem")
    style_src = csp_property("style-src")
    style_src_attr = csp_property("style-src-attr")
    style_src_elem = csp_property("style-src-elem")
    worker_src = csp_property("worker-src")

    def to_header(self) -> str:
        return dump_csp_header(self)
