"""An Asok project's application: its folders, settings and shared values, served by a native application."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from inspect import Parameter
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from antiphon import App, env
from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.asok.auth import install_users
from antiphon.dialects.asok.config import configured, folder_of, install_settings, native_settings
from antiphon.dialects.asok.languages import install_languages, install_locations
from antiphon.dialects.asok.locations import Locations
from antiphon.dialects.asok.pages import CONVERTERS, AsokPages, install_errors
from antiphon.dialects.asok.request import Request
from antiphon.dialects.asok.request_state import install_csrf, install_rate_limit
from antiphon.dialects.asok.session import SessionStore, install_sessions
from antiphon.dialects.asok.uploads import install_static
from antiphon.embedding import Advice, Servable, lazy, signature_of
from antiphon.features import BlockScript, ContentSecurityPolicy, Flash, SecurityHeaders, Store, StrictTransportSecurity

if TYPE_CHECKING:
    from antiphon import App, Response
    from antiphon import Request as NativeRequest
    from antiphon.dialects.asok.templating.environment import ProjectTemplates

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
"""The default policy for pages; the settings may add sources to it."""

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
    """Make an application send the security headers that the SECURITY_HEADERS setting describes.

    The setting is True, False, or a dict that overrides header values; None as a value leaves that header out. Raises
    ValueError for unknown names.
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
    """Return the pages' policy: the default, with the sources of CSP, CSP_STRICT_STYLES and CSP_REPORT_URI added."""
    directives = {name: [*sources] for name, sources in POLICY.items()}
    if config.get("CSP_STRICT_STYLES") or config.get("CSP_NONCE_STYLES"):
        directives["style-src"] = [_SELF, "'nonce'"]
    for name, sources in (config.get("CSP") or {}).items():
        _add(directives.setdefault(name, []), [sources] if isinstance(sources, str) else sources)
    if uri := config.get("CSP_REPORT_URI"):
        directives["report-uri"] = [uri.strip()]
    return ContentSecurityPolicy(**directives)


