"""The native features that keep a project's data for longer than a request, and its security headers."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.auth import install_users
from antiphon.dialects.asok.request_state import install_csrf, install_rate_limit
from antiphon.dialects.asok.session import SessionStore, install_sessions
from antiphon.features import ContentSecurityPolicy, Flash, SecurityHeaders, StrictTransportSecurity

if TYPE_CHECKING:
    from antiphon import App, Response
    from antiphon import Request as NativeRequest
    from antiphon.dialects.asok.app import Asok


_SELF = "'self'"
POLICY: Mapping[str, tuple[str, ...]] = {
    "default-src": (_SELF,),
    "img-src": (_SELF, "data:", "blob:"),
    "style-src": (_SELF, "'unsafe-inline'"),
    "connect-src": (_SELF,),
    "object-src": ("'none'",),
    "base-uri": (_SELF,),
    "form-action": (_SELF,),
    "frame-ancestors": ("'none'",),
    "script-src": (_SELF, "'nonce'", "'strict-dynamic'"),
}
"""The policy of pages, before the settings add to it."""

_FIELDS = {
    "x-frame-options": "frame_options",
    "referrer-policy": "referrer_policy",
    "strict-transport-security": "strict_transport_security",
    "permissions-policy": "permissions_policy",
    "content-security-policy": "content_security_policy",
    "cross-origin-opener-policy": "cross_origin_opener_policy",
}
_TYPE_OPTIONS = "x-content-type-options"


def install_security_headers(native: "App", config: Mapping[str, Any]) -> None:
    """Make an application send the headers in SECURITY_HEADERS: True, False, or a dict of different values.

    None in the dict leaves a header out. Raises ValueError for unknown names.
    """
    said = config["SECURITY_HEADERS"]
    if said is False:
        return
    own = {name.lower(): value for name, value in said.items()} if isinstance(said, Mapping) else {}
    values: dict[str, Any] = {
        "content_security_policy": policy_of(config),
        "strict_transport_security": StrictTransportSecurity(include_subdomains=True),
        "permissions_policy": "geolocation=(), microphone=(), camera=(), payment=()",
        "cross_origin_opener_policy": None,
    }
    values |= {_FIELDS[name]: value for name, value in own.items() if name in _FIELDS}
    native.use(SecurityHeaders(content_type_options=own.get(_TYPE_OPTIONS, True) is not None, **values))
    others = {name: value for name, value in own.items() if name not in _FIELDS and name != _TYPE_OPTIONS and value}
    if others:
        native.after_request(_adding(others))


def policy_of(config: Mapping[str, Any]) -> ContentSecurityPolicy:
    """Return the policy of pages: the default one, with the sources of CSP, CSP_STRICT_STYLES and CSP_REPORT_URI."""
    directives = {name: [*sources] for name, sources in POLICY.items()}
    if config.get("CSP_STRICT_STYLES") or config.get("CSP_NONCE_STYLES"):
        directives["style-src"] = [_SELF, "'nonce'"]
    for name, sources in (config.get("CSP") or {}).items():
        _add(directives.setdefault(name, []), [sources] if isinstance(sources, str) else sources)
    if uri := config.get("CSP_REPORT_URI"):
        directives["report-uri"] = [uri.strip()]
    return ContentSecurityPolicy(**directives)


def _add(sources: list[str], more: Iterable[str]) -> None:
    """Add sources to those of a directive, and remove 'none', which must be alone."""
    words = [word for source in more for word in source.split()]
    if words and sources == ["'none'"]:
        sources.clear()
    sources += [word for word in words if word not in sources]


def _adding(fields: Mapping[str, Any]) -> Any:
    def add_fields(request: "NativeRequest", response: "Response") -> None:  # noqa: ARG001
        for name, value in fields.items():
            response.headers.setdefault(name, str(value))

    return add_fields


def install_state(app: "Asok", native: "App") -> SessionStore:
    """Make an application send security headers, store sessions, and use the features based on them, as configured.

    Returns the session store. Raises ValueError for invalid settings.
    """
    install_security_headers(native, app.config)
    install_rate_limit(native, app.config)
    store = install_sessions(native, app.config, app.root_dir)
    native.on_shutdown(store.native.close)
    native.use(Flash())
    install_csrf(native, app.config)
    install_users(native, app)
    return store
