"""CSRF tokens: which writes need one, where it may be, which count, and what the refusals say."""

import re
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader

from antiphon import App, Blueprint, Limits, Request, Response
from antiphon.features import (
    CORS,
    BadCSRFToken,
    CSRFTokens,
    Form,
    MemoryStore,
    Page,
    Sessions,
    Templates,
    csrf_input,
    csrf_token,
)  # fmt: skip
from antiphon.http import format_query
from antiphon.testing import Client, LifespanError
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]

HTTPS = "https://shop.example.com"
PARTNER = "https://partner.example"
LARGE = 300_000
"""Bytes of a body that is not received before the hooks have let the request through."""


@dataclass
class Order:
    number: int


@pytest.fixture
def clock():
    return time.time


def guarded(store, *, exempt=(), **options):
    app = App(**options)
    app.use(Sessions(store))
    app.use(CSRFTokens(exempt=exempt))
    return app


@pytest.fixture
def shop(store, style):
    app = guarded(store, trusted_origins=[PARTNER], exempt=["webhook", "open"])

    @app.errorhandler(BadCSRFToken)
    def refuse(request, error):
        return {"reason": error.reason, "received": request.content.received}

    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
    app.route("/", methods, name="home")(in_style(style, lambda request: dict(request.form)))
    app.post("/lazy", receive="lazy", name="lazy")(in_style(style, lambda request: dict(request.form)))
    app.post("/stream", receive="stream", name="stream")(
        in_style("def", lambda request: str(len(b"".join(request.stream))))
    )
    app.post("/webhook", name="webhook")(in_style(style, lambda request: "hooked"))
    app.get("/token", name="token")(in_style(style, csrf_token))
    app.get("/input", name="input")(in_style(style, csrf_input))
    app.post("/login", name="login")(in_style(style, lambda request: request.session.rotate("ann") or "in"))
    app.post("/logout", name="logout")(in_style(style, lambda request: request.session.clear() or "out"))
    inside = Blueprint("open", prefix="/open")
    inside.post("/", name="one")(in_style(style, lambda request: "open"))
    app.register(inside)
    partners = Blueprint("partners", prefix="/partners")
    partners.use(CORS(["https://other.example"]))
    partners.post("/", name="one")(in_style(style, lambda request: "partners"))
    app.register(partners)
    return app


@pytest.fixture
def visitor(shop, interface):
    with Client(shop, interface, base_url=HTTPS) as client:
        yield client


@pytest.fixture
def stranger(shop, interface):
    with Client(shop, interface, base_url=HTTPS) as client:
        yield client


def token_of(client):
    return client.get("/token").text


def headed(token):
    return {"x-csrf-token": token}