def _add(sources: list[str], more: Iterable[str]) -> None:
    """Add sources to a directive and remove 'none', which can't be combined with others."""
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
    """Add security headers, session storage and the session-based features to an application, as configured.

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


_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def shared_natively(app: "Asok", value: Any) -> Any:
    """Return a value to share natively.

    A callable is called when the value is first used, with the request or, if it accepts no arguments, without any. A
    class, or a callable that needs more arguments, is shared unchanged. Each request gets its own copy of a form.
    """
    if hasattr(type(value), "for_request"):
        value = value.for_request
    if not callable(value):
        return value
    count = None if isinstance(value, type) else _arguments(value)
    if count is None:
        return lambda _native: value
    if count == 0:
        return lambda _native: value()

    def call(native: NativeRequest) -> Any:
        return value(Request.of(app, native))

    return call


def _arguments(function: Callable[..., Any]) -> int | None:
    """Return how many arguments to pass to a shared function, 0 or 1; None if it needs more."""
    try:
        parameters = [*signature_of(function).parameters.values()]
    except (TypeError, ValueError):  # some C functions have no signature
        return 1
    needed = [each for each in parameters if each.default is each.empty and each.kind not in _VARIADIC]
    if len(needed) > 1 or any(each.kind is each.KEYWORD_ONLY for each in needed):
        return None
    return int(bool(needed) or bool(parameters and parameters[0].name in ("request", "req")))


F = TypeVar("F", bound=Callable[..., Any])


class Asok(Servable):
    """The application for the project in a folder, by default the current one, with the variables in its ``.env``.

    It is a WSGI, ASGI and RSGI application. The project is loaded when the first request arrives, or when ``native``,
    the application that handles requests, is first accessed. Set all settings, shared values and functions before that.
    """

    version = "0.8.0"
    session_store: SessionStore
    """The session store; set once the project is loaded."""
    counters: Store
    """The counters for rate limits, separate for each process."""
    find_user: Callable[[Any], Any] | None = None
    """The function registered with ``user_loader``."""

    def __init__(self, root_dir: str | os.PathLike[str] | None = None) -> None:
        from antiphon.features import MemoryStore  # imported late: it loads msgspec

        super().__init__()
        self.root_dir = os.path.abspath(root_dir or os.getcwd())
        self.dirs = {
            "PAGES": "src/pages",
            "PARTIALS": "src/partials",
            "LOCALES": "src/locales",
            "MIDDLEWARES": "src/middlewares",
            "COMPONENTS": "src/components",
            "MODELS": "src/models",
        }
        if (source := os.path.join(self.root_dir, "src")) not in sys.path:
            sys.path.insert(0, source)
        env.load(os.path.join(self.root_dir, ".env"))
        self.config: dict[str, Any] = configured(os.environ)
        self.counters = MemoryStore()
        self.advice = Advice()
        self.shared_values: dict[str, Any] = {}
        self.middleware_handlers: list[Callable[..., Any]] = [*self._middlewares()]
        self._on_startup: list[Callable[[], Any]] = []
        self.locations = Locations()
        self._on_shutdown: list[Callable[[], Any]] = []

    # Registration

    def share(self, **values: Any) -> Self:
        """Share values with all templates, and as ``request.shared(name)``.

        A callable value is called with the request on first use, at most once per request.

        Raises RuntimeError once the application is serving requests.
        """
        if "native" in vars(self):
            self.native._check_open()
            self.native.template_context(**{name: shared_natively(self, value) for name, value in values.items()})
        self.shared_values.update(values)
        return self

    @lazy
    def templates(self) -> "ProjectTemplates":
        from antiphon.dialects.asok.templating.environment import ProjectTemplates  # imported late: it loads Jinja2

        return ProjectTemplates(self)

    def use(self, middleware: Callable[..., Any], priority: int = 50) -> Self:
        """Add a middleware: a function of the request and the next middleware. Lower priorities are further out.

        Raises RuntimeError once the project is loaded.
        """
        self._check_unread("use")
        vars(middleware).setdefault("_asok_priority", priority)
        self.middleware_handlers.append(middleware)
        self.middleware_handlers.sort(key=lambda each: getattr(each, "_asok_priority", 50))
        return self

    def user_loader(self, fn: F) -> F:
        """Register the function (``def`` or ``async def``) that returns the user with the given id, or None.

        Without it, users are found through the model in the AUTH_MODEL setting. Raises RuntimeError once the project is
        loaded.
        """
        self._check_unread("user_loader")
        self.find_user = fn
        return fn

    def on_startup(self, fn: F) -> F:
        """Register a function to call or await before the first request of a process.

        Raises RuntimeError once the project is loaded.
        """
        self._check_unread("on_startup")
        self._on_startup.append(fn)
        return fn

    def on_shutdown(self, fn: F) -> F:
        """Register a function to call or await after the last request of a process.

        Raises RuntimeError once the project is loaded.
        """
        self._check_unread("on_shutdown")
        self._on_shutdown.append(fn)
        return fn

    def _check_unread(self, name: str) -> None:
        if "native" in vars(self):
            raise RuntimeError(f"the project is already loaded: call app.{name} before the first request")

    def _middlewares(self) -> list[Callable[..., Any]]:
        """Return the ``handle`` function of each module in the project's middlewares folder, sorted by module name."""
        folder = folder_of(self.root_dir, self.dirs["MIDDLEWARES"])
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py")) if folder else []
        modules = [_load(os.path.join(folder or "", name)) for name in names if not name.startswith("__")]
        return [module.handle for module in modules if hasattr(module, "handle")]

    # Serving

    @lazy
    def has_pages(self) -> bool:
        """True if the project has a pages folder."""
        return folder_of(self.root_dir, self.dirs["PAGES"]) is not None

    @lazy
    def unrouted(self) -> Any:
        """The route for requests that match no page. Raises the same errors as ``native``."""
        return self.native._freeze().refusing[""].route

    @lazy
    def native(self) -> App:
        """The native application that handles requests, made from the project on first use.

        Raises ValueError for a folder without pages, and any error that ``Pages`` raises.
        """
        native = App(**native_settings(self.config))
        folder = folder_of(self.root_dir, self.dirs["PAGES"])
        if folder is None:
            raise ValueError(f"{self.root_dir} is not an Asok project: there is no {self.dirs['PAGES']} in it")
        for name, to_python in CONVERTERS.items():
            native.converter(name, to_python)
        native.template_context(**{name: shared_natively(self, value) for name, value in self.shared_values.items()})
        install_settings(self.config, native)
        self.session_store = install_state(self, native)
        install_languages(self, native)
        install_locations(self, native)
        install_static(self, native)
        native.use(BlockScript())
        pages = AsokPages(self, folder)
        native.use(pages)
        install_errors(self, native, pages)
        for function in self._on_startup:
            native.on_startup(function)
        for function in reversed(self._on_shutdown):  # the native application calls them in reverse order
            native.on_shutdown(function)
        return native

    def freeze(self) -> None:
        """Load the project and plan its pages before the first request. Raises the same errors as ``native``."""
        self.native.plan()

    @lazy
    def _handle(self) -> Callable[[NativeRequest], Coroutine[Any, Any, NativeResponse]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The native application's function that returns the steps to handle a server's request."""
        return self.native._handle

    @lazy
    def _respond(self) -> Callable[[NativeRequest], Awaitable[NativeResponse]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The native application's function that returns the response. It is awaited on an event loop."""
        return self.native._respond

    @property
    def _lifecycle(self) -> App:
        """The native application, which provides ``startup`` and ``shutdown``."""
        return self.native

    def _measure_header_sections(self) -> None:
        """Measure the header section of all further requests."""
        self.native._measure_header_sections()

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI if all pages and middlewares are plain functions; otherwise ASGI."""
        return self.native.interface


def _load(path: str) -> ModuleType:
    """Execute a file as a separate module and return it."""
    spec = spec_from_file_location(f"mw_{os.path.basename(path)}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be imported", path=path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
