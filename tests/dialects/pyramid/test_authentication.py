"""Who makes a request: policies and tickets, beside Pyramid."""

import warnings
from base64 import b64encode

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)
BOTH = (OURS, THEIRS)
SECRET = "a secret"
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


def blank(p, headers=(), environ=(), path="/"):
    base = {"REMOTE_ADDR": "1.2.3.4", "HTTP_HOST": "www.example.com"} | dict(environ)
    request = p.request.Request.blank(path, base, headers=dict(headers))
    request.registry = p.registry.Registry("test")
    return request


def cookie_of(headers):
    return {"Cookie": headers[0][1].partition(";")[0]}


@rows(
    "userid, options",
    ("fred", {}), ("frédéric ☃!|", {}), (42, {}), (b"\xff\x00", {}), ("fred", {"hashalg": "md5"}),
    ("fred", {"include_ip": True}), ("fred", {"cookie_name": "other", "secure": True}),
)  # fmt: skip
@rows("writing, reading", [BOTH, BOTH[::-1]], ids=["ours", "theirs"])
def test_tickets_are_carried_over_both_ways(writing, reading, userid, options):
    headers = writing.authentication.AuthTktCookieHelper(SECRET, **options).remember(
        blank(writing), userid, tokens=("b1",)
    )
    request = blank(reading, cookie_of(headers))
    found = reading.authentication.AuthTktCookieHelper(SECRET, **options).identify(request)
    assert (found["userid"], found["tokens"]) == (userid, ["b1"])
    assert request.environ["REMOTE_USER_TOKENS"] == ["b1"]
    assert request.environ["AUTH_TYPE"] == "cookie"


TICKET = {"secret": SECRET, "userid": "fred", "time": 1_700_000_000, "user_data": "userid_type:unicode"}
ADDRESSES = ("0.0.0.0", "1.2.3.4", "::1")


@rows("ip", ADDRESSES)
@rows("options", [{}, {"tokens": ("a", "b")}, {"hashalg": "sha512"}])
def test_tickets_are_printed_as_by_pyramid(ip, options):
    made = [p.authentication.AuthTicket(ip=ip, **{**TICKET, **options}).cookie_value() for p in BOTH]
    assert made[0] == made[1]
    parsed = [p.authentication.parse_ticket(SECRET, made[0], ip, options.get("hashalg", "md5")) for p in BOTH]
    assert parsed[0] == parsed[1]


GOOD = OURS.authentication.AuthTicket(ip=ADDRESSES[0], **TICKET).cookie_value()


@rows("ticket", ["", "x", "a" * 60, GOOD[:-1], GOOD[:40], "0" + GOOD[1:], GOOD.replace("fred", "bob"), f'"{GOOD}"'])
def test_tickets_that_are_forged_are_refused_as_by_pyramid(ticket):
    def parsed(p):
        try:
            return p.authentication.parse_ticket(SECRET, ticket, ADDRESSES[0])
        except p.authentication.BadTicket as error:
            return str(error)

    assert parsed(OURS) == parsed(THEIRS)


@rows(
    "options, host",
    ({}, "www.example.com"),
    ({"wild_domain": False}, "www.example.com"),
    ({"parent_domain": True}, "www.example.com"),
    ({"parent_domain": True}, "example.com"),
    ({"domain": ".example.org"}, "www.example.com"),
    ({"max_age": 100, "http_only": True, "path": "/a", "samesite": None}, "www.example.com"),
)
def test_cookies_have_the_attributes_of_the_original(options, host):
    def attributes(p):
        helper = p.authentication.AuthTktCookieHelper(SECRET, **options)
        request = blank(p, environ={"HTTP_HOST": host})
        headers = [*helper.remember(request, "fred"), *helper.forget(request)]
        return [(name, [part for part in value.split("; ")[1:] if "xpires" not in part]) for name, value in headers]

    assert attributes(OURS) == attributes(THEIRS)


@rows("age, timeout, good", [(5, 10, True), (11, 10, False), (11, None, True)])
def test_tickets_end(age, timeout, good):
    helper = OURS.authentication.AuthTktCookieHelper(SECRET, timeout=timeout)
    request = blank(OURS, cookie_of(helper.remember(blank(OURS), "fred")))
    found = OURS.authentication.AuthTktCookieHelper(SECRET).identify(request)
    helper.now = found["timestamp"] + age
    assert (helper.identify(request) is not None) is good


@rows("age, after, sent", [(5, None, 0), (11, None, 1), (11, "identify", 1), (11, "forget", 0), (11, "remember", 0)])
def test_tickets_are_made_anew_once(age, after, sent):
    helper = OURS.authentication.AuthTktCookieHelper(SECRET, reissue_time=10)
    request = blank(OURS, cookie_of(helper.remember(blank(OURS), "fred", tokens=("a",))))
    found = OURS.authentication.AuthTktCookieHelper(SECRET).identify(request)
    helper.now = found["timestamp"] + age
    assert helper.identify(request)["tokens"] == ["a"]
    if after is not None:
        getattr(helper, after)(request, *(("fred",) if after == "remember" else ()))
    response = OURS.response.Response()
    request._process_response_callbacks(response)
    assert len(response.headers.getall("Set-Cookie")) == sent


@rows("token", ["1a", "", "a b", "ä", b"a", "a\n"])
def test_tokens_are_names(token):
    with pytest.raises(ValueError, match="Invalid token"):
        OURS.authentication.AuthTktCookieHelper(SECRET).remember(blank(OURS), "fred", tokens=(token,))