class TestAWrite:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_needs_a_token(self, visitor, method):
        token = token_of(visitor)
        refused = visitor.request(method, "/")
        assert (refused.status, refused.json["reason"]) == (403, "missing")
        assert visitor.request(method, "/", headers=headed(token)).status == 200

    @pytest.mark.parametrize("path", ["/", "/lazy"])
    @pytest.mark.parametrize("framed", ["by its length", "in chunks"])
    @pytest.mark.parametrize("has_session", [False, True])
    def test_with_a_form_that_is_cut_off_is_the_same_however_it_came(self, visitor, path, framed, has_session):
        if has_session:
            token_of(visitor)
        cut = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
        headers = {"content-type": "multipart/form-data; boundary=b"}
        body = cut if framed == "by its length" else iter([cut[:9], cut[9:]])
        assert visitor.post(path, headers=headers, body=body).status == (400 if has_session else 403)

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "QUERY"])
    def test_is_no_safe_method(self, visitor, method):
        response = visitor.request(method, "/")
        assert response.status == 200
        assert not {"set-cookie", "vary"} & {*response.headers}

    @rows("path", ["/", "/lazy"])
    @rows("padding", [0, LARGE], ids=["small", "large"])
    @rows("kind_of_form", ["urlencoded", "in parts"])
    def test_may_be_a_form_with_a_field(self, visitor, path, padding, kind_of_form):
        token = token_of(visitor)
        for sent, status in ((token, 200), (token[::-1], 403), (None, 403)):
            form = {"x": "1", "padding": "p" * padding} | ({"csrf_token": sent} if sent else {})
            files = {"file": b"content"} if kind_of_form == "in parts" else None
            response = visitor.post(path, form=form, files=files) if files else visitor.post(path, form=form)
            assert response.status == status
            if status == 200:
                assert response.json["x"] == "1"

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b'{"csrf_token": "%s"}'),
            ("text/plain", b"csrf_token=%s"),
            (None, b"csrf_token=%s"),
            ("application/x-www-form-urlencoded", b"csrf_token=&x=%s"),
        ],
    )
    def test_that_is_no_form_needs_the_header(self, visitor, content_type, body):
        token = token_of(visitor)
        headers = {"content-type": content_type} if content_type else {}
        sent = body.replace(b"%s", token.encode())
        assert visitor.post("/", body=sent, headers=headers).status == 403
        assert visitor.post("/", body=sent, headers=headers | headed(token)).status == 200

    def test_that_is_streamed_needs_the_header(self, visitor):
        token = token_of(visitor)
        sent = {"csrf_token": token, "padding": "p" * LARGE}
        refused = visitor.post("/stream", form=sent)
        assert (refused.status, refused.json["reason"]) == (403, "missing")
        assert int(visitor.post("/stream", form=sent, headers=headed(token)).text) > LARGE

    @pytest.mark.parametrize("knows", [True, False], ids=["bad header", "no session"])
    def test_that_is_refused_by_its_head_is_not_received(self, visitor, stranger, knows):
        if knows:
            token_of(visitor)
        response = visitor.post("/", form={"padding": "p" * LARGE}, headers=headed("x" * 64) if knows else {})
        assert response.status == 403
        assert response.json["received"] < LARGE

    def test_that_is_too_large_is_said_to_be(self, store, interface, style):
        app = guarded(store, limits=Limits(body=LARGE // 2))
        app.get("/token")(csrf_token)
        app.post("/")(in_style(style, lambda request: "x"))
        with Client(app, interface, base_url=HTTPS) as client:
            token = token_of(client)
            assert client.post("/", form={"padding": "p" * LARGE, "csrf_token": token}).status == 413

    @pytest.mark.parametrize(("method", "path", "status"), [("POST", "/none", 404), ("POST", "/token", 405)])
    def test_that_no_route_answers_is_not_refused_for_its_token(self, visitor, method, path, status):
        assert visitor.request(method, path).status == status

    def test_to_an_application_that_is_mounted_is_its_own_business(self, store, interface, style):
        app, inner = guarded(store), App()
        inner.post("/")(in_style(style, lambda request: "inner"))
        app.mount("/inner", inner)
        with Client(app, interface, base_url=HTTPS) as client:
            assert client.post("/inner/").text == "inner"


class TestAToken:
    def test_is_another_text_each_time_and_each_counts(self, visitor):
        tokens = [token_of(visitor) for _ in range(3)]
        assert len({*tokens}) == 3
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{64}", token) for token in tokens)
        assert [visitor.post("/", headers=headed(token)).status for token in tokens * 2] == [200] * 6

    def test_of_another_visitor_does_not_count(self, visitor, stranger):
        token_of(visitor)
        refused = visitor.post("/", headers=headed(token_of(stranger)))
        assert (refused.status, refused.json["reason"]) == (403, "other session")

    def test_counts_no_longer_after_a_login(self, visitor):
        token = token_of(visitor)
        assert visitor.post("/login", headers=headed(token)).status == 200
        assert visitor.post("/", headers=headed(token)).json["reason"] == "expired"
        assert visitor.post("/", headers=headed(token_of(visitor))).status == 200
        assert visitor.post("/", headers=headed(token)).json["reason"] == "other session"

    def test_counts_no_longer_after_a_logout(self, visitor):
        token = token_of(visitor)
        assert visitor.post("/logout", headers=headed(token)).status == 200
        assert visitor.post("/", headers=headed(token)).json["reason"] == "expired"

    def test_counts_no_longer_than_the_session(self, interface, style):
        now = [1_800_000_000.0]
        app = App()
        app.use(Sessions(MemoryStore(clock=lambda: now[0]), idle=100))
        app.use(CSRFTokens())
        app.errorhandler(BadCSRFToken)(lambda request, error: error.reason)
        app.get("/token")(csrf_token)
        app.post("/")(in_style(style, lambda request: "written"))
        with Client(app, interface, base_url=HTTPS) as client:
            token = token_of(client)
            now[0] += 99
            assert client.post("/", headers=headed(token)).text == "written"
            now[0] += 101
            assert client.post("/", headers=headed(token)).text == "expired"

    @rows("sent", ["", "x", "x" * 63, "x" * 65, "=" * 64, "é" * 64, "*" * 64, "x" * 7000])
    def test_that_is_none_is_refused(self, visitor, sent):
        token_of(visitor)
        refused = visitor.post("/", form={"csrf_token": sent})
        assert (refused.status, refused.json["reason"]) == (403, "malformed")
        if sent.isascii():
            refused = visitor.post("/", headers=headed(sent))
            assert (refused.status, refused.json["reason"]) == (403, "malformed")

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_counts_if_two_pages_made_their_first_at_once(self, store, interface):
        app, tokens = guarded(store), []
        app.get("/begin")(in_style("def", lambda request: request.session.update(a=1) or "x"))
        app.post("/")(in_style("def", lambda request: "written"))
        client = Client(app, interface, base_url=HTTPS)

        @app.get("/page/<int:depth>")
        def page(request: Request, depth: int):
            request.session.get("a")
            if depth:
                with Client(app, interface, base_url=HTTPS) as other:
                    other.get(f"/page/{depth - 1}", headers={"cookie": request.headers["cookie"]})
            tokens.append(csrf_token(request))
            return "x"

        client.get("/begin")
        client.get("/page/2")
        assert [client.post("/", headers=headed(token)).status for token in tokens] == [200] * 3
        client.close()

    def test_as_an_input_is_html(self, visitor):
        response = visitor.get("/input")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        found = re.fullmatch(r'<input type="hidden" name="csrf_token" value="([A-Za-z0-9_-]{64})">', response.text)
        assert visitor.post("/", form={"csrf_token": found[1]}).status == 200

    def test_is_shared_with_templates(self, store, interface, style):
        app = guarded(store)

        def page(request):
            made = request.shared("csrf_input")()
            assert made.__html__() == str(made) == csrf_input(request)
            return request.shared("csrf_token")

        app.get("/token")(in_style(style, page))
        app.post("/")(in_style(style, lambda request: "written"))
        with Client(app, interface, base_url=HTTPS) as client:
            assert client.post("/", headers=headed(token_of(client))).text == "written"

    @pytest.mark.parametrize(
        "page",
        [lambda request: Page("input.html"), lambda request: Page("value.html"), lambda request: Form(Order, request)],
        ids=["in a template", "in a template, alone", "in a form of a class"],
    )
    def test_is_in_pages_of_other_features(self, store, interface, style, page):
        app = guarded(store)
        value = '<input name="csrf_token" value="{{ csrf_token }}{{ csrf_token()[64:] }}">'
        app.use(Templates(DictLoader({"input.html": "<form>{{ csrf_input() }}</form>", "value.html": value})))
        app.get("/")(in_style(style, page))
        app.post("/")(in_style(style, lambda request: "written"))
        with Client(app, interface, base_url=HTTPS) as client:
            [token] = re.findall(r'<input[^>]* name="csrf_token" value="([A-Za-z0-9_-]{64})">', client.get("/").text)
            assert client.post("/", form={"csrf_token": token, "number": "1"}).text == "written"

    @pytest.mark.parametrize("is_made", [True, False])
    def test_in_a_stream_has_to_be_made_before(self, store, interface, style, is_made):
        app = guarded(store)

        def page(request):
            if is_made:
                csrf_token(request)

            def chunks():
                try:
                    yield csrf_token(request)
                except RuntimeError as error:
                    yield str(error)

            return Response.stream(chunks())

        app.get("/")(in_style(style, page))
        with Client(app, interface, base_url=HTTPS) as client:
            text = client.get("/").text
        assert ("csrf_token(request) in the handler, before the stream" in text) is not is_made

    @given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=80))
    def test_is_not_guessed(self, sent):
        from antiphon.features.csrf import _reason

        assert _reason(sent, {"__csrf:1": b"s" * 24}) in ("malformed", "other session")


