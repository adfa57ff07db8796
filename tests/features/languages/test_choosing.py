"""The language of a request: where it comes from, which header fields tell of it, and how it is set and remembered."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon import App, Request, Response
from antiphon.features import Languages
from antiphon.features.languages.request_language import direction, fallbacks, normalised
from antiphon.http import AcceptLanguage
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")

CATALOGUES = {"de": {"hi": "Hallo"}, "de_AT": {"hi": "Servus"}, "ar": {"hi": "مرحبا"}, "zh_Hant": {"hi": "你好"}}


@pytest.fixture
def languages(folder):
    return Languages(folder(**CATALOGUES), default="en")


@pytest.fixture
def site(style):
    """Make an app whose handler answers by a function."""

    def site(languages, answer=lambda request: request.language.tag):
        app = App()
        if languages is not None:
            app.use(languages)

        app.route("/", ("GET", "POST"))(in_style(style, answer))
        return app

    return site


LONG = ",".join(f"x{number}" for number in range(5000))


class TestTheLanguageIs:
    @rows(
        "path, cookie, accepted, found, vary",
        ("/?lang=de", "ar", "zh-Hant", "de", None),
        ("/?lang=de_at", None, None, "de-AT", None),
        ("/?lang=de-CH", None, None, "de", None),
        ("/?lang=AR-eg-x-private", None, None, "ar", None),
        ("/?lang=zh", None, None, "zh-Hant", None),
        ("/?lang=fr", "ar", "de", "ar", "cookie"),
        ("/?lang=", "ar", None, "ar", "cookie"),
        ("/?lang=../../etc/passwd", "ar", None, "ar", "cookie"),
        ("/?lang=%00", "%FF", "de", "de", "cookie, accept-language"),
        (f"/?lang={'d' * 5000}", None, None, "en", "cookie, accept-language"),
        ("/?other=de", "de-AT", "ar", "de-AT", "cookie"),
        ("/", None, "de-AT, de;q=0.9", "de-AT", "cookie, accept-language"),
        ("/", None, "de-CH, ar;q=0.9", "de", "cookie, accept-language"),
        ("/", None, "fr, ar;q=0.5, de;q=0.4", "ar", "cookie, accept-language"),
        ("/", None, "de;q=0, de-AT;q=0", "en", "cookie, accept-language"),
        ("/", None, "en;q=0, *", "ar", "cookie, accept-language"),
        ("/", None, "*", "en", "cookie, accept-language"),
        ("/", None, "fr", "en", "cookie, accept-language"),
        ("/", None, "de;q=nan, ;;;, ar;q=0.1", "ar", "cookie, accept-language"),
        ("/", None, LONG, "en", "cookie, accept-language"),
        ("/", "fr", None, "en", "cookie, accept-language"),
        ("/", None, None, "en", "cookie, accept-language"),
    )
    def test_that_of_the_query_the_cookie_the_header_or_the_default(
        self, site, languages, interface, path, cookie, accepted, found, vary
    ):
        client = Client(site(languages), interface, headers={"accept-language": accepted} if accepted else ())
        if cookie:
            client.cookies.set("lang", cookie)
        answer = client.get(path)
        assert answer.text == found
        assert answer.headers["content-language"] == found
        assert answer.headers.get("vary") == vary

    def test_found_under_other_names_or_not_at_all(self, site, folder, interface):
        renamed = Languages(folder(**CATALOGUES), default="de", query="hl", cookie="hl")
        client = Client(site(renamed), interface)
        assert [client.get(path).text for path in ("/?hl=ar", "/?lang=ar", "/")] == ["ar", "de", "de"]
        off = Languages(folder(**CATALOGUES), default="de", query=None, cookie=None)
        client = Client(site(off), interface, headers={"cookie": "lang=ar"})
        assert client.get("/?lang=ar").text == "de"
        assert client.get("/?lang=ar").headers["vary"] == "accept-language"

    def test_the_only_one_without_a_look_at_the_request(self, site, folder, interface):
        answer = Client(site(Languages(folder(), default="de-at")), interface).get("/?lang=ar")
        assert (answer.text, answer.headers.get("vary")) == ("de-AT", None)

    def test_none_in_an_app_without_the_feature(self, site, interface):
        client = Client(site(None), interface, raise_errors=True)
        with pytest.raises(RuntimeError, match=r'app\.use\(Languages\("locales", default="en"\)\)'):
            client.get("/")

    def test_that_of_a_query_that_is_too_long_to_be_read(self, site, languages, interface):
        app = site(languages)
        app.errorhandler(414)(lambda request, error: request.language.tag)

        @app.get("/read")
        def read(request: Request):
            return dict(request.args)

        answer = Client(app, interface).get(f"/read?lang=ar&{'a=b&' * 20_000}")
        assert (answer.status, answer.text) == (414, "en")


class TestAResponse:
    def test_says_nothing_of_a_language_that_nobody_read(self, site, languages, interface):
        headers = Client(site(languages, lambda request: "plain"), interface).get("/?lang=de").headers
        assert "content-language" not in headers
        assert "vary" not in headers

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (lambda: Response("text"), "de"),
            (lambda: Response.stream(iter(["text"])), "de"),
            (lambda: Response("text", headers={"content-language": "fr"}), "fr"),
            (lambda: Response(None, 204), None),
        ],
    )
    def test_has_the_language_of_its_content(self, site, languages, interface, answer, told):
        app = site(languages, lambda request: (request.language.tag, answer())[1])
        assert Client(app, interface).get("/?lang=de").headers.get("content-language") == told

    def test_that_is_given_again_keeps_nothing_of_a_request(self, site, languages, interface):
        shared = Response("text")
        client = Client(site(languages, lambda request: (request.language.tag, shared)[1]), interface)
        assert [client.get(f"/?lang={tag}").headers["content-language"] for tag in ("de", "ar")] == ["de", "ar"]
        assert "content-language" not in shared.headers

    def test_is_another_for_another_language_where_it_is_conditional(self, site, languages, interface):
        def answer(request):
            response = Response(request.language.gettext("hi"))
            response.etag = response.body.hex()
            return response.make_conditional(request)

        client = Client(site(languages, answer), interface)
        first = client.get("/", headers={"accept-language": "de"})
        tagged = {"if-none-match": first.headers["etag"]}
        again = client.get("/", headers={"accept-language": "de", **tagged})
        assert (again.status, again.headers["vary"]) == (304, "cookie, accept-language")
        assert client.get("/", headers={"accept-language": "ar", **tagged}).text == "مرحبا"


class TestALanguage:
    def test_is_set_for_one_request(self, site, languages, interface):
        def answer(request):
            request.language.tag = "de-CH"
            return f"{request.language.tag} {request.language.gettext('hi')}"

        reply = Client(site(languages, answer), interface).get("/?lang=ar")
        assert reply.text == "de Hallo"
        assert reply.headers["content-language"] == "de"
        assert "vary" not in reply.headers

    @pytest.mark.parametrize(
        ("tag", "error"),
        [("fr", "no language 'fr' here, only en, ar, de, de-AT, zh-Hant"), ("", "no language ''"), (None, "not None")],
    )
    def test_that_is_not_there_cannot_be_set(self, site, languages, interface, tag, error):
        def answer(request):
            with pytest.raises((TypeError, ValueError), match=error):
                request.language.tag = tag
            return request.language.tag

        assert Client(site(languages, answer), interface).get("/?lang=ar").text == "ar"

    @pytest.mark.parametrize(("scheme", "secure"), [("http", ""), ("https", "; Secure")])
    def test_is_remembered_by_a_cookie(self, site, languages, interface, scheme, secure):
        def answer(request):
            if request.method == "POST":
                request.language.tag = request.form["lang"]
                request.language.remember()
            return request.language.tag

        with Client(site(languages, answer), interface, base_url=f"{scheme}://shop.example.com") as client:
            set_cookie = client.post("/", form={"lang": "ar"}).headers["set-cookie"]
            assert set_cookie == f"lang=ar; Max-Age=31536000{secure}; HttpOnly; Path=/; SameSite=Lax"
            assert client.get("/").text == "ar"

    def test_is_not_remembered_without_a_cookie_to_do_so(self, site, folder, interface):
        app = site(Languages(folder(**CATALOGUES), cookie=None), lambda request: request.language.remember())
        with pytest.raises(RuntimeError, match=r"Languages\(\.\.\., cookie='lang'\)"):
            Client(app, interface, raise_errors=True).get("/")


class TestLanguages:
    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"default": "English!"}, "'English!' is not a language tag, such as 'de' or 'de-AT'"),
            ({"cookie": "a b"}, "a b"),
        ],
    )
    def test_refuse_settings_that_are_wrong(self, folder, arguments, error):
        with pytest.raises(ValueError, match=error):
            Languages(folder(), **arguments)

    def test_need_a_folder_that_is_there(self, tmp_path):
        with pytest.raises(ValueError, match="there is no folder"):
            Languages(tmp_path / "nowhere")
        with pytest.raises(TypeError, match=r'Languages\("locales", default="en"\)'):
            Languages()

    def test_have_the_texts_of_each_for_code_without_a_request(self, languages):
        assert languages.tags == ("en", "ar", "de", "de-AT", "zh-Hant")
        assert languages.texts("de-AT").gettext("hi") == "Servus"
        with pytest.raises(ValueError, match="no language 'fr' here"):
            languages.texts("fr")


class TestATag:
    @rows(
        "written, tag",
            ("DE", "de"), ("de_at", "de-AT"), ("zh_HANT_tw", "zh-Hant-TW"), ("es-419", "es-419"),
            ("sl-ROZAJ-biske", "sl-rozaj-biske"), ("en-u-CA-gregory", "en-u-ca-gregory"), ("de-1996", "de-1996"),
    )  # fmt: skip
    def test_is_written_as_rfc_5646_does(self, written, tag):
        assert normalised(written) == tag

    @rows("written", ["", "d", "1234", "de--AT", "de-", "-de", "README", "de.AT", "schema-of-json!"])
    def test_is_none_of_these(self, written):
        with pytest.raises(ValueError, match="is not a language tag"):
            normalised(written)

    def test_falls_back(self):
        assert fallbacks("zh-Hant-TW") == ["zh-Hant-TW", "zh-Hant", "zh"]
        assert fallbacks("en-u-ca-gregory") == ["en-u-ca-gregory", "en-u-ca", "en"]

    @rows(
        "tag, dir",
            ("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("fa-AF", "rtl"), ("ur", "rtl"), ("yi", "rtl"),
            ("dv", "rtl"), ("ckb-IQ", "rtl"), ("pa-Arab", "rtl"), ("pa-PK", "rtl"), ("az-Arab-IR", "rtl"),
            ("pa", "ltr"), ("ar-Latn", "ltr"), ("ur-Latn-PK", "ltr"), ("en", "ltr"), ("zh-Hant", "ltr"), ("de", "ltr"),
            ("ku", "ltr"), ("ks-Deva", "ltr"), ("en-Hebr", "rtl"),
    )  # fmt: skip
    def test_has_the_direction_of_its_script(self, tag, dir):
        assert direction(tag) == dir


SUBTAGS = st.sampled_from(["de", "DE", "at", "AT", "en", "ar", "zh", "Hant", "x", "419", "fr"])
RANGES = st.lists(SUBTAGS, min_size=1, max_size=3).map("-".join)
QUALITIES = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1", ";q=x", "; q = 0.3"])
HEADERS = st.lists(st.tuples(RANGES | st.just("*"), QUALITIES).map("".join), max_size=5).map(", ".join) | st.text()


class TestEveryHeader:
    @given(header=HEADERS)
    @example(header="de;q=0, *;q=0.1")
    def test_gives_a_language_that_is_there_and_is_not_refused(self, tmp_path_factory, header):
        languages = known(tmp_path_factory)
        accepted = AcceptLanguage.parse(header)
        found = accepted.best(languages.tags, languages.default)
        assert found in languages.tags
        wanted = {name.lower() for name, quality in accepted.items() if quality > 0}
        refused = {name.lower() for name, quality in accepted.items() if quality == 0} - wanted
        if found != languages.default:
            assert found.lower() not in refused
            assert "*" in wanted or any(is_beside(found.lower(), name) for name in wanted)

    @given(given=HEADERS)
    def test_or_other_text_matches_one_that_is_there_or_none(self, tmp_path_factory, given):
        languages = known(tmp_path_factory)
        assert languages.match(given) in (*languages.tags, None)


def is_beside(tag, language_range):
    return f"{tag}-".startswith(f"{language_range}-") or f"{language_range}-".startswith(f"{tag}-")


_known = []


def known(tmp_path_factory):
    if not _known:
        folder = tmp_path_factory.mktemp("locales")
        for name in CATALOGUES:
            (folder / f"{name}.json").write_text("{}")
        _known.append(Languages(folder))
    return _known[0]
