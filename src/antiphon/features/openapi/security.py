"""Security schemes: how clients authenticate, according to the sources in an application's ``Users``."""

from itertools import chain, count
from typing import Any, NamedTuple

from antiphon import Request
from antiphon.embedding import PlannedRoute, RouteKeys
from antiphon.features.idempotency.feature import IdempotentWrites
from antiphon.features.logins import SessionLogin
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.schemas import Schema
from antiphon.features.sessions import Sessions
from antiphon.features.signatures.feature import Signatures
from antiphon.features.users import Basic, Bearer, Users, UserSource
from antiphon.types import Route


class Scheme(NamedTuple):
    """A security scheme, and the source of users that it represents."""

    source: UserSource[Any] | None
    """The source of users; None for signatures, which don't identify a user."""
    schema: Schema


SIGNATURE = "signature"
_SIGNATURE_SCHEME: Schema = {
    "type": "apiKey", "in": "header", "name": "Signature",
    "description": "An HTTP message signature (RFC 9421): Accept-Signature in a 401 lists what it must cover.",
}  # fmt: skip


def security_schemes(planned: PlannedRoute, taken: dict[str, Schema]) -> dict[str, Scheme]:
    """Return the security schemes of a route's application by name, or none if it has no ``Users``.

    ``taken`` are the names that a document already has, to which those of this application are added.
    """
    schemes: dict[str, Scheme] = {}
    for users in users_of(planned):
        for source in users.sources:
            name, schema = _scheme(source, planned)
            if schema:
                names = chain([name], (f"{name}{number}" for number in count(2)))
                free = (each for each in names if each not in schemes)
                schemes[next(each for each in free if taken.setdefault(each, schema) == schema)] = Scheme(
                    source, schema
                )
    if any(route.meta.get(RouteKeys.signed_by) for route in planned.app.routes):
        schemes[SIGNATURE] = Scheme(None, _SIGNATURE_SCHEME)
    return schemes


def _scheme(source: UserSource[Any], planned: PlannedRoute) -> tuple[str, Schema]:
    if isinstance(source, Basic):
        return "basic", {"type": "http", "scheme": "basic"}
    if isinstance(source, Bearer):
        return "bearer", {"type": "http", "scheme": "bearer"}
    if isinstance(source, SessionLogin):
        sessions = (each.secure_cookie for each in planned.app.features if isinstance(each, Sessions))
        return "session", {"type": "apiKey", "in": "cookie", "name": next(sessions, "session")}
    if source.header is not None:
        return type(source).__name__, {"type": "apiKey", "in": "header", "name": source.header}
    challenge = source.challenge(Request.blank())
    name = type(source).__name__
    return name, {} if challenge is None else {"type": "http", "scheme": str(challenge).partition(" ")[0].lower()}


def security_of(contract: Contract, schemes: dict[str, Scheme]) -> list[dict[str, list[str]]]:
    """Return an operation's security requirements: any of the schemes, or none for anonymous clients.

    If the route is signed, each requirement includes a signature.
    """
    wanted = _security_of_users(contract, schemes)
    if not contract.route.meta.get(RouteKeys.signed_by):
        return wanted
    signed = [{**each, SIGNATURE: []} for each in wanted or [{}]]
    return signed if requires_signature(contract.route) else [*signed, *(wanted or [{}])]


def _security_of_users(contract: Contract, schemes: dict[str, Scheme]) -> list[dict[str, list[str]]]:
    if not (contract.requires_user or contract.may_have_user):
        return []
    read = [source for users in contract.users for source in users.sources]
    wanted: list[dict[str, list[str]]] = [
        {name: [] if isinstance(scheme.source, SessionLogin) else contract.scopes}
        for name, scheme in schemes.items()
        if scheme.source and (not read or scheme.source in read)
    ]
    return wanted if contract.requires_user or not wanted else [*wanted, {}]


def users_of(planned: PlannedRoute) -> list[Users[Any]]:
    """Return the features that provide users to a route's application, by dependency, the first feature first."""
    held = [getattr(each, "__self__", None) for each in planned.providers.values()]
    return [*dict.fromkeys(each for each in held if isinstance(each, Users))]


def requires_key(route: Route) -> bool:
    """True if an idempotent route refuses requests without an Idempotency-Key."""
    feature = route.app and route.app.find_feature(IdempotentWrites)
    return feature is None or feature.required


def requires_signature(route: Route) -> bool:
    """True if a route that is ``signed_by`` keys refuses unsigned requests."""
    name = route.meta.get(RouteKeys.signed_by)
    used = route.app.features if route.app else ()
    return all(each.required for each in used if isinstance(each, Signatures) and each.name == name)