class TestNoTokenIsNeeded:
    @pytest.mark.parametrize(("path", "text"), [("/webhook", "hooked"), ("/open/", "open")])
    def test_where_a_route_or_its_blueprint_is_exempt(self, visitor, path, text):
        assert visitor.post(path).text == text

    @rows(
        "headers, status",
            ({"authorization": "Bearer k7Qz"}, 200), ({"authorization": "Bearer k7Qz", "cookie": "a=b"}, 403),
            ({"authorization": "Bearer k7Qz", "cookie": ""}, 403), ({"authorization": "Basic YTpi"}, 403),
            ({"authorization": "Bearer"}, 403), ({}, 403), ({"authorization": "DPoP k7Qz"}, 200),
            ({"authorization": "DPoP"}, 403), ({"authorization": "DPoP k7Qz", "cookie": "a=b"}, 403),
    )  # fmt: skip
    def test_with_a_bearer_token_and_no_cookie(self, stranger, headers, status):
        assert stranger.post("/", headers=headers).status == status

    @rows(
        "path, origin, site, status",
            ("/", PARTNER, "cross-site", 200), ("/", PARTNER, None, 200),
            ("/partners/", PARTNER, "cross-site", 200),
            ("/partners/", "https://other.example", "cross-site", 200),
            ("/", "https://other.example", "cross-site", 403), ("/", "https://evil.example", "cross-site", 403),
            ("/", "null", "cross-site", 403), ("/", PARTNER, "same-origin", 403),
            ("/", HTTPS, "same-origin", 403), ("/", HTTPS, None, 403),
    )  # fmt: skip
    def test_by_a_page_of_an_origin_that_is_trusted_there(self, stranger, path, origin, site, status):
        headers = {"origin": origin} | ({"sec-fetch-site": site} if site else {})
        assert stranger.post(path, headers=headers).status == status

    def test_by_nobody_else_where_writes_of_other_sites_are_let_through(self, store, interface, style):
        app = guarded(store, cross_site_writes=True)
        app.post("/")(in_style(style, lambda request: "x"))
        with Client(app, interface, base_url=HTTPS) as client:
            assert client.post("/", headers={"origin": "https://evil.example"}).status == 403


