"""Routes that answer only the URLs that the application has signed."""

import re
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Request
from antiphon.http.urls.url import URL
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "colour")

KEYS = ["key of the newest", "key of the year before"]


@pytest.fixture(params=["def", "async def"])
def colour(request):
    return request.param


def make_app(colour="def", keys=KEYS):
    app = App(secret_keys=keys)
    calls = []

    def download(request: Request):
        calls.append(request.path)
        return {"name": request.path_params["name"], "tag": request.args.getall("tag")}

    handler = in_style(colour, download)
    app.get("/download/<name>", signed_url=True, name="download")(handler)
    app.post("/upload/<path:name>", signed_url=True, name="upload")(handler)
    app.get("/plain/<name>", name="plain")(handler)
    app.get("/tenant/<name>", host="<tenant>.example.com", signed_url=True, name="tenant")(handler)
    return app, calls


class TestASignedURL:
    def test_is_answered_and_no_other(self, interface, colour):
        app, calls = make_app(colour)
        with Client(app, interface) as client:
            url = app.url_for("download", name="Übersicht 1.pdf", tag=["b", "a"], note="1 & 2")
            assert client.get(url).json == {"name": "Übersicht 1.pdf", "tag": ["b", "a"]}
            assert client.head(url).status == 200
            calls.clear()
            path, query = url.split("?")
            for changed in (
                path,
                f"{path}?",
                f"{url}&tag=c",
                f"{url}&signature=x",
                url.replace("signature=", "signature=A"),
                url[:-1],
                url.replace("tag=b&tag=a", "tag=a&tag=b"),
                url.replace("note=", "Note="),
                f"/download/other.pdf?{query}",
                f"/download/%FF?{query}",
                f"{path}/../x?{query}",
                f"{url}&expires=99999999999",
            ):
                response = client.get(changed)
                assert response.status in (400, 403, 404), changed
                assert ("signature" in response.text) is (response.status == 403)
            assert calls == []

    def test_may_have_its_query_in_another_order(self):
        app, _ = make_app()
        path, query = app.url_for("download", name="a", tag=["b", "a"], note="1", _expires=60).split("?")
        fields = query.split("&")
        fields.sort(key=lambda field: field[0], reverse=True)
        assert Client(app).get(f"{path}?{'&'.join(fields)}").status == 200

    @given(name=st.text(min_size=1).filter(lambda text: text not in (".", "..")), tags=st.lists(st.text(), max_size=3))
    def test_is_answered_whatever_its_parameters_are(self, name, tags):
        app, _ = ANY
        try:
            url = app.url_for("download", name=name, tag=tags)
        except ValueError:  # no URL at all can have that
            return
        assert Client(app).get(url).json["name"] == name

    def test_expires(self, monkeypatch):
        app, calls = make_app()
        client = Client(app)
        now = time.time()
        urls = [app.url_for("download", name="a", _expires=expires) for expires in (60, 60.5, timedelta(minutes=1))]
        monkeypatch.setattr(time, "time", lambda: now + 58)
        assert [client.get(url).status for url in urls] == [200, 200, 200]
        monkeypatch.setattr(time, "time", lambda: now + 63)
        calls.clear()
        assert [client.get(url).status for url in urls] == [410, 410, 410]
        later = re.sub("expires=[0-9]+", lambda found: f"expires={found[0][8:]}0", urls[0])
        without = re.sub("expires=[0-9]+&", "", urls[0])
        assert [client.get(url).status for url in (later, without)] == [403, 403]
        assert calls == []

    def test_is_for_one_host_where_the_route_is(self):
        app, _ = make_app()
        url = app.url_for("tenant", tenant="ann", name="a")
        path = url.removeprefix("//ann.example.com")
        client = Client(app)
        assert client.get(path, headers={"host": "Ann.Example.com:8080"}).status == 200
        assert client.get(path, headers={"host": "bob.example.com"}).status == 403

    def test_is_made_by_a_request_with_root_and_host(self, interface, app):
        inner, _ = make_app()
        app.mount("/shop", inner)

        @inner.get("/links")
        def links(request):
            return [
                request.url_for("download", name="a/b", _absolute=absolute, _expires=60) for absolute in (False, True)
            ]

        with Client(app, interface) as client:
            relative, absolute = client.get("/shop/links").json
            assert relative.startswith("/shop/download/a")
            target = URL(absolute).target
            if interface == "asgi":  # the others may hide how the slash was sent
                assert [client.get(url).status for url in (relative, target)] == [200, 200]

    def test_is_checked_before_a_large_body_is_received(self, interface):
        app, calls = make_app()
        with Client(app, interface) as client:
            assert client.post("/upload/a/b", body=b"x" * 100_000).status == 403
            assert client.post(app.url_for("upload", name="a/b"), body=b"x" * 100_000).status == 200
        assert calls == ["/upload/a/b"]

    def test_of_an_older_key_is_good(self):
        old, _ = make_app(keys=KEYS[1:])
        app, _ = make_app()
        client = Client(app)
        assert client.get(old.url_for("download", name="a")).status == 200
        other, _ = make_app(keys=["key of somebody else"])
        assert client.get(other.url_for("download", name="a")).status == 403


