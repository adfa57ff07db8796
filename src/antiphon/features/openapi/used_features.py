"""Features of an application whose options its document depends on."""

from typing import Any

from antiphon.app.answering.dependencies import Dependencies
from antiphon.app.route import Route
from antiphon.features.idempotency.feature import IdempotentWrites
from antiphon.features.signatures.feature import Signatures
from antiphon.features.users import Users


def users_of(dependencies: Dependencies) -> list[Users[Any]]:
    """Return the features that provide users to an application, by its dependencies, the first one first."""
    held = [getattr(each.hook.function, "__self__", None) for each in dependencies.sources]
    return [*dict.fromkeys(each for each in held if isinstance(each, Users))]


def requires_key(route: Route) -> bool:
    """True if an idempotent route refuses requests without an Idempotency-Key."""
    feature = getattr(route.app and route.app._idempotent_surrounding, "__self__", None)
    return not isinstance(feature, IdempotentWrites) or feature.required


def requires_signature(route: Route) -> bool:
    """True if a route that is ``signed_by`` keys refuses requests without any signature."""
    check = route.app._signature_checks.get(route.signed_by) if route.app else None
    feature = getattr(check, "__self__", None)
    return not isinstance(feature, Signatures) or feature.required