def test_the_other_check_stays_on(visitor):
    token = token_of(visitor)
    refused = visitor.post("/", headers=headed(token) | {"origin": "https://evil.example"})
    assert (refused.status, refused.json["type"]) == (403, "urn:antiphon:problem:cross-site")


class TestARefusal:
    @pytest.fixture
    def client(self, store, interface, style):
        app = guarded(store)
        app.get("/token")(csrf_token)
        app.route("/", ("POST",), name="buy")(in_style(style, lambda request: "x"))
        app.route("/other", ("POST",), name="sell")(in_style(style, lambda request: "x"))
        with Client(app, interface, base_url=HTTPS) as client:
            yield client

    def test_is_a_problem_or_a_page_and_says_nothing_of_why(self, client):
        refused = client.post("/", headers={"accept": "application/json"})
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json["type"] == "urn:antiphon:problem:csrf-token"
        assert refused.json["detail"] == "This write has no valid CSRF token. Reload the page, and send the form again."
        page = client.post("/", headers={"accept": "text/html"})
        assert page.status == 403
        assert page.headers["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize(
        ("sent", "why"),
        [(None, "There is no token in X-CSRF-Token"), ("x", "is not a token"), ("x" * 64, "its cookie was not sent")],
    )
    def test_says_why_in_debug(self, client, sent, why, debug_mode):
        refused = client.post("/", headers={"accept": "application/json"} | (headed(sent) if sent else {}))
        assert why in refused.json["debug"]["reason"][1]

    def test_logs_once_for_each_route_what_lets_it_pass(self, client, caplog):
        for _ in range(3):
            client.post("/")
            client.post("/other")
            client.post("/", headers=headed("x"))
        advice = [record.getMessage() for record in caplog.records if "CSRF" in record.getMessage()]
        assert [re.search(r'exempt=\["(\w+)"\]', each)[1] for each in advice] == ["buy", "sell"]
        assert "{{ csrf_input() }}" in advice[0]


class TestMistakes:
    @pytest.mark.parametrize(
        ("exempt", "said"),
        [
            (["webhok"], "did you mean 'webhook'"),
            (["zzz"], "neither a route nor a blueprint"),
            (["open.two"], "open.one"),
        ],
    )
    def test_in_the_names_of_exempt_routes_are_errors_at_the_start(self, interface, exempt, said):
        app = guarded(MemoryStore(), exempt=exempt)
        app.post("/webhook", name="webhook")(in_style("def", lambda request: "x"))
        inside = Blueprint("open", prefix="/open")
        inside.post("/", name="one")(in_style("def", lambda request: "x"))
        app.register(inside)
        with pytest.raises((ValueError, LifespanError), match=said), Client(app, interface) as client:
            client.get("/")

    def test_are_features_that_it_needs(self):
        with pytest.raises(RuntimeError, match=r"app\.use\(CSRFTokens\(\)\)"):
            csrf_token(Request.blank("/"))
        with pytest.raises(RuntimeError, match=r"app\.use\(Sessions\(store\)\), before"):
            App().use(CSRFTokens())


def test_the_query_is_no_place_for_a_token(visitor):
    assert visitor.post("/?" + format_query({"csrf_token": token_of(visitor)})).status == 403


@rows("receive", ["load", "lazy"])
@rows("is_mounted", [False, True])
def test_a_refusal_varies_by_cookie_whether_its_body_had_come_or_not(receive, is_mounted, interface):
    app = App()
    app.use(Sessions(MemoryStore()))
    app.use(CSRFTokens())
    app.post("/buy", receive=receive)(lambda request: "bought")
    if is_mounted:
        outer = App()
        outer.mount("", app)
        app = outer
    refused = Client(app, interface).post("/buy", form={"lamps": "1"})
    assert (refused.status, refused.headers["vary"]) == (403, "accept, cookie")
