"""Directives for security policies, permissions and CSRF protection."""

import warnings
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import (
    PHASE1_CONFIG,
    PHASE2_CONFIG,
    IAuthenticationPolicy,
    IAuthorizationPolicy,
    ICSRFStoragePolicy,
    IDefaultCSRFOptions,
    IDefaultPermission,
    ISecurityPolicy,
)
from antiphon.dialects.pyramid.security import LegacySecurityPolicy
from antiphon.dialects.pyramid.util import as_sorted_tuple


@implementer(IDefaultCSRFOptions)
class DefaultCSRFOptions:
    """The options for CSRF protection."""

    def __init__(
        self,
        require_csrf: bool,
        token: str | None,
        header: str | None,
        safe_methods: Any,
        check_origin: bool,
        allow_no_origin: bool,
        callback: Any,
    ) -> None:
        self.require_csrf = require_csrf
        self.token = token
        self.header = header
        self.safe_methods = frozenset(safe_methods)
        self.check_origin = check_origin
        self.allow_no_origin = allow_no_origin
        self.callback = callback


class SecurityConfiguratorMixin:
    def add_default_security(self) -> None:
        """Make the session the default storage for CSRF tokens."""
        try:
            from antiphon.dialects.pyramid.csrf import LegacySessionCSRFStoragePolicy  # here, as the import is circular
        except ModuleNotFoundError:
            return
        self.set_csrf_storage_policy(LegacySessionCSRFStoragePolicy())

    @action_method
    def set_security_policy(self, policy: Any) -> None:
        """Set the policy that identifies users and decides what they may do."""
        config: Any = self
        policy = config.maybe_dotted(policy)

        def register() -> None:
            config.registry.registerUtility(policy, ISecurityPolicy)

        intr = config.introspectable("security policy", None, config.object_description(policy), "security policy")
        intr["policy"] = policy
        config.action(ISecurityPolicy, register, order=PHASE2_CONFIG, introspectables=(intr,))

    @action_method
    def set_authentication_policy(self, policy: Any) -> None:
        """Set the authentication policy, as before Pyramid 2.0. Requires an authorization policy.

        Raises ConfigurationError if a security policy is set.
        """
        _warn_of_policies()
        self._set_authentication_policy(policy)

        def ensure() -> None:
            config: Any = self
            if config.registry.queryUtility(IAuthorizationPolicy) is None:
                raise ConfigurationError(
                    "Cannot configure an authentication policy without also configuring an authorization policy "
                    "(use the set_authorization_policy method)"
                )

        config: Any = self
        config.action(None, ensure)

    def _set_authentication_policy(self, policy: Any) -> None:
        config: Any = self
        policy = config.maybe_dotted(policy)

        def register() -> None:
            registry = config.registry
            registry.registerUtility(policy, IAuthenticationPolicy)
            if registry.queryUtility(ISecurityPolicy) is not None:
                raise ConfigurationError(
                    "Cannot configure an authentication and authorization policy with a configured security policy."
                )
            registry.registerUtility(LegacySecurityPolicy(), ISecurityPolicy)

        intr = config.introspectable(
            "authentication policy", None, config.object_description(policy), "authentication policy"
        )
        intr["policy"] = policy
        config.action(IAuthenticationPolicy, register, order=PHASE2_CONFIG, introspectables=(intr,))

    @action_method
    def set_authorization_policy(self, policy: Any) -> None:
        """Set the authorization policy, as before Pyramid 2.0. Requires an authentication policy."""
        config: Any = self
        _warn_of_policies()
        policy = config.maybe_dotted(policy)

        def register() -> None:
            config.registry.registerUtility(policy, IAuthorizationPolicy)

        def ensure() -> None:
            if not config.autocommit and config.registry.queryUtility(IAuthenticationPolicy) is None:
                raise ConfigurationError(
                    "Cannot configure an authorization policy without also configuring an authentication policy "
                    "(use the set_authorization_policy method)"
                )

        intr = config.introspectable(
            "authorization policy", None, config.object_description(policy), "authorization policy"
        )
        intr["policy"] = policy
        config.action(IAuthorizationPolicy, register, order=PHASE1_CONFIG, introspectables=(intr,))
        config.action(None, ensure)

    @action_method
    def set_default_permission(self, permission: Any) -> None:
        config: Any = self

        def register() -> None:
            config.registry.registerUtility(permission, IDefaultPermission)

        intr = config.introspectable("default permission", None, permission, "default permission")
        intr["value"] = permission
        named = config.introspectable("permissions", permission, permission, "permission")
        named["value"] = permission
        config.action(IDefaultPermission, register, order=PHASE1_CONFIG, introspectables=(intr, named))

    def add_permission(self, permission_name: str) -> None:
        """Register a permission that no view uses, so that introspection lists it."""
        config: Any = self
        intr = config.introspectable("permissions", permission_name, permission_name, "permission")
        intr["value"] = permission_name
        config.action(None, introspectables=(intr,))

    @action_method
    def set_default_csrf_options(
        self,
        require_csrf: bool = True,
        token: str | None = "csrf_token",  # noqa: S107 - the name of a field
        header: str | None = "X-CSRF-Token",
        safe_methods: Any = ("GET", "HEAD", "OPTIONS", "TRACE"),
        check_origin: bool = True,
        allow_no_origin: bool = False,
        callback: Any = None,
    ) -> None:
        """Set the CSRF protection for views that don't specify it.

        ``token`` is the name of the form field with the token, and ``header`` the name of the header with the token.
        Requests with ``safe_methods`` are not checked, nor are those for which ``callback`` returns False.
        """
        config: Any = self
        options = DefaultCSRFOptions(require_csrf, token, header, safe_methods, check_origin, allow_no_origin, callback)

        def register() -> None:
            config.registry.registerUtility(options, IDefaultCSRFOptions)

        intr = config.introspectable("default csrf view options", None, options, "default csrf view options")
        intr.update(vars(options), safe_methods=as_sorted_tuple(safe_methods))
        config.action(IDefaultCSRFOptions, register, order=PHASE1_CONFIG, introspectables=(intr,))

    @action_method
    def set_csrf_storage_policy(self, policy: Any) -> None:
        config: Any = self

        def register() -> None:
            config.registry.registerUtility(policy, ICSRFStoragePolicy)

        intr = config.introspectable("csrf storage policy", None, policy, "csrf storage policy")
        intr["policy"] = policy
        config.action(ICSRFStoragePolicy, register, introspectables=(intr,))


def _warn_of_policies() -> None:
    warnings.warn(
        "Authentication and authorization policies have been deprecated in favor of security policies."
        "  See set_security_policy.",
        DeprecationWarning,
        stacklevel=4,
    )
