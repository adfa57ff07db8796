import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Response
from antiphon.features.security_headers import (
    YEAR,
    ContentSecurityPolicy,
    PermissionsPolicy,
    SecurityHeaders,
    StrictTransportSecurity,
    csp_nonce,
)
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("serving")]

SELF = "'self'"
DEFAULTS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "base-uri 'self'; object-src 'none'",
}


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def serving(request, open_client):
    def serving(feature, base_url="http://shop.example.com"):
        return open_client(app_with(feature), request.param, base_url=base_url, raise_errors=False)

    return serving


def app_with(feature):
    if isinstance(feature, App):
        return feature
    app = App()
    feature.install(app)

    @app.get("/")
    def index(request):
        return "index"

    @app.get("/own")
    async def own(request):
        return Response("own", 200, {"X-Frame-Options": "SAMEORIGIN", "content-security-policy": "default-src *"})

    @app.get("/fails")
    def fails(request):
        raise LookupError("boom")

    return app


def guarding(response):
    return {
        name: value for name, value in response.headers.items() if name in DEFAULTS | {"strict-transport-security": ""}
    }


class TestAResponse:
    @pytest.mark.parametrize(("path", "status"), [("/", 200), ("/missing", 404), ("/fails", 500)])
    def test_gets_the_headers_whatever_it_is(self, serving, path, status):
        response = serving(SecurityHeaders()).get(path)
        assert response.status == status
        assert guarding(response) == DEFAULTS

    def test_is_kept_to_https_over_https_only(self, serving):
        response = serving(SecurityHeaders(), "https://shop.example.com").get("/")
        assert guarding(response) == DEFAULTS | {"strict-transport-security": f"max-age={YEAR}"}

    def test_keeps_what_it_set_itself(self, serving):
        response = serving(SecurityHeaders()).get("/own")
        own = {"x-frame-options": "SAMEORIGIN", "content-security-policy": "default-src *"}
        assert guarding(response) == DEFAULTS | own


class TestANonce:
    """A number used once (CSP3 §7.1): of one response, in its policy and in the elements that it allows."""

    POLICY = ContentSecurityPolicy(script_src=[SELF, "'nonce'", "'strict-dynamic'"], style_src="'nonce'")

    def test_is_another_one_in_each_response_that_asks_for_it_and_one_in_all_of_it(self, serving):
        app = app_with(SecurityHeaders(content_security_policy=self.POLICY))
        app.template_context(nonce=csp_nonce)

        @app.get("/page")
        def page(request):
            return f"{csp_nonce(request)} {request.shared('nonce')}"

        seen = set()
        for path in ("/page", "/page"):
            response = serving(app).get(path)
            found = re.fullmatch(
                r"script-src 'self' 'nonce-([\w-]{22})' 'strict-dynamic'; style-src 'nonce-\1'",
                response.headers["content-security-policy"],
            )
            assert response.text == f"{found[1]} {found[1]}"
            seen.add(found[1])
        assert len(seen) == 2
        for path in ("/", "/fails", "/missing"):
            policy = serving(app).get(path).headers["content-security-policy"]
            assert policy == "script-src 'self' 'strict-dynamic'; style-src 'none'"

    def test_of_a_stream_is_the_one_that_was_sent_before_it(self, serving):
        app = app_with(SecurityHeaders(content_security_policy="script-src 'nonce'"))

        @app.get("/stream")
        def stream(request):
            yield csp_nonce(request)

        response = serving(app).get("/stream")
        assert response.headers["content-security-policy"] == f"script-src 'nonce-{response.text}'"


