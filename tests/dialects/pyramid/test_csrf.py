"""Tokens and origins against forged requests, beside Pyramid."""

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, assert_alike
from tests.helpers.rows import rows


def program(policy=None, **options):
    def make(p):
        with p.configurator(settings={"pyramid.csrf_trusted_origins": "example.org .example.net"}) as config:
            config.set_session_factory(p.session.SignedCookieSessionFactory("secret"))
            if policy is not None:
                config.set_csrf_storage_policy(policy(p))
            config.set_default_csrf_options(**options)
            config.add_view(lambda request: p.response.Response(f"done {request.method}"))
            return config.make_wsgi_app()

    return make


TOKEN = "0123456789abcdef"


def asked(scheme="http", cookie=f"csrf_token={TOKEN}", form=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    options = {"POST": form or {}, "headers": {"Cookie": cookie, **named}, "base_url": f"{scheme}://example.com"}
    return "/", options


COOKIE_POLICY = "CookieCSRFStoragePolicy"
WITH_TOKEN = {"csrf_token": TOKEN}


@rows(
    "options, requests",
        (
            {},
            [
                "/", asked(), asked(form=WITH_TOKEN), asked(form={"csrf_token": "other"}),
                asked(X_CSRF_Token=TOKEN), asked(X_CSRF_Token="other", form=WITH_TOKEN),
                asked(X_CSRF_Token="", form=WITH_TOKEN), asked(form={"csrf_token": "ä☃"}),
            ],
        ),
        ({"token": "t", "header": "X-T"}, [asked(form={"t": TOKEN}), asked(form=WITH_TOKEN), asked(X_T=TOKEN)]),
        ({"token": None}, [asked(form=WITH_TOKEN), asked(X_CSRF_Token=TOKEN)]),
        ({"header": None}, [asked(form=WITH_TOKEN), asked(X_CSRF_Token=TOKEN)]),
        ({"safe_methods": ("GET", "POST")}, [asked()]),
        ({"require_csrf": False}, [asked()]),
        ({"callback": lambda request: "X-Api" not in request.headers}, [asked(X_Api="1"), asked()]),
        (
            {},
            [asked("https", form=WITH_TOKEN, **origin) for origin in (
                {}, {"Origin": "https://example.com"}, {"Origin": "http://example.com"}, {"Origin": "null"},
                {"Origin": "https://evil.example"}, {"Origin": "https://evil.example https://example.com"},
                {"Origin": "https://example.org"}, {"Origin": "https://a.example.net"}, {"Origin": ""},
                {"Referer": "https://example.com/a?b"}, {"Referer": "https://evil.example/"}, {"Referer": "null"},
                {"Referer": "http://example.com/"}, {"Origin": "https://example.com:8443"},
                {"Host": "example.com:8443", "Origin": "https://example.com:8443"},
                {"Host": "example.com:8443", "Origin": "https://example.com"},
            )],
        ),
        ({"allow_no_origin": True}, [asked("https", form=WITH_TOKEN)]),
        ({"check_origin": False}, [asked("https", form=WITH_TOKEN, Origin="https://evil.example")]),
)  # fmt: skip
def test_forged_requests_are_refused_as_with_pyramid(options, requests):
    assert_alike(program(lambda p: p.csrf.CookieCSRFStoragePolicy(), **options), requests)


def test_files_and_origins_that_are_none_are_refused_too():
    package = Package(DIALECT)
    app = program(lambda p: p.csrf.CookieCSRFStoragePolicy())(package)
    for path, options in (
        asked(form={"csrf_token": ("a.txt", b"content")}),
        asked("https", form=WITH_TOKEN, Origin="https://[x"),
    ):
        assert package.request.Request.blank(path, **options).get_response(app).status_int == 400


@rows("name", ["LegacySessionCSRFStoragePolicy", "SessionCSRFStoragePolicy", COOKIE_POLICY])
@rows("package", [PYRAMID, DIALECT])
def test_tokens_are_kept_for_the_next_request(package, name):
    p = Package(package)
    policy = getattr(p.csrf, name)()

    def make(request):
        return p.response.Response(p.csrf.get_csrf_token(request) if "new" not in request.GET else new(request))

    def new(request):
        before = p.csrf.get_csrf_token(request)
        made = p.csrf.new_csrf_token(request)
        assert made == p.csrf.get_csrf_token(request) != before
        return made

    with p.configurator() as config:
        config.set_session_factory(p.session.SignedCookieSessionFactory("secret"))
        config.set_csrf_storage_policy(policy)
        config.add_view(make)
        app = config.make_wsgi_app()
    first = p.request.Request.blank("/").get_response(app)
    cookie = {"Cookie": first.headers.getall("Set-Cookie")[-1].partition(";")[0]}
    assert p.request.Request.blank("/", headers=cookie).get_response(app).body == first.body
    assert p.request.Request.blank("/?new", headers=cookie).get_response(app).body != first.body


def test_checks_can_return_false():
    p = Package(DIALECT)
    request = p.request.Request.blank("https://example.com/", POST={})
    with p.configurator() as config:
        config.set_csrf_storage_policy(p.csrf.CookieCSRFStoragePolicy())
        request.registry = config.registry
    request.registry = config.registry
    assert p.csrf.check_csrf_token(request, raises=False) is False
    assert p.csrf.check_csrf_origin(request, raises=False) is False
    request.headers["Origin"] = "https://other.example"
    assert p.csrf.check_csrf_origin(request, trusted_origins=["other.example"])
    assert p.csrf.check_csrf_origin(p.request.Request.blank("/", POST={}))  # over HTTP, nothing is checked
