"""Programs of random views, permissions, tokens and resources, which answer as with Pyramid: who may see what."""

from random import Random

import pytest

from antiphon.cli.compare import differences
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, answer
from tests.helpers.rows import rows

pytestmark = [pytest.mark.filterwarnings("ignore")]  # of the policies of Pyramid 1

TOKEN = "0123456789abcdef"
USERS = [None, "ada", "bob", "eve"]
PERMISSIONS = ["view", "edit"]


class Resource(dict):
    """A node of a tree, whose access control list is random."""

    def __init__(self, name="", parent=None):
        self.__name__, self.__parent__ = name, parent


class Page(Resource):
    pass


class Folder(Resource):
    pass


def acl_of(p, random):
    """A random list, which may be a function, or None for a resource without one."""
    if random.random() < 0.3:
        return None
    principals = ["ada", "bob", "group:editors", p.authorization.Everyone, p.authorization.Authenticated]
    asked = [*PERMISSIONS, tuple(PERMISSIONS), p.authorization.ALL_PERMISSIONS]
    allowed = [p.authorization.Allow, p.authorization.Deny]
    entries = [
        (random.choice(allowed), random.choice(principals), random.choice(asked)) for _ in range(random.randrange(4))
    ]
    if random.random() < 0.3:
        entries.append(p.authorization.DENY_ALL)
    return (lambda: entries) if random.random() < 0.2 else entries


def tree_of(p, random):
    def grow(name, parent, depth):
        made = random.choice([Page, Folder])(name, parent)
        acl = acl_of(p, random)
        if acl is not None:
            made.__acl__ = acl
        for child in "ab" if depth else "":
            if random.random() < 0.8:
                made[child] = grow(child, made, depth - 1)
        return made

    return grow("", None, 2)


def groups_of(userid, request):
    return {"ada": ["group:editors"], "bob": []}.get(userid)


def secure(p, config, random):
    """Set the policies of a program: those of Pyramid 1, or one of Pyramid 2."""
    if random.random() < 0.5:
        config.set_authentication_policy(p.authentication.RemoteUserAuthenticationPolicy(callback=groups_of))
        config.set_authorization_policy(p.authorization.ACLAuthorizationPolicy())
        return

    class Policy:
        def __init__(self):
            self.acl = p.authorization.ACLHelper()

        def identity(self, request):
            return request.remote_user if groups_of(request.remote_user, request) is not None else None

        def authenticated_userid(self, request):
            return self.identity(request)

        def permits(self, request, context, permission):
            user = self.identity(request)
            principals = [p.authorization.Everyone]
            if user is not None:
                principals += [p.authorization.Authenticated, user, *groups_of(user, request)]
            return self.acl.permits(context, principals, permission)

    config.set_security_policy(Policy())


def view_of(p, random, number):
    kind = random.choice(["response", "json", "string", "raises", "forbids", "is not there"])
    told = f"view {number}"

    def view(context, request):
        where = type(context).__name__, getattr(context, "__name__", None), request.view_name
        if kind == "raises":
            raise LookupError(told)
        if kind == "forbids":
            raise p.httpexceptions.HTTPForbidden(told)
        if kind == "is not there":
            return p.httpexceptions.HTTPNotFound(told)
        text = f"{told} {where} {request.authenticated_userid} {bool(request.has_permission('edit'))}"
        return p.response.Response(text) if kind == "response" else text

    return view, {"renderer": kind} if kind in ("json", "string") else {}


def options_of(p, random):
    chosen = {
        "name": ["", "", "", "edit", "a"], "context": [None, None, Page, Folder, Resource],
        "permission": ["view", "edit", p.security.NO_PERMISSION_REQUIRED, None],
        "require_csrf": [True, False],
        "request_method": ["GET", "POST", ("GET", "POST"), "DELETE"],
        "xhr": [True, False], "request_param": ["q", "q=1", "!q"], "header": ["X-Own", "X-Own:a.*"],
        "accept": ["text/html", "application/json"], "physical_path": ["/", "/a"], "is_authenticated": [True, False],
        "effective_principals": ["ada", "group:editors"],
    }  # fmt: skip
    likely = {"name": 0.6, "context": 0.6, "permission": 0.6}
    return {
        name: value
        for name, values in chosen.items()
        if random.random() < likely.get(name, 0.07) and (value := random.choice(values)) is not None
    }


