"""The functions of security, with no policy, with one, and with the two older ones, beside Pyramid."""

import warnings

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Legacy:
    def authenticated_userid(self, request):
        return "fred"

    def unauthenticated_userid(self, request):
        return "claimed"

    def effective_principals(self, request):
        return ["fred", "editors"]

    def remember(self, request, userid, **kw):
        return [("X-Remember", f"{userid}{kw}")]

    def forget(self, request):
        return [("X-Forget", "1")]

    def permits(self, context, principals, permission):
        return (context, principals, permission)

    def principals_allowed_by_permission(self, context, permission):
        return [context, permission]


def asked(p, legacy):
    registry = p.registry.Registry("test")
    if legacy:
        registry.registerUtility(p.security.LegacySecurityPolicy(), p.interfaces.ISecurityPolicy)
        registry.registerUtility(Legacy(), p.interfaces.IAuthenticationPolicy)
        registry.registerUtility(Legacy(), p.interfaces.IAuthorizationPolicy)
    request = p.request.Request.blank("/")
    request.registry = registry
    request.context = "the context"
    p.threadlocal.manager.push({"registry": registry, "request": request})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _asked(p, request)
    finally:
        p.threadlocal.manager.pop()


def _asked(p, request):
    permitted = request.has_permission("view")
    try:
        forgotten = p.security.forget(request, all=True)
    except ValueError as error:
        forgotten = str(error)
    return [
        request.identity, request.authenticated_userid, request.is_authenticated, request.unauthenticated_userid,
        request.effective_principals, getattr(permitted, "msg", permitted), request.has_permission("see", "other"),
        p.security.remember(request, "fred", max_age=1), p.security.forget(request), forgotten,
        p.security.principals_allowed_by_permission("context", "view"),
    ]  # fmt: skip


@rows("legacy", [False, True])
def test_requests_know_their_users_as_in_pyramid(legacy):
    assert asked(OURS, legacy) == asked(THEIRS, legacy)


@rows("name", ["Allowed", "Denied"])
def test_results_tell_their_reason(name):
    result, other = (getattr(p.security, name)("because %s of %r", "it", 1) for p in (OURS, THEIRS))
    assert (result, result.msg, str(result)) == (other, other.msg, str(other))
    assert repr(result) == repr(other).replace(str(id(other)), str(id(result)))


@rows("name", ["Allow", "Deny", "Everyone", "Authenticated", "NO_PERMISSION_REQUIRED", "DENY_ALL", "ALL_PERMISSIONS"])
def test_names_have_the_values_of_the_original(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = getattr(OURS.security, name), getattr(THEIRS.security, name)
    if isinstance(ours, str):
        assert ours == theirs
    everything = OURS.security.ALL_PERMISSIONS
    assert "anything" in everything
    assert everything == type(everything)()
    assert ("Deny", "system.Everyone", everything) == OURS.security.DENY_ALL


def test_a_view_that_is_not_there_is_not_permitted():
    request = OURS.request.Request.blank("/")
    request.registry = OURS.registry.Registry("test")
    with pytest.raises(TypeError, match="No registered view"):
        OURS.security.view_execution_permitted(None, request)
