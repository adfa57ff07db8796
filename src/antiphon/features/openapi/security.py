"""Security schemes: how clients authenticate, according to the features that find users, and to what others add."""

from collections.abc import Iterable
from itertools import chain, count
from typing import Any

from antiphon.embedding import Added, PlannedRoute
from antiphon.features.openapi.code.findings import FindsUsers
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.schemas import Schema

Schemes = dict[str, tuple[Any, Schema]]
"""The source of users and the schema of each security scheme, by name."""


def security_schemes(planned: PlannedRoute, taken: dict[str, Schema]) -> Schemes:
    """Return the security schemes of the users of a route's application.

    ``taken`` are the names that a document already has, to which those of this application are added.
    """
    schemes: Schemes = {}
    for source in [source for users in users_of(planned) for source in users.__security__()[0]]:
        name, schema = source.scheme(planned.app)
        if schema:
            names = chain([name], (f"{name}{number}" for number in count(2)))
            free = (each for each in names if each not in schemes)
            schemes[next(each for each in free if taken.setdefault(each, schema) == schema)] = source, schema
    return schemes


def proofs_of(added: Iterable[Added]) -> dict[str, Schema]:
    """Return the security schemes of what clients prove besides their user, such as a signature."""
    return {name: dict(schema) for name, schema in (each.security for each in added if each.security)}


def security_of(contract: Contract, schemes: Schemes) -> list[dict[str, list[str]]]:
    """Return an operation's security requirements: any of the schemes, or none for anonymous clients.

    Each requirement includes what clients prove besides their user.
    """
    wanted = _security_of_users(contract, schemes)
    for added in contract.added:
        if added.security is not None:
            proven = [{**each, added.security[0]: []} for each in wanted or [{}]]
            wanted = [*proven, *(wanted or [{}])] if added.is_optional else proven
    return wanted


def _security_of_users(contract: Contract, schemes: Schemes) -> list[dict[str, list[str]]]:
    if not (contract.requires_user or contract.may_have_user):
        return []
    read = [source for users in contract.users for source in users.__security__()[0]]
    wanted: list[dict[str, list[str]]] = [
        {name: [] if schema.get("in") == "cookie" else contract.scopes}  # a login has no scopes
        for name, (source, schema) in schemes.items()
        if not read or source in read
    ]
    return wanted if contract.requires_user or not wanted else [*wanted, {}]


def users_of(planned: PlannedRoute) -> list[FindsUsers]:
    """Return the features that provide users to a route's application, by dependency, the first feature first."""
    held = [getattr(each, "__self__", None) for each in planned.providers.values()]
    return [*dict.fromkeys(each for each in held if isinstance(each, FindsUsers))]
