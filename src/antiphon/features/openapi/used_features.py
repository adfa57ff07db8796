"""Features of an application whose options its document depends on."""

from typing import Any

from antiphon.app.answering.dependencies import Dependencies
from antiphon.app.route import Route
from antiphon.features.idempotency import IdempotentWrites
from antiphon.features.users import USERS, Users
from antiphon.request.request import Request


def users_of(dependencies: Dependencies) -> Users[Any] | None:
    """Return the users that an application knows, by its dependencies, or None if it knows none."""
    if USERS not in dependencies:
        return None
    found: Users[Any] = dependencies.read(USERS, Request.blank())
    return found


def requires_key(route: Route) -> bool:
    """True if an idempotent route refuses requests without an Idempotency-Key."""
    feature = getattr(route.app and route.app._idempotent_surrounding, "__self__", None)
    return not isinstance(feature, IdempotentWrites) or feature.required