class TestSecurityHeaders:
    def test_can_be_left_out_one_by_one(self):
        headers = SecurityHeaders(
            content_type_options=False, frame_options=None, referrer_policy=None, cross_origin_opener_policy=None,
            strict_transport_security=None, content_security_policy=None,
        )  # fmt: skip
        assert headers.fields(is_secure=True) == []

    def test_are_printed_from_their_values(self):
        headers = SecurityHeaders(
            frame_options="SAMEORIGIN",
            referrer_policy=["no-referrer", "same-origin"],
            permissions_policy=PermissionsPolicy(camera=()),
            strict_transport_security=StrictTransportSecurity(60),
            content_security_policy=ContentSecurityPolicy(default_src=[SELF]),
        )
        fields = dict(headers.fields(is_secure=True))
        assert fields["x-frame-options"] == "SAMEORIGIN"
        assert fields["referrer-policy"] == "no-referrer, same-origin"
        assert fields["permissions-policy"] == "camera=()"
        assert fields["strict-transport-security"] == "max-age=60"
        assert fields["content-security-policy"] == "default-src 'self'"

    @rows(
        "declared",
            {"frame_options": "deny"}, {"frame_options": "ALLOW-FROM https://a.example"},
            {"referrer_policy": "never"}, {"referrer_policy": "no-referrer\r\nx: y"},
            {"cross_origin_opener_policy": "same-site"},
    )  # fmt: skip
    def test_take_known_words_only(self, declared):
        with pytest.raises(ValueError, match=f"^SecurityHeaders: {next(iter(declared))} must be one of "):
            SecurityHeaders(**declared)

    def test_take_policies_as_text(self):
        headers = SecurityHeaders(
            permissions_policy="camera=()",
            strict_transport_security="max-age=60",
            content_security_policy="default-src 'self'; img-src *",
        )
        assert headers.content_security_policy == ContentSecurityPolicy(default_src=[SELF], img_src="*")
        fields = dict(headers.fields(is_secure=True))
        assert fields["permissions-policy"] == "camera=()"
        assert fields["strict-transport-security"] == "max-age=60"

    @rows(
        "declared, error",
        ({"content_security_policy": ["default-src 'self'"]}, TypeError),
        ({"strict_transport_security": 60}, TypeError),
        ({"strict_transport_security": "for ever"}, ValueError),
    )
    def test_take_no_other_policies(self, declared, error):
        with pytest.raises(error, match=r"must be a \w+, the text|not a Strict-Transport-Security"):
            SecurityHeaders(**declared)

    def test_do_not_change(self):
        for value, name in [
            (SecurityHeaders(), "frame_options"), (StrictTransportSecurity(), "max_age"),
            (PermissionsPolicy(camera=()), "features"), (ContentSecurityPolicy(img_src="*"), "directives"),
        ]:  # fmt: skip
            with pytest.raises(AttributeError):
                setattr(value, name, None)


class TestStrictTransportSecurity:
    @rows(
        "text, expected",
        ("max-age=31536000", StrictTransportSecurity(YEAR)),
        ("max-age=0", StrictTransportSecurity(0)),
        ('Max-Age="60" ; INCLUDESUBDOMAINS', StrictTransportSecurity(60, True)),
        ("max-age=60; unknown=1", StrictTransportSecurity(60)),
        ('unknown="a; includeSubDomains; b"; max-age=60', StrictTransportSecurity(60)),
        (r'unknown="\"; max-age=7; \""; max-age=60', StrictTransportSecurity(60)),
        ("preload; includeSubDomains; max-age=31536000", StrictTransportSecurity(YEAR, True, True)),
    )
    def test_is_read(self, text, expected):
        assert StrictTransportSecurity.parse(text) == expected

    @rows(
        "text",
            "", "includeSubDomains", "max-age", "max-age=", "max-age=-1", "max-age=x", "max-age=1; max-age=2",
            "max-age=" + "9" * 9999,
    )  # fmt: skip
    def test_that_is_broken_is_refused(self, text):
        with pytest.raises(ValueError, match="not a Strict-Transport-Security"):
            StrictTransportSecurity.parse(text)

    @rows(
        "arguments",
        {"max_age": -1},
        {"max_age": 1.5},
        {"preload": True},
        {"max_age": 60, "include_subdomains": True, "preload": True},
    )
    def test_that_browsers_would_not_take_is_not_made(self, arguments):
        with pytest.raises(ValueError, match="max_age"):
            StrictTransportSecurity(**arguments)

    @given(st.builds(StrictTransportSecurity, st.integers(0, 10**12), st.booleans()))
    def test_printed_and_read_is_the_same(self, value):
        assert StrictTransportSecurity.parse(str(value)) == value


SOURCES = st.sampled_from(
    [
        SELF,
        "https://a.example",
        "https:",
        "data:",
        "*.example.com",
        "'nonce-YWJj'",
        "'unsafe-inline'",
        "wss://a.example:1/p",
    ]
)
NAMES = st.sampled_from(
    ["default-src", "img-src", "script-src-elem", "form-action", "sandbox", "report-to", "x-future"]
)