def program(p, seed):
    random = Random(seed)
    with p.configurator(root_factory=lambda request: tree) as config:
        tree = tree_of(p, random)
        secure(p, config, random)
        config.set_csrf_storage_policy(p.csrf.CookieCSRFStoragePolicy())
        if random.random() < 0.5:
            config.set_default_permission(random.choice(PERMISSIONS))
        if random.random() < 0.5:
            config.set_default_csrf_options(require_csrf=True, safe_methods=random.choice([("GET", "HEAD"), ("GET",)]))
        known = set()

        def is_new(options, random):
            """True for predicates that no view has, and for some others, which are a conflict."""
            predicates = {"name": "", **options, "permission": None, "require_csrf": None}
            key = str(sorted(predicates.items(), key=lambda each: each[0]))
            known_before = key in known
            known.add(key)
            return not known_before or random.random() < 0.02

        for number in range(random.randrange(2, 12)):
            view, renderer = view_of(p, random, number)
            options = options_of(p, random)
            if is_new(options, random):
                config.add_view(view, **options, **renderer)
        if random.random() < 0.4:
            config.add_route("route", random.choice(["/r/{x}", "/a/{x}", "/r*traverse"]))
            view, renderer = view_of(p, random, "of a route")
            options = options_of(p, random)
            config.add_view(view, route_name="route", **{k: v for k, v in options.items() if k != "name"}, **renderer)
        if random.random() < 0.4:
            config.add_exception_view(lambda e, r: p.response.Response(f"{e!r}"), context=LookupError)
        if random.random() < 0.4:
            config.add_forbidden_view(lambda r: p.response.Response(f"no: {type(r.exception).__name__}", status=403))
        if random.random() < 0.4:
            config.add_notfound_view(
                lambda r: p.response.Response("nothing", status=404), append_slash=random.random() < 0.5
            )
        return config.make_wsgi_app()


def requests_of(random):
    for _ in range(40):
        path = random.choice(
            ["/", "/a", "/b", "/a/b", "/a/b/", "/edit", "/a/edit", "/@@edit", "/b/x", "/r/a", "/r/a/b"]
        )
        headers = {
            name: value
            for name, value in {
                "X-Own": random.choice(["a", "b"]),
                "X-Requested-With": "XMLHttpRequest",
                "Accept": random.choice(["text/html", "application/json", "*/*"]),
                "X-CSRF-Token": random.choice([TOKEN, "forged"]),
                "Origin": random.choice(["https://example.com", "https://evil.example"]),
            }.items()
            if random.random() < 0.5
        } | {"Cookie": f"csrf_token={TOKEN}"}  # without one, each makes a random token
        user = random.choice(USERS)
        options = {
            "headers": headers,
            "method": random.choice(["GET", "GET", "POST", "HEAD", "DELETE", "PUT"]),
            "environ": {"REMOTE_USER": user} if user else {},
            "base_url": random.choice(["http://example.com", "https://example.com"]),
        }
        yield path + random.choice(["", "?q=1", "?q=2"]), options


def told(name, seed):
    """What a program answers, or the kind of error that its configuration is."""
    package = Package(name)
    try:
        app = program(package, seed)
    except Exception as error:
        return type(error).__name__
    return [answer(app, each) for each in requests_of(Random(-seed))]


@rows("first", range(0, 50, 10))
def test_nobody_sees_more_than_with_pyramid(first):
    for seed in range(first, first + 10):
        asked, theirs, ours = [*requests_of(Random(-seed))], told(PYRAMID, seed), told(DIALECT, seed)
        if isinstance(theirs, str):
            assert ours == theirs, seed
            continue
        for each, expected, found in zip(asked, theirs, ours, strict=True):
            assert not differences(expected, found), (seed, each)


@rows("first", [{}, {"permission": "edit"}, {"request_method": "GET", "permission": "edit"}])
def test_a_view_that_replaces_an_open_one_is_as_secured_as_it_says(first):
    """Pyramid goes on to answer with the open view."""
    p = Package(DIALECT)
    with p.configurator() as config:
        config.set_authentication_policy(p.authentication.RemoteUserAuthenticationPolicy())
        config.set_authorization_policy(p.authorization.ACLAuthorizationPolicy())
        for options in (first, {k: v for k, v in first.items() if k != "permission"}, first | {"permission": "edit"}):
            config.add_view(lambda request, options=options: p.response.Response(f"{options}"), **options)
            config.commit()
        app = config.make_wsgi_app()
    assert answer(app, "/")["status"] == 403
