"""The application as an OAuth 2 protected resource (RFC 9728), for ``Users``.

app.use(Users(Bearer(find_user), resource=ProtectedResource(["https://id.example"], url="https://shop.example")))
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from antiphon import Dependency, Request, Response, explained
from antiphon.embedding import Crossing, FeatureStore, RequestState, arrivals, errors_name_it, is_async, missing_package
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
from antiphon.features.proofs import ALGORITHMS as OF_PROOFS
from antiphon.features.proofs import read_proof, thumbprint_of
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

_LIFETIME = 60
"""The number of seconds for which a proof is valid, and only once."""


class _Proof(NamedTuple):
    """A proof that the client has a key, sent with a request for one token (RFC 9449 §4)."""

    key: str
    """The thumbprint of the key."""
    id: str
    until: int | float


_PROOF = Dependency[_Proof]("proof of the request's client")
"""The proof of a client's request, once it counts: also for requests that are made inside, such as tool calls."""


class _Proofs:
    """The proofs of clients that they have keys, each of which counts once in all processes that share the store."""

    def __init__(self) -> None:
        self._stores = FeatureStore("ProtectedResource", None)
        self.are_accepted = False

    def install(self, app: "App") -> None:
        """Accept proofs if the application has a store."""
        self.are_accepted = self._stores.taken_if_any(app) is not None and find_spec("joserfc") is not None

    def find(self, client: Request, token: str) -> _Proof | None:
        """Return the proof of a client's request for a token (RFC 9449 §4.3), or None for anything else."""
        if not self.are_accepted:
            return None
        key, claims = read_proof(client.head.field("dpop"), "dpop+jwt") or ({}, {})
        url, issued, name = claims.get("htu"), claims.get("iat"), claims.get("jti")
        if not isinstance(issued, int | float) or not isinstance(url, str) or not isinstance(name, str):
            return None
        is_here = claims.get("htm") == client.method and _without_query(URL(url)) == _without_query(client.url)
        is_for_token = claims.get("ath") == _hashed(token)
        return _Proof(thumbprint_of(key), _hashed(name), issued + _LIFETIME) if is_here and is_for_token else None

    async def spend(self, proof: _Proof, client: Request) -> bool:
        """Return True if a proof is sent in time, and for the first time. Raises StoreUnavailable (503)."""
        if RequestState(client).values.get(_PROOF) == proof:
            return True
        store = self._stores.current
        spend = partial(FeatureStore.spend, now=store.clock(), until=proof.until, longest=_LIFETIME)
        is_first = await Crossing().run(spend, store, "dpop", proof.key, proof.id)
        if is_first:
            client[_PROOF] = proof
        return is_first