class TestASignedURLOfAMountedApp:
    def make(self, prefix="/ann", other="/bob", **options):
        inner, calls = make_app()

        @inner.get("/links")
        def links(request):
            return request.url_for("download", name="a")

        app = App(secret_keys=KEYS)
        app.mount(prefix, inner, **options)
        second, _ = make_app()
        app.mount(other, second, **options)
        return app, inner, calls

    def test_is_good_there_alone(self, interface):
        app, inner, _ = self.make()
        with Client(app, interface) as client:
            for link in (client.get("/ann/links").text, "/ann" + inner.url_for("download", name="a")):
                assert client.get(link).status == 200
                assert client.get(link.replace("/ann/", "/bob/")).status == 403
        assert Client(inner).get(link.removeprefix("/ann")).status == 403

    def test_is_good_for_one_value_of_a_parameter_of_the_prefix(self, interface):
        app, inner, _ = self.make("/of/<tenant>")
        with Client(app, interface) as client:
            link = client.get("/of/ann/links").text
            assert client.get(link).status == 200
            assert client.get(link.replace("/ann/", "/bob/")).status == 403
            said = inner.url_for("download", name="a", _mounted_at="/of/bob")
            assert client.get(f"/of/bob{said}").status == 200
        with pytest.raises(ValueError, match=r"url_for 'download' .*several places.*_mounted_at"):
            inner.url_for("download", name="a")
        assert inner.url_for("plain", name="a") == "/plain/a"

    def test_is_good_at_one_host_where_the_mount_has_one(self):
        app, _, _ = self.make("/shop", "/other", host="<tenant>.example.com")
        client = Client(app)
        ann, bob = ({"host": f"{name}.example.com"} for name in ("Ann", "bob"))
        link = client.get("/shop/links", headers=ann).text
        assert [client.get(link, headers=each).status for each in (ann, bob)] == [200, 403]

    def test_is_good_at_any_depth(self):
        app, inner, _ = self.make()
        outermost = App()
        outermost.mount("/x", app)
        client = Client(outermost)
        for link in (client.get("/x/ann/links").text, "/x/ann" + inner.url_for("download", name="a")):
            assert client.get(link).status == 200


class TestTheMethodOfASignedURL:
    def make(self, colour="def"):
        app = App(secret_keys=KEYS)

        def show(request: Request):
            return "shown"

        def change(request: Request):
            return "changed"

        app.get("/invoice", signed_url=True, name="invoice")(show)
        app.post("/invoice", signed_url=True, name="change")(change)
        app.route("/both", ["GET", "POST"], signed_url=True, name="both")(change)
        return app

    def test_is_get_unless_it_is_said(self, interface):
        app = self.make()
        with Client(app, interface) as client:
            for name in ("invoice", "both"):
                link = app.url_for(name)
                assert [client.request(method, link).status for method in ("GET", "HEAD", "POST")] == [200, 200, 403]
            link = app.url_for("both", _method="POST")
            assert [client.request(method, link).status for method in ("GET", "HEAD", "POST")] == [403, 403, 200]

    def test_is_the_only_one_of_the_route(self, interface):
        app = self.make()
        with Client(app, interface) as client:
            link = app.url_for("change")
            assert [client.request(method, link).status for method in ("GET", "POST")] == [403, 200]

    def test_is_for_signed_routes(self):
        with pytest.raises(ValueError, match=r"url_for 'plain' .*_method is for a route with signed_url=True"):
            ANY[0].url_for("plain", name="a", _method="POST")


ANY = make_app()


@rows("expires", [0, -1, float("nan"), float("inf"), timedelta(0), 10**12])
def test_an_expiry_is_above_0(expires):
    with pytest.raises(ValueError, match=r"url_for 'download' .*_expires"):
        ANY[0].url_for("download", name="a", _expires=expires)


@rows("expires", ["60", True, b"1"])
def test_an_expiry_is_a_number(expires):
    with pytest.raises(TypeError, match="_expires"):
        ANY[0].url_for("download", name="a", _expires=expires)


def test_an_expiry_is_for_signed_routes():
    with pytest.raises(ValueError, match=r"url_for 'plain' .*signed_url=True"):
        ANY[0].url_for("plain", name="a", _expires=60)


@rows("name", ["signature", "expires"])
def test_a_field_of_the_signature_cannot_be_another(name):
    with pytest.raises(ValueError, match=f"url_for 'download' .*{name}"):
        ANY[0].url_for("download", **{"name": "a", name: "x"})


def test_an_app_without_keys_is_an_error_that_names_the_handler():
    app, _ = make_app(keys=())
    with pytest.raises(RuntimeError, match=r"secret_keys"):
        app.url_for("download", name="a")
    with pytest.raises(RuntimeError, match=r"download.*test_signed_urls\.py.*secret_keys=.*token_urlsafe"):
        app._freeze()
