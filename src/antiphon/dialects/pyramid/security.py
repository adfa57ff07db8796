"""Authentication and authorization."""

from typing import Any, Self

from zope.interface import implementer, providedBy

from antiphon.dialects.pyramid.interfaces import (
    IAuthenticationPolicy,
    IAuthorizationPolicy,
    ISecuredView,
    ISecurityPolicy,
    IView,
    IViewClassifier,
)
from antiphon.dialects.pyramid.threadlocal import get_current_registry

Everyone = "system.Everyone"
Authenticated = "system.Authenticated"
Allow = "Allow"
Deny = "Deny"
NO_PERMISSION_REQUIRED = "__no_permission_required__"


class AllPermissionsList:
    """A stand-in for a list of all permissions."""

    def __iter__(self) -> Any:
        return iter(())

    def __contains__(self, other: object) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__)

    __hash__ = object.__hash__


ALL_PERMISSIONS = AllPermissionsList()
DENY_ALL = (Deny, Everyone, ALL_PERMISSIONS)


def _registry_of(request: Any) -> Any:
    return getattr(request, "registry", None) or get_current_registry()


def _policy_of(request: Any) -> Any:
    return _registry_of(request).queryUtility(ISecurityPolicy)


def remember(request: Any, userid: Any, **kw: Any) -> Any:
    """Return the headers that make a client remember a user."""
    policy = _policy_of(request)
    return [] if policy is None else policy.remember(request, userid, **kw)


def forget(request: Any, **kw: Any) -> Any:
    """Return the headers that make a client forget the user."""
    policy = _policy_of(request)
    return [] if policy is None else policy.forget(request, **kw)


def principals_allowed_by_permission(context: Any, permission: Any) -> Any:
    """Return the principals who have a permission according to the authorization policy."""
    policy = get_current_registry().queryUtility(IAuthorizationPolicy)
    return [Everyone] if policy is None else policy.principals_allowed_by_permission(context, permission)


def view_execution_permitted(context: Any, request: Any, name: str = "") -> Any:
    """Return a true value if the view for a context may be called. Raises TypeError if there is no such view."""
    registry = _registry_of(request)
    request_iface = getattr(request, "request_iface", None) or providedBy(request)
    provides = (IViewClassifier, request_iface, providedBy(context))
    view = registry.adapters.lookup(provides, ISecuredView, name=name)
    if view is None:
        if registry.adapters.lookup(provides, IView, name=name) is None:
            raise TypeError("No registered view satisfies the constraints.")
        return Allowed("Allowed: view name %r in context %r (no permission defined)", name, context)
    return view.__permitted__(context, request)


class PermitsResult(int):
    """A truth value with an explanation."""

    boolval = 0

    def __new__(cls, s: str, *args: Any) -> Self:
        made = int.__new__(cls, cls.boolval)
        made.s = s
        made.args = args
        return made

    s: str
    args: tuple[Any, ...]

    @property
    def msg(self) -> str:
        return self.s % self.args

    def __str__(self) -> str:
        return self.msg

    def __repr__(self) -> str:
        return f"<{type(self).__name__} instance at {id(self)} with msg {self.msg!r}>"


class Denied(PermitsResult):
    """The result for an action that is not permitted."""


class Allowed(PermitsResult):
    """The result for an action that is permitted."""

    boolval = 1


class ACLPermitsResult(PermitsResult):
    """A truth value with the access control entry that decided it."""

    def __new__(cls, ace: Any, acl: Any, permission: Any, principals: Any, context: Any) -> Self:
        made: Any = PermitsResult.__new__(
            cls,
            "%s permission %r via ACE %r in ACL %r on context %r for principals %r",
            cls.__name__,
            permission,
            ace,
            acl,
            context,
            principals,
        )
        made.permission, made.ace, made.acl, made.principals, made.context = permission, ace, acl, principals, context
        return made  # type: ignore[no-any-return]


class ACLDenied(ACLPermitsResult, Denied):
    """The result for an action that an ACL denies."""


class ACLAllowed(ACLPermitsResult, Allowed):
    """The result for an action that an ACL allows."""


class SecurityAPIMixin:
    """A mixin that adds the user and their permissions to requests."""

    @property
    def identity(self) -> Any:
        """The user, in the form that the policy returns; None if there is no user."""
        policy = _policy_of(self)
        return None if policy is None else policy.identity(self)

    @property
    def authenticated_userid(self) -> Any:
        """The user's id; None if there is no user."""
        policy = _policy_of(self)
        return None if policy is None else policy.authenticated_userid(self)

    @property
    def is_authenticated(self) -> bool:
        """True if there is a user."""
        return self.authenticated_userid is not None

    def has_permission(self, permission: Any, context: Any = None) -> Any:
        """Return a true value if the user has a permission in a context, which is the request's by default."""
        if context is None:
            context = self.context  # type: ignore[attr-defined]  # the request has it
        policy = _policy_of(self)
        if policy is None:
            return Allowed("No security policy in use.")
        return policy.permits(self, context, permission)


class AuthenticationAPIMixin:
    """A mixin that adds the user to requests, as before Pyramid 2.0."""

    @property
    def unauthenticated_userid(self) -> Any:
        """The user id that the client claims."""
        registry = _registry_of(self)
        security = registry.queryUtility(ISecurityPolicy)
        if security is None:
            return None
        if isinstance(security, LegacySecurityPolicy):
            return registry.getUtility(IAuthenticationPolicy).unauthenticated_userid(self)
        return security.authenticated_userid(self)

    @property
    def effective_principals(self) -> Any:
        registry = _registry_of(self)
        security = registry.queryUtility(ISecurityPolicy)
        if isinstance(security, LegacySecurityPolicy):
            return registry.getUtility(IAuthenticationPolicy).effective_principals(self)
        return [Everyone]


@implementer(ISecurityPolicy)
class LegacySecurityPolicy:
    """The security policy for applications that set the two older policies."""

    def _authentication(self, request: Any) -> Any:
        return request.registry.getUtility(IAuthenticationPolicy)

    def identity(self, request: Any) -> Any:
        return self.authenticated_userid(request)

    def authenticated_userid(self, request: Any) -> Any:
        return self._authentication(request).authenticated_userid(request)

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:
        """Return the headers that make a client remember the user."""
        return self._authentication(request).remember(request, userid, **kw)

    def forget(self, request: Any, **kw: Any) -> Any:
        """Return the headers that make a client forget the user. Raises ValueError if there are keyword arguments."""
        if kw:
            raise ValueError("Legacy authentication policies do not support keyword arguments for `forget`")
        return self._authentication(request).forget(request)

    def permits(self, request: Any, context: Any, permission: Any) -> Any:
        principals = self._authentication(request).effective_principals(request)
        return request.registry.getUtility(IAuthorizationPolicy).permits(context, principals, permission)
