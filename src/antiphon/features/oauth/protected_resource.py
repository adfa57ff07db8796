"""The application as an OAuth 2 protected resource (RFC 9728), for ``Users``.

app.use(Users(Bearer(find_user), resource=ProtectedResource(["https://id.example"], url="https://shop.example")))
"""

from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Dependency, Request, Response, explained
from antiphon.embedding import Crossing, errors_name_it, is_async, missing_package
from antiphon.features.oauth.tokens import (
    ALGORITHMS,
    AccessToken,
    Introspection,
    Provider,
    checked_url,
    claimed_issuer,
    introspected,
    verified,
)
from antiphon.features.users import Bearer, UserSource
from antiphon.http import URL, Challenge
from antiphon.types import Identity

if TYPE_CHECKING:
    from antiphon import App

U = TypeVar("U")

WELL_KNOWN = "/.well-known/oauth-protected-resource"

ACCESS_TOKEN = Dependency[AccessToken](
    "access token", fix="app.use(Users(Bearer(...), resource=ProtectedResource(...)))"
)
"""The access token that identified the request's user."""


@errors_name_it
class ProtectedResource:
    """The application as an OAuth 2 protected resource: the ``resource`` of ``Users``. Provisional.

    ``issuers`` are the identifiers of the identity providers whose access tokens are accepted, such as
    "https://id.example". ``url`` is the application's own identifier. Tokens must contain it as their audience (RFC
    8707); all other tokens are refused. Without ``url``, the identifier is the scheme and host of the request; this
    requires ``App(trusted_hosts=...)``, without "*".

    A document below ``/.well-known/oauth-protected-resource`` tells clients where to log in (RFC 9728), and each 401
    refers to it. ``scopes`` appear in both. To require scopes, use ``scopes_required``.

    Tokens are JSON Web Tokens, verified with the providers' public keys and ``algorithms``; this needs the ``oauth``
    extra. With ``introspection``, the provider is asked about each token instead (RFC 7662), and must report its
    ``token_type``. Each token must name a user (``sub``), and none may be bound to a key (``cnf``). If a provider is
    needed but does not respond, the response is a 503. Raises ValueError if there are no issuers, or several with
    ``introspection``, and for URLs that don't use https, except on this machine.
    """

    def __init__(
        self,
        issuers: Iterable[str],
        *,
        url: str | None = None,
        scopes: Iterable[str] = (),
        algorithms: Iterable[str] = ALGORITHMS,
        introspection: Introspection | None = None,
    ) -> None:
        for given, name in ((issuers, "issuers"), (scopes, "scopes"), (algorithms, "algorithms")):
            if isinstance(given, str):
                raise explained("list-wanted", f"{name} must be a list: [{given!r}]")
        providers = [Provider(each) for each in issuers]
        if not providers or (introspection is not None and len(providers) > 1):
            raise explained(
                "bad-feature-option",
                "ProtectedResource needs the issuers that it trusts, and exactly one with introspection",
            )
        self._providers = {each.issuer: each for each in providers}
        self._url = None if url is None else checked_url(url, "the url of a resource").rstrip("/")
        self.scopes = tuple(scopes)
        self._algorithms = tuple(algorithms)
        self._introspection = introspection
        if introspection is None:
            try:
                import joserfc  # noqa: F401
            except ModuleNotFoundError as error:
                raise missing_package(error, "oauth") from None
        elif introspection.endpoint is not None:
            checked_url(introspection.endpoint, "an endpoint")

    def protect(self, sources: tuple[UserSource[U], ...], *, blocking: bool) -> tuple[UserSource[U], ...]:
        """Return the sources of users with token verification added. Raises TypeError if none of them accepts
        tokens.
        """
        if not any(isinstance(each, Bearer) for each in sources):
            raise explained(
                "bad-feature-option",
                "a ProtectedResource needs a source for tokens: Users(Bearer(find_user))",
                TypeError,
            )
        return tuple(_Protected(each, self, blocking) if isinstance(each, Bearer) else each for each in sources)

    def install(self, app: "App") -> None:
        """Register the routes for the document."""
        paths = {"", "" if self._url is None else URL(self._url).path.rstrip("/")}
        for path in sorted(paths):
            name = "protected_resource" + path.replace("/", "_")
            app.get(WELL_KNOWN + path, name=name, unguarded=True)(self._describe)
        if self._url is None:
            app.on_startup(lambda: self._check(app))

    def _check(self, app: "App") -> None:
        if not app.declares_hosts:
            raise explained(
                "bad-feature-option",
                "ProtectedResource can't tell which tokens are meant for it: pass its URL,"
                ' ProtectedResource(..., url="https://shop.example"), or App(trusted_hosts=["shop.example"])',
                RuntimeError,
            )

    def _describe(self, request: Request) -> Response:
        """Return the metadata, which is public (RFC 9728 §2)."""
        content = {
            "resource": self.url_of(request),
            "authorization_servers": [*self._providers],
            "bearer_methods_supported": ["header"],
            **({"scopes_supported": [*self.scopes]} if self.scopes else {}),
        }
        return Response.json(content, headers={"access-control-allow-origin": "*", "cache-control": "max-age=3600"})

    def url_of(self, request: Request) -> str:
        """Return the resource's identifier."""
        return request.url.origin if self._url is None else self._url

    def challenge(self, request: Request, realm: str | None = None, **said: str) -> Challenge:
        """Return a challenge that refers to the metadata (RFC 9728 §5.1)."""
        url = URL(self.url_of(request))
        place = f"{url.origin}{WELL_KNOWN}{url.path.rstrip('/')}"
        parameters = {**({"realm": realm} if realm else {}), **said, "resource_metadata": place}
        return Challenge("Bearer", parameters)

    async def verify(self, token: str, audience: str) -> AccessToken | None:
        """Return a token that is valid for this resource, or None. Raises ServiceUnavailable (503)."""
        if self._introspection is not None:
            provider = next(iter(self._providers.values()))  # the only one: the constructor checks that
            return await Crossing().run(introspected, token, provider, audience, self._introspection)
        provider_or_none = self._providers.get(claimed_issuer(token) or "")
        if provider_or_none is None:
            return None
        return await Crossing().run(verified, token, provider_or_none, audience, self._algorithms)


