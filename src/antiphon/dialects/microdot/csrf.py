"""Protection from cross-site request forgery without tokens: browsers report which site a request comes from."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.errors import abort
from antiphon.dialects.microdot.request import Request, vary_by

F = TypeVar("F", bound=Callable[..., Any])


class CSRF:
    """A guard against requests from other sites' pages, as reported by Sec-Fetch-Site (Fetch Metadata §2.3) or else
    Origin.

    By default, all routes are protected from requests that may change something. With ``protect_all=False``, only
    routes decorated with ``protect`` are. ``allow_subdomains`` also allows pages on other hosts of the same site. Sites
    listed by ``cors`` are allowed too; for browsers that don't send Sec-Fetch-Site, only these sites are. A request
    with neither header does not come from a page.
    """

    SAFE_METHODS: ClassVar[list[str]] = ["GET", "HEAD", "OPTIONS"]
    """The methods that don't change anything."""

    def __init__(
        self,
        app: Microdot | None = None,
        cors: CORS | None = None,
        protect_all: bool = True,
        allow_subdomains: bool = False,
    ) -> None:
        self.cors: CORS | None = None
        self.protect_all = protect_all
        self.allow_subdomains = allow_subdomains
        self.exempt_routes: list[Callable[..., Any]] = []
        self.protected_routes: list[Callable[..., Any]] = []
        if app is not None:
            self.initialize(app, cors)

    def initialize(self, app: Microdot, cors: CORS | None = None) -> None:
        self.cors = cors

        @app.before_request
        async def check(request: Request) -> None:
            if self._protects(request) and not self._allows(request):
                abort(403, "Forbidden")

    def exempt(self, f: F) -> F:
        """Allow all requests for a route. Used directly below the route decorator."""
        self.exempt_routes.append(f)
        return f

    def protect(self, f: F) -> F:
        """Check all requests for a route, whatever their method. Used directly below the route decorator."""
        self.protected_routes.append(f)
        return f

    def _protects(self, request: Request) -> bool:
        may_write = request.method not in self.SAFE_METHODS
        is_protected = self.protect_all and may_write and request.route not in self.exempt_routes
        return is_protected or request.route in self.protected_routes

    def _allows(self, request: Request) -> bool:
        site: str | None = request.headers.get("Sec-Fetch-Site")
        if site in ("same-origin", "none") or (site == "same-site" and self.allow_subdomains):
            vary_by(request, "sec-fetch-site")
            return True
        origin: str | None = request.headers.get("Origin")
        return self._trusts(origin) if origin else not site

    def _trusts(self, origin: str) -> bool:
        """Return True for an origin that the application lists or, with subdomains, for a subdomain of one."""
        allowed = self.cors.allowed_origins if self.cors else None
        if not allowed or allowed == "*":
            return False
        if origin in allowed or not self.allow_subdomains:
            return origin in allowed
        scheme, _, host = origin.partition("://")
        return any(
            scheme == listed_scheme and host.endswith(f".{listed_host}")
            for listed_scheme, _, listed_host in (listed.partition("://") for listed in allowed)
        )
