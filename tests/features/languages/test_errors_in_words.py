"""Errors in the reader's language: problems, pages, faults of fields, events and WebSockets, with the right Vary."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated

import pytest
from msgspec import Meta

from antiphon import App, HTTPError, Request, Response, WebSocket, WebSocketClosed, abort
from antiphon.features import Form, Languages
from antiphon.http import FieldError
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")


@dataclass
class Order:
    name: Annotated[str, Meta(min_length=3)]
    count: Annotated[int, Meta(ge=1)]
    gift: bool | None = None


@pytest.fixture
def app(folder, style):
    app = App()
    app.use(
        Languages(
            folder(
                ar={},
                de={"Conflict": "Kollidiert", "Sold out: {what}": "Ausverkauft", "Sold out.": "Ausverkauft."},
                ja={},
                nl={},
            )
        )
    )

    def raises(error):
        def handler(request: Request):
            raise error()

        return in_style(style, handler)

    app.get("/sold")(raises(lambda: HTTPError(409, "Sold out.")))
    app.get("/own")(raises(lambda: HTTPError(409, "Nobody translated this.", title="A title")))
    app.get("/boom")(raises(lambda: RuntimeError("secret")))
    app.get("/field")(raises(lambda: FieldError("/name", "Sold out.", code="sold")))
    app.post("/orders")(lambda request: request.json_as(Order))

    @app.post("/rows")
    def import_rows(request: Request):
        found = request.values_as(Order, on_fault="collect")
        done = len([*found])
        if found.error:
            raise found.error
        return {"done": done}

    @app.route("/form", ["GET", "POST"])
    def form(request: Request):
        form = Form(Order, request)
        form.validate()
        return form

    @app.get("/events")
    def events(request: Request):
        request.language.tag  # noqa: B018 - so that the header fields tell of it

        def values():
            yield 1
            abort(403)

        return Response.events(values())

    @app.websocket("/talk")
    async def talk(request: Request, socket: WebSocket):
        await socket.receive_as(int)
        abort(403, "Log in first.")

    @app.errorhandler(418)
    def tea(request: Request, error: HTTPError):
        return {**error.problem(), "pot": True}

    app.get("/tea")(raises(lambda: HTTPError(418)))
    return app


@pytest.fixture
def client(app, interface):
    return Client(app, interface)


class TestAProblem:
    @rows(
        "language, title, detail",
        ("en", "Not Found", "There is nothing at /none."), ("de", "Nicht gefunden", "Unter /none gibt es nichts."),
        ("ja", "見つかりません", "/none には何もありません。"),
        ("ar", "غير موجود", "لا يوجد شيء في \u2068/none\u2069."), ("nl", "Not Found", "There is nothing at /none."),
    )  # fmt: skip
    def test_is_in_the_language_of_the_request(self, client, language, title, detail):
        response = client.get("/none", headers={"accept-language": language})
        assert (response.json["title"], response.json["detail"]) == (title, detail)
        assert response.headers["content-language"] == language
        assert response.headers["vary"] == "accept, cookie, accept-language"
        assert response.headers["cache-control"] == "no-store"

    @rows(
        "method, path, sent, detail",
        ("PUT", "/orders", {}, "PUT ist unter /orders nicht erlaubt; erlaubt: OPTIONS, POST"),
        ("GET", "/a%00b", {}, None),
        ("POST", "/orders", {"body": b"{"}, "Der Inhalt muss diesen Typ haben: application/json, aber sein Typ"),
        ("GET", "/boom", {}, "Der Server konnte die Anfrage nicht verarbeiten; der Fehler wurde protokolliert."),
        ("GET", "/sold", {}, "Ausverkauft."),
        ("GET", "/own", {}, "Nobody translated this."),
        ("GET", "/tea", {}, None),
    )
    def test_is_translated_wherever_it_is_raised(self, client, method, path, sent, detail):
        with Client(client.app, client.interface, raise_errors=False) as client:
            response = client.request(method, path, headers={"accept-language": "de"}, **sent)
        assert response.json.get("detail", "").startswith(detail or "")
        assert response.json["title"] in {
            "Methode nicht erlaubt", "Ungültige Anfrage", "Nicht unterstützter Medientyp", "Interner Serverfehler",
            "Kollidiert", "A title", "Ich bin eine Teekanne",
        }  # fmt: skip
        assert response.headers["content-language"] == "de"
        assert "accept-language" in response.headers["vary"]

    def test_tells_no_language_if_the_app_has_none(self, interface):
        response = Client(App(), interface).get("/none", headers={"accept-language": "de"})
        assert response.json["detail"] == "There is nothing at /none."
        assert "content-language" not in response.headers
        assert response.headers["vary"] == "accept"

    def test_does_not_vary_by_what_a_query_decides(self, client):
        assert client.get("/none?lang=de").headers["vary"] == "accept"

    def test_is_in_english_if_it_cannot_be_translated(self, app, interface, caplog):
        class OddError(HTTPError):
            def __copy__(self):
                raise TypeError("odd")

        @app.get("/odd")
        def odd(request: Request):
            raise OddError(409, "Sold out.")

        assert Client(app, interface).get("/odd?lang=de").json["detail"] == "Sold out."
        assert "an error could not be translated" in caplog.text

    def test_keeps_the_error_that_was_raised_in_english(self, app, interface):
        seen = []
        app.errorhandler(409)(lambda request, error: seen.append(error.detail) or error.problem())
        assert Client(app, interface).get("/sold?lang=de").json["detail"] == "Ausverkauft."
        assert seen == ["Sold out."]


class TestAPage:
    def test_says_its_language_and_direction(self, client):
        page = client.get("/none?lang=ar", headers={"accept": "text/html"}).text
        assert page.startswith('<!doctype html>\n<html lang="ar" dir="rtl">\n')
        assert "<h1>غير موجود</h1>" in page
        assert "الطلب" in page

    def test_escapes_what_the_client_sent(self, client):
        page = client.get("/<b>{id}?lang=de", headers={"accept": "text/html"}).text
        assert "Unter /&lt;b&gt;{id} gibt es nichts." in page
        assert '<html lang="de" dir="ltr">' in page


class TestTheFaultsOfFields:
    @rows(
        "language, details",
        ("en", ["expected a string of at least 3 characters", "expected an integer, got a string", "is missing"]),
        ("de", ["erwartet: Text, mindestens 3 Zeichen", "erwartet: eine ganze Zahl, erhalten: Text", "fehlt"]),
        ("ja", ["文字列\uff083文字以上\uff09が必要です", "整数が必要ですが、文字列を受け取りました", "ありません"]),
        ("ar", ["القيمة المتوقعة: نص، بما لا يقل عن 3 محارف", None, "غير موجود"]),
    )
    def test_have_the_same_pointers_codes_and_lines_in_each_language(self, client, language, details):
        lines = b'{"name": "ab", "count": 1}\n{"name": "abc", "count": "x"}\n\n{"name": "abc"}\n'
        headers = {"accept-language": language, "content-type": "application/x-ndjson"}
        response = client.post("/rows", body=lines, headers=headers)
        faults = response.json["errors"]
        assert [(each["line"], each["pointer"], each["code"]) for each in faults] == [
            (1, "/name", "too_short"), (2, "/count", "not_an_integer"), (4, "/count", "missing"),
        ]  # fmt: skip
        for fault, detail in zip(faults, details, strict=True):
            assert detail is None or fault["detail"] == detail
        assert response.headers["content-language"] == language

    def test_are_translated_in_the_apps_own_words_too(self, client):
        problem = client.get("/field?lang=de").json
        assert problem["errors"] == [{"pointer": "/name", "detail": "Ausverkauft.", "code": "sold"}]
        assert problem["detail"] == "1 Feld ist fehlerhaft"

    def test_are_in_the_language_in_forms_with_their_labels(self, client):
        page = client.post("/form?lang=de", form={"name": "ab", "count": "0"}).text
        for part in ("Dies ist zu kurz: mindestens 3 Zeichen.", "Dies muss mindestens 1 sein.", ">Ja<", ">Absenden<"):
            assert part in page


class TestWhatFollowsTheHead:
    def test_is_in_the_language_in_events(self, app, interface):
        response = Client(app, interface, raise_errors=False).get("/events", headers={"accept-language": "de"})
        assert '"title":"Zugriff verweigert"' in response.text
        assert response.headers["content-language"] == "de"

    def test_is_in_the_language_on_websockets(self, app, interface):
        over = "asgi" if interface == "wsgi" else interface  # a test client can't take a WSGI server's socket
        with Client(app, over).websocket("/talk", headers={"accept-language": "de"}) as socket:
            socket.send("x")
            assert socket.receive_as(dict)["title"] == "Ungültige Anfrage"
            socket.send("1")
            with pytest.raises(WebSocketClosed, match="Bitte melden Sie sich zuerst an"):
                socket.receive()


@pytest.mark.processes
def test_an_app_without_languages_loads_none_of_the_words():
    program = """if True:
        import sys
        from antiphon import App
        from antiphon.testing import Client
        assert Client(App()).get("/none", headers={"accept-language": "de"}).status == 404
        assert not [name for name in sys.modules if name.startswith("antiphon.features.languages")]
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