class _Protected(Bearer[U]):
    """A source of users by access token. Its loader is called with tokens that are valid here."""

    def __init__(self, inner: Bearer[U], resource: ProtectedResource, blocking: bool) -> None:
        super().__init__(inner.loader, realm=inner.realm)
        self._inner = inner
        self._resource = resource
        self._blocking = blocking
        self.loader = self._load

    def credentials(self, request: Request) -> tuple[Any, ...] | None:
        given = super().credentials(request)
        return None if given is None else (given[0], request)

    def _identity(self, given: tuple[Any, ...], key: str | None) -> Identity | None:
        """Return the issuer, client and subject of a verified token, so that a renewed token is the same caller."""
        request: Request = given[1]
        if ACCESS_TOKEN not in request or key is None or "sub" not in (token := request[ACCESS_TOKEN]).claims:
            return None
        client = token.claims.get("client_id", token.claims.get("azp"))
        counted, own = [token.issuer, token.subject], [token.issuer, client, token.subject]
        return Identity("token", f"{own}", self._replaces, counts_as=f"{counted}")

    def _claimed_end(self, request: Request) -> object:
        return request[ACCESS_TOKEN].claims.get("exp") if ACCESS_TOKEN in request else None

    async def _load(self, token: str, request: Request) -> U | None:
        found = await self._resource.verify(token, self._resource.url_of(request))
        if found is None:
            return None
        request[ACCESS_TOKEN] = found
        load: Callable[[str], U | Awaitable[U | None] | None] = self._inner.loader
        if self._blocking and not is_async(load):
            return await Crossing().run(load, found)  # type: ignore[arg-type]
        user = load(found)
        return await user if isawaitable(user) else user

    def challenge(self, request: Request) -> Challenge:
        """Return the challenge, which refers to the metadata."""
        said = {"error": "invalid_token"} if "error" in super().challenge(request).parameters else {}
        scopes = {"scope": " ".join(self._resource.scopes)} if self._resource.scopes else {}
        return self._resource.challenge(request, self.realm, **said, **scopes)

    def scopes_of(self, request: Request, user: U) -> Iterable[str]:  # noqa: ARG002
        """Return the scopes of the verified token."""
        return request[ACCESS_TOKEN].scopes if ACCESS_TOKEN in request else ()

    def needs(self, request: Request, scopes: Iterable[str]) -> Challenge:
        """Return the challenge that asks for more scopes (RFC 6750 §3.1)."""
        return self._resource.challenge(request, error="insufficient_scope", scope=" ".join(scopes))