def test_users_of_other_types_become_text():
    helper = OURS.authentication.AuthTktCookieHelper(SECRET)
    with pytest.warns(RuntimeWarning, match="kept as text"):
        headers = helper.remember(blank(OURS), 1.5)
    assert helper.identify(blank(OURS, cookie_of(headers)))["userid"] == "1.5"


def basic(credentials, scheme="Basic"):
    return {"Authorization": f"{scheme} {b64encode(credentials).decode()}"}


@rows(
    "headers",
        {}, {"Authorization": ""}, {"Authorization": "Basic"}, {"Authorization": "Basic !"},
        {"Authorization": "Basic a"}, basic(b"fred"), basic(b"fred:secret"),
        basic(b"fred:se:cret", "bAsIc"), basic(b"fred:secret", "Digest"),
        basic("frédéric:ä".encode()), basic("frédéric:ä".encode("latin-1")), basic(b":"),
)  # fmt: skip
def test_basic_credentials_are_read_as_by_pyramid(headers):
    found = [p.authentication.extract_http_basic_credentials(blank(p, headers)) for p in BOTH]
    assert found[0] == found[1]
    assert found[0] is None or found[0].username == found[1].username


def with_policy(p, make, callback=True):
    groups = {"fred": ["editors"], "bob": []}
    return make(p.authentication, (lambda userid, _: groups.get(userid)) if callback else None)


IDENTITY, PLUGINS = "repoze.who.identity", "repoze.who.plugins"


class WhoPlugin:
    def remember(self, environ, identity):
        return [("X-Remember", str(sorted(identity.items())))]

    def forget(self, environ, identity):
        return [("X-Forget", str(identity))]


def remote_user(module, callback):
    return module.RemoteUserAuthenticationPolicy(callback=callback)


def session_policy(module, callback):
    return module.SessionAuthenticationPolicy(callback=callback)


def basic_policy(module, callback):
    return module.BasicAuthAuthenticationPolicy(
        lambda name, password, request: callback(name, request) if callback and password == "secret" else None
    )


def who_policy(module, callback):
    by_identity = callback and (lambda identity, request: callback(identity["repoze.who.userid"], request))
    return module.RepozeWho1AuthenticationPolicy(callback=by_identity)


USERS = (None, "fred", "bob", "eve", "system.Everyone", "system.Authenticated")


@rows("make", [remote_user, session_policy, basic_policy, who_policy])
@rows("callback", [True, False])
def test_policies_know_users_as_in_pyramid(make, callback):
    def known(p, userid):
        policy = with_policy(p, make, callback)
        environ = {"REMOTE_USER": userid, IDENTITY: userid and {"repoze.who.userid": userid}}
        headers = basic(f"{userid}:secret".encode()) if userid else {}
        request = blank(p, headers, {name: value for name, value in environ.items() if value})
        request.session = {"auth.userid": userid} if userid else {}
        return (
            policy.unauthenticated_userid(request), policy.authenticated_userid(request),
            policy.effective_principals(request),
        )  # fmt: skip

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [known(OURS, userid) for userid in USERS] == [known(THEIRS, userid) for userid in USERS]


@rows("make", [remote_user, session_policy, basic_policy, who_policy])
@rows("plugins", [{}, {PLUGINS: {"auth_tkt": WhoPlugin()}}])
def test_policies_remember_and_forget_as_in_pyramid(make, plugins):
    def done(p):
        policy = with_policy(p, make)
        request = blank(p, environ=plugins)
        request.session = {}
        remembered = policy.remember(request, "fred", max_age=1)
        session = dict(request.session)
        return remembered, session, policy.forget(request), policy.forget(request), request.session

    assert done(OURS) == done(THEIRS)


def test_a_policy_logs_what_it_decides():
    messages = []

    class Logger:
        def debug(self, message):
            messages.append(message)

    policy = OURS.authentication.RemoteUserAuthenticationPolicy(debug=True)
    request = blank(OURS)
    request.registry.registerUtility(Logger(), OURS.interfaces.IDebugLogger)
    policy.authenticated_userid(request)
    assert [message.rpartition(".")[2] for message in messages] == [
        "authenticated_userid: call to unauthenticated_userid returned None"
    ]


@rows("package", BOTH, ids=["ours", "theirs"])
def test_a_user_signs_in_and_out(package):
    p = package

    def view(request):
        if "in" in request.GET:
            headers = p.security.remember(request, "fred")
        elif "out" in request.GET:
            headers = p.security.forget(request)
        else:
            headers = ()
        shown = [request.authenticated_userid, request.effective_principals, bool(request.is_authenticated)]
        response = p.response.Response(str(shown))
        response.headerlist.extend(headers)
        return response

    with p.configurator() as config:
        config.set_authorization_policy(p.authorization.ACLAuthorizationPolicy())
        config.set_authentication_policy(
            p.authentication.AuthTktAuthenticationPolicy(SECRET, callback=lambda *_: ["editors"])
        )
        config.add_view(view)
        app = config.make_wsgi_app()

    def asked(path, headers=()):
        return p.request.Request.blank(path, headers=dict(headers)).get_response(app)

    cookie = cookie_of([("", asked("/?in").headers["Set-Cookie"])])
    assert asked("/", cookie).text == "['fred', ['system.Everyone', 'system.Authenticated', 'fred', 'editors'], True]"
    assert asked("/").text == "[None, ['system.Everyone'], False]"
    assert "Max-Age=0" in asked("/?out", cookie).headers["Set-Cookie"]