class TestContentSecurityPolicy:
    def test_is_printed_in_the_order_given(self):
        policy = ContentSecurityPolicy(
            default_src=[SELF], img_src="'self' data:", sandbox=(), upgrade_insecure_requests=True
        )
        assert str(policy) == "default-src 'self'; img-src 'self' data:; sandbox; upgrade-insecure-requests"

    @rows(
        "text, expected",
        ("default-src 'self'", "default-src 'self'"),
        (" ;; Default-Src\t'self'  https: ;", "default-src 'self' https:"),
        ("img-src *; img-src 'none'", "img-src *"),
        ("script-src 'NONE'", "script-src 'NONE'"),
    )
    def test_is_read(self, text, expected):
        assert str(ContentSecurityPolicy.parse(text)) == expected

    @rows(
        "directives, message",
        ({}, "at least one directive"),
        ({"default_src": "self"}, "needs its own quotes: \"'self'\""),
        ({"default_src": ["none"]}, "its own quotes"),
        ({"script_src": "nonce-abc"}, "its own quotes"),
        ({"frame_ancestors": "self"}, "its own quotes"),
        ({"default_src": "'none' https:"}, "must stand alone"),
        ({"default_src": ["a b"]}, "can't be used in default-src"),
        ({"default_src": ["a;b"]}, "can't be used in default-src"),
        ({"default_src": ["a,b"]}, "can't be used in default-src"),
        ({"default_src": ["a\r\nx:y"]}, "can't be used in default-src"),
        ({"default_src": [""]}, "can't be used in default-src"),
        ({"default_src": ["münchen.example"]}, "can't be used in default-src"),
        ({"default src": SELF}, "not a directive's name"),
        ({"upgrade_insecure_requests": False}, "leave the directive out"),
    )
    def test_that_is_wrong_is_not_made(self, directives, message):
        with pytest.raises(ValueError, match=message):
            ContentSecurityPolicy(**directives)

    @rows("text", ["", " ; ", "default-src self", "default-src 'self', img-src *", "default-src a\0"])
    def test_that_is_wrong_is_not_read(self, text):
        with pytest.raises(ValueError, match=r"directive|quotes|can't be used"):
            ContentSecurityPolicy.parse(text)

    @given(st.dictionaries(NAMES, st.lists(SOURCES, max_size=4), min_size=1))
    def test_printed_and_read_is_the_same(self, directives):
        policy = ContentSecurityPolicy(**directives)
        assert ContentSecurityPolicy.parse(str(policy)) == policy
        assert eval(repr(policy)) == policy


ALLOWED = st.just(["*"]) | st.lists(
    st.sampled_from(["self", "https://a.example", "https://*.example.com", "http://localhost:8000"]), max_size=3
)


class TestPermissionsPolicy:
    def test_is_printed_in_the_order_given(self):
        policy = PermissionsPolicy(camera=(), fullscreen="*", geolocation="self https://maps.example", usb=["self"])
        assert str(policy) == 'camera=(), fullscreen=*, geolocation=(self "https://maps.example"), usb=(self)'
        assert str(PermissionsPolicy(picture_in_picture=())) == "picture-in-picture=()"

    @rows(
        "text, expected",
        ("camera=()", "camera=()"), ("camera=( ),geolocation=self", "camera=(), geolocation=(self)"),
        ('usb="https://a.example"', 'usb=("https://a.example")'), ("camera=*, camera=()", "camera=()"),
    )  # fmt: skip
    def test_is_read(self, text, expected):
        assert str(PermissionsPolicy.parse(text)) == expected

    @rows(
        "text",
        "", "camera", "camera=", "camera=(", "camera=(none)", 'camera=("self")', "camera=(https://a.example)",
        'camera=(")', "camera=(* self)", "camera=();report-to=x", "Camera=()", '"=()',
    )  # fmt: skip
    def test_that_is_wrong_is_not_read(self, text):
        with pytest.raises(ValueError, match=r"allowlist|feature|must be"):
            PermissionsPolicy.parse(text)

    @rows(
        "features",
            {}, {"camera": "none"}, {"camera": "'self'"}, {"camera": "a.example"}, {"camera": "* self"},
            {"camera": ['https://a"b.example']}, {"ca mera": ()}, {"camera": ["a\r\nb"]},
    )  # fmt: skip
    def test_that_is_wrong_is_not_made(self, features):
        with pytest.raises(ValueError, match=r"feature|must be"):
            PermissionsPolicy(**features)

    @given(st.dictionaries(st.sampled_from(["camera", "usb", "picture-in-picture", "fullscreen"]), ALLOWED, min_size=1))
    def test_printed_and_read_is_the_same(self, features):
        policy = PermissionsPolicy(**features)
        assert PermissionsPolicy.parse(str(policy)) == policy
        assert eval(repr(policy)) == policy
