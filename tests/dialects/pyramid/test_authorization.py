"""What lists of control permit, beside Pyramid."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)


def tree(p, lists):
    """Resources, each in the one before it, with a list of control or none."""
    resource = None
    everything = p.authorization.ALL_PERMISSIONS
    for entries in lists:
        resource = SimpleNamespace(__parent__=resource)
        if entries is not None:
            acl = [(action, who, everything if what == "ALL" else what) for action, who, what in entries]
            resource.__acl__ = acl if len(acl) != 1 else (lambda acl=acl: acl)
    return resource


PRINCIPALS = ("system.Everyone", "system.Authenticated", "fred", "editors")
entries = st.tuples(
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(PRINCIPALS),
    st.sampled_from(["view", "edit", ("view", "edit"), ["edit"], "ALL"]),
)
lists = st.lists(st.none() | st.lists(entries, max_size=4), min_size=1, max_size=4)


@given(lists, st.sets(st.sampled_from(PRINCIPALS)), st.sampled_from(["view", "edit", "other"]))
def test_lists_permit_as_in_pyramid(acls, principals, permission):
    def asked(p):
        policy = p.authorization.ACLAuthorizationPolicy()
        context = tree(p, acls)
        result = policy.permits(context, principals, permission)
        allowed = policy.principals_allowed_by_permission(context, permission)
        return type(result).__name__, bool(result), result.permission, result.principals, allowed

    assert asked(OURS) == asked(THEIRS)


ALLOW, DENY = ("Allow", "fred", "view"), ("Deny", "fred", "view")


def program(p):
    class Root:
        __parent__ = __name__ = None
        __acl__ = (("Allow", "fred", "view"), ("Allow", "system.Everyone", "see"), p.authorization.DENY_ALL)

        def __init__(self, request):
            pass

    class Policy:
        def identity(self, request):
            userid = request.GET.get("user")
            return {"id": userid} if userid else None

        def authenticated_userid(self, request):
            identity = self.identity(request)
            return identity and identity["id"]

        def permits(self, request, context, permission):
            principals = ["system.Everyone", self.authenticated_userid(request)]
            return p.authorization.ACLHelper().permits(context, principals, permission)

        def remember(self, request, userid, **kw):
            return [("X-Remember", userid)]

        def forget(self, request, **kw):
            return [("X-Forget", str(kw))]

    def shown(context, request):
        permitted = [
            bool(request.has_permission("view")), bool(request.has_permission("see", context)),
            *(bool(p.security.view_execution_permitted(context, request, name)) for name in ("", "view", "open")),
        ]  # fmt: skip
        return [request.identity, request.is_authenticated, permitted]

    with p.configurator(root_factory=Root) as config:
        config.set_security_policy(Policy())
        config.set_default_permission("see")
        config.add_view(shown, renderer="json")
        config.add_view(shown, name="view", renderer="json", permission="view")
        config.add_view(shown, name="open", renderer="json", permission=p.security.NO_PERMISSION_REQUIRED)
        config.add_forbidden_view(lambda error, request: p.response.Response(type(error.result).__name__, status=403))
        return config.make_wsgi_app()


def test_programs_permit_as_with_pyramid():
    from tests.dialects.pyramid.beside import assert_alike

    assert_alike(program, ["/", "/?user=fred", "/view", "/view?user=fred", "/view?user=bob", "/open", "/missing"])
