"""Authorization by the access control lists (``__acl__``) of resources."""

from collections.abc import Iterable
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import IAuthorizationPolicy
from antiphon.dialects.pyramid.location import lineage
from antiphon.dialects.pyramid.security import (
    ALL_PERMISSIONS,
    DENY_ALL,
    ACLAllowed,
    ACLDenied,
    Allow,
    AllPermissionsList,
    Authenticated,
    Deny,
    Everyone,
)
from antiphon.dialects.pyramid.util import is_nonstr_iter

__all__ = [
    "ALL_PERMISSIONS", "DENY_ALL", "ACLAllowed", "ACLAuthorizationPolicy", "ACLDenied", "ACLHelper",
    "AllPermissionsList", "Allow", "Authenticated", "Deny", "Everyone",
]  # fmt: skip

_ABSENT: Any = object()


class ACLHelper:
    """A helper that looks up permissions in the ACLs of a resource and its ancestors.

    Each entry of an ACL consists of an action, a principal and permissions; the first match wins. ``__acl__`` is a
    list, or a function without arguments that returns one.
    """

    def permits(self, context: Any, principals: Any, permission: Any) -> Any:
        """Return ``ACLAllowed`` or ``ACLDenied`` with the entry that decided.

        If no entry matches, access is denied.
        """
        acl: Any = "<No ACL found on any object in resource lineage>"
        for location in lineage(context):
            found = _acl_of(location)
            if found is _ABSENT:
                continue
            acl = found
            for ace in acl:
                action, principal, permissions = ace
                if principal in principals and permission in _listed(permissions):
                    result = ACLAllowed if action == Allow else ACLDenied
                    return result(ace, acl, permission, principals, location)
        return ACLDenied("<default deny>", acl, permission, principals, context)

    def principals_allowed_by_permission(self, context: Any, permission: Any) -> set[Any]:
        allowed: set[Any] = set()
        for location in reversed([*lineage(context)]):
            acl = _acl_of(location)
            if acl is not _ABSENT:
                allowed = _after(acl, permission, allowed)
        return allowed


def _after(acl: Iterable[Any], permission: Any, allowed: set[Any]) -> set[Any]:
    """Return the principals who have a permission according to an ACL and the ancestors' ACLs."""
    above, here, denied = set(allowed), set(), set()
    for action, principal, permissions in acl:
        if permission not in _listed(permissions):
            continue
        if action == Allow:
            if principal not in denied:
                here.add(principal)
        elif action == Deny:
            denied.add(principal)
            if principal == Everyone:  # later entries of this ACL have no effect
                return here
            above.discard(principal)
    return above | here


def _acl_of(location: Any) -> Any:
    acl = getattr(location, "__acl__", _ABSENT)
    return acl() if acl is not _ABSENT and acl and callable(acl) else acl


def _listed(permissions: Any) -> Any:
    return permissions if is_nonstr_iter(permissions) else (permissions,)


@implementer(IAuthorizationPolicy)
class ACLAuthorizationPolicy:
    """An authorization policy based on the ACLs of resources."""

    def __init__(self) -> None:
        self.helper = ACLHelper()

    def permits(self, context: Any, principals: Any, permission: Any) -> Any:
        """Return ``ACLAllowed`` or ``ACLDenied``."""
        return self.helper.permits(context, principals, permission)

    def principals_allowed_by_permission(self, context: Any, permission: Any) -> Any:
        return self.helper.principals_allowed_by_permission(context, permission)