@errors_name_it
class ProtectedResource:
    """The application as an OAuth 2 protected resource: the ``resource`` of ``Users``. Provisional.

        app.use(Users(Bearer(load_user), resource=ProtectedResource(["https://id.example"])))

    ``issuers`` are the identifiers of the identity providers whose access tokens are accepted, such as
    "https://id.example". ``url`` is the application's own identifier. Tokens must contain it as their audience (RFC
    8707); all other tokens are refused. Without ``url``, the identifier is the scheme and host of the request; this
    requires ``App(trusted_hosts=...)``, without "*".

    A document below ``/.well-known/oauth-protected-resource`` tells clients where to log in (RFC 9728), and each 401
    refers to it. ``scopes`` appear in both. To require scopes, use ``scopes_required``.

    Tokens are JSON Web Tokens, verified with the providers' public keys and ``algorithms``; this needs the ``oauth``
    extra.
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
        """With ``introspection``, the provider is asked about each token instead (RFC 7662), and must report its
        ``token_type``. Each token must name a user (``sub``). A token that is bound to a key (DPoP, RFC 9449) needs
        ``App(store=...)``, the extra, and a proof with each request, which counts once. If a provider is needed but
        does not respond, the response is a 503. Raises ValueError if there are no issuers, or several with
        ``introspection``, and for URLs that don't use https, except on this machine.
        """
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
        self._proofs = _Proofs()
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
        return tuple(
            _Protected(each, self, self._proofs, blocking) if isinstance(each, Bearer) else each for each in sources
        )

    def install(self, app: "App") -> None:
        """Register the routes for the document."""
        self._proofs.install(app)
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
            **({"dpop_signing_alg_values_supported": [*OF_PROOFS]} if self._proofs.are_accepted else {}),
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

    async def verify(self, token: str, audience: str, key: str | None) -> AccessToken | None:
        """Return a token that is valid for this resource, or None. ``key`` is the thumbprint of the key that the client
        has proven to have; without one, a token must not be bound to a key. Raises ServiceUnavailable (503).
        """
        if self._introspection is not None:
            provider = next(iter(self._providers.values()))  # the only one: the constructor checks that
            return await Crossing().run(introspected, token, provider, audience, self._introspection, key)
        provider_or_none = self._providers.get(claimed_issuer(token) or "")
        if provider_or_none is None:
            return None
        return await Crossing().run(verified, token, provider_or_none, audience, self._algorithms, key)


def _without_query(url: URL) -> tuple[str, str]:
    return url.origin, url.target.partition("?")[0]


def _hashed(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode()


class _Protected(Bearer[U]):
    """A source of users by access token. Its loader is called with tokens that are valid here."""

    def __init__(self, inner: Bearer[U], resource: ProtectedResource, proofs: _Proofs, blocking: bool) -> None:
        super().__init__(inner.loader, realm=inner.realm)
        self._inner = inner
        self._resource = resource
        self._proofs = proofs
        self._blocking = blocking
        self.loader = self._load

    def credentials(self, request: Request) -> tuple[Any, ...] | None:
        given = request.authorization
        if not given or given.scheme not in ("bearer", "dpop"):
            return None
        return given.token or "", request, given.scheme == "dpop"

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

    async def _load(self, token: str, request: Request, is_bound: bool) -> U | None:
        client = arrivals(request)[-1]
        proof = self._proofs.find(client, token) if is_bound else None
        if is_bound and proof is None:
            return None
        found = await self._resource.verify(token, self._resource.url_of(request), proof and proof.key)
        if found is None or (proof is not None and not await self._proofs.spend(proof, client)):
            return None
        request[ACCESS_TOKEN] = found
        load: Callable[[str], U | Awaitable[U | None] | None] = self._inner.loader
        if self._blocking and not is_async(load):
            return await Crossing().run(load, found)  # type: ignore[arg-type]
        user = load(found)
        return await user if isawaitable(user) else user

    def challenge(self, request: Request) -> Challenge:
        """Return the challenge, which refers to the metadata. That for a token with a proof is RFC 9449 §7.1."""
        if (given := request.authorization) and given.scheme == "dpop":  # sent as bound to a key (RFC 9449 §7.1)
            wrong = "token" if self._proofs.find(arrivals(request)[-1], given.token or "") else "dpop_proof"
            said = {"error": f"invalid_{wrong}", "algs": " ".join(OF_PROOFS)}
            return Challenge("DPoP", self._resource.challenge(request, self.realm, **said).parameters)
        said = {"error": "invalid_token"} if "error" in super().challenge(request).parameters else {}
        scopes = {"scope": " ".join(self._resource.scopes)} if self._resource.scopes else {}
        return self._resource.challenge(request, self.realm, **said, **scopes)

    def scopes_of(self, request: Request, user: U) -> Iterable[str]:  # noqa: ARG002
        """Return the scopes of the verified token."""
        return request[ACCESS_TOKEN].scopes if ACCESS_TOKEN in request else ()

    def needs(self, request: Request, scopes: Iterable[str]) -> Challenge:
        """Return the challenge that asks for more scopes (RFC 6750 §3.1)."""
        return self._resource.challenge(request, error="insufficient_scope", scope=" ".join(scopes))
