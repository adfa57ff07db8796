"""Flash messages: shown once, in order, in this response or the next, and none of them lost."""

import time

import markupsafe
import pytest
from jinja2 import DictLoader, Environment

from antiphon import App, Request, Response
from antiphon.features import Flash, FlashMessage, Page, Sessions, Templates
from antiphon.testing import Client
from tests.helpers.handlers import in_style

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]

HTTPS = "https://shop.example.com"


class Markup(str):
    """Text as MarkupSafe has it."""

    __slots__ = ()

    def __html__(self):
        return self


class Image:
    """An object that is no text, and has HTML."""

    def __html__(self):
        return "<img>"


@pytest.fixture
def clock():
    return time.time


@pytest.fixture
def site(store, style):
    """Make an app whose handler does what a test asks for."""

    def site(do, *features):
        app = App()
        app.use(Sessions(store))
        for feature in features or [Flash()]:
            app.use(feature)

        def answers(request):
            return do[0](request)

        app.route("/", ("GET", "POST"))(in_style(style, answers))
        return app

    return site


@pytest.fixture
def visit(site, interface):
    """Have the visitor's request do something, and return the response."""
    do = [None]
    with Client(site(do), interface, base_url=HTTPS) as client:

        def visit(function, method="GET"):
            do[0] = function
            return client.request(method, "/")

        yield visit


def flashing(*messages):
    def flash(request):
        for message in messages:
            request.flash(*message)
        return "done"

    return flash


def taken(visit, *categories, method="GET"):
    found = []
    visit(lambda request: found.extend(request.flash.take(*categories)) or "taken", method)
    return found


class TestAMessage:
    def test_is_shown_by_the_next_page_once_and_in_order(self, visit):
        messages = [("one", "info"), ("two", "error"), ("three",), ("fünf ☃ <4>", "any thing")]
        visit(flashing(*messages[:2]))
        visit(flashing(*messages[2:]))
        assert taken(visit) == [
            ("info", "one"), ("error", "two"), ("message", "three"), ("any thing", "fünf ☃ <4>")
        ]  # fmt: skip
        assert taken(visit) == []

    def test_of_other_categories_waits(self, visit):
        visit(flashing(("a", "x"), ("b", "y"), ("c", "z"), ("d", "x")))
        assert taken(visit, "x", "y") == [("x", "a"), ("y", "b"), ("x", "d")]
        assert taken(visit) == [("z", "c")]

    @pytest.mark.parametrize(
        ("given", "text", "is_markup"),
        [(Markup("<b>x</b>"), "<b>x</b>", True), (Image(), "<img>", True), ("<b>x</b>", "<b>x</b>", False)],
    )
    def test_is_markup_if_it_was(self, visit, given, text, is_markup):
        here = []
        visit(lambda request: request.flash(given) or here.extend(request.flash.take()) or "x")
        visit(flashing((given,)))
        for [message] in (here, taken(visit)):
            assert (message.message, hasattr(message.message, "__html__")) == (text, is_markup)
            assert not is_markup or message.message.__html__() == text

    def test_is_not_lost_to_a_head_request_whose_page_nobody_sees(self, visit):
        visit(flashing(("x",)))
        assert taken(visit, method="HEAD") == taken(visit) == [("message", "x")]

    def test_comes_with_the_session_through_a_login(self, visit):
        visit(lambda request: (flashing(("before",))(request) and request.session.rotate("ann")) or "in")
        assert taken(visit) == [("message", "before")]

    @pytest.mark.parametrize(
        ("given", "named"), [((None,), "None"), ((b"x",), "b'x'"), (("x", 1), "category"), ((7,), "7")]
    )
    def test_is_text(self, visit, given, named):
        errors = []

        def wrong(request):
            with pytest.raises(TypeError, match=named) as raised:
                request.flash(*given)
            errors.append(raised)
            return "x"

        visit(wrong)
        assert errors


class TestManyMessages:
    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    @pytest.mark.parametrize("style", ["def"], indirect=True)
    def test_that_are_queued_at_once_are_all_shown(self, site, interface):
        """Each of ten requests has read the session before any of them writes: the next begins in the midst of it."""
        do, numbers = [None], iter(range(10))
        app = site(do)
        client = Client(app, interface, base_url=HTTPS)
        do[0] = flashing(("first",))
        cookie = client.get("/").headers["set-cookie"].partition(";")[0]

        def flash(request):
            number = next(numbers, None)
            if number is None:
                return "done"
            request.session.get("x")
            with Client(app, interface, base_url=HTTPS) as other:
                assert other.get("/", headers={"cookie": cookie}).status == 200
            return flashing((f"n{number}",))(request)

        do[0] = flash
        assert client.get("/").status == 200
        found = []
        do[0] = lambda request: found.extend(request.flash.take()) or "x"
        client.get("/")
        client.close()
        assert sorted(message.message for message in found) == ["first", *(f"n{number}" for number in range(10))]

    def test_that_nobody_looks_at_are_bounded_the_newest_are_kept(self, visit, kind):
        for _ in range(3):
            visit(flashing(*[(str(number),) for number in range(20)]))
        found = [message.message for message in taken(visit)]
        assert len(found) == (33 if kind == "cookie" else 50)
        assert found == ([*map(str, range(20))] * 3)[-len(found) :]

    @pytest.mark.parametrize("kind", ["memory", "cookie"], indirect=True)
    @pytest.mark.parametrize(("text", "room"), [("x" * 100, 10), ("ü" * 100, 6)])
    def test_are_as_many_as_a_cookie_has_room_for(self, visit, kind, text, room):
        def flash(request):
            request.session["other"] = "o" * 1000
            return flashing(*[(text, "info")] * 60)(request)

        assert visit(flash).status == 200
        assert len(taken(visit)) == (room if kind == "cookie" else 50)

    @pytest.mark.parametrize("kind", ["memory", "cookie"], indirect=True)
    def test_may_be_one_that_a_cookie_has_no_room_for(self, visit, kind):
        def flash(request):
            try:
                request.flash("x" * 2000)
            except ValueError as error:
                return str(error)
            return "kept"

        assert ("SQLiteStore" in visit(flash).text) is (kind == "cookie")


class TestTheResponse:
    def test_of_a_visitor_without_messages_gets_no_cookie(self, visit):
        assert "set-cookie" not in visit(lambda request: str(request.flash.take())).headers
        visit(lambda request: request.session.update(a=1) or "x")
        assert "set-cookie" not in visit(lambda request: str(request.flash.take())).headers

    def test_without_a_word_of_messages_has_no_trace(self, visit):
        visit(flashing(("x",)))
        assert not {"set-cookie", "vary", "cache-control"} & {*visit(lambda request: "x").headers}
        assert taken(visit) == [("message", "x")]

    @pytest.mark.parametrize("use", [flashing(("x",)), lambda request: request.flash.take()])
    @pytest.mark.parametrize("is_pending", [True, False])
    def test_that_is_a_stream_says_what_to_do_before_it(self, visit, use, is_pending):
        errors = []
        if is_pending:
            visit(flashing(("x",)))

        def answer(request):
            def chunks():
                try:
                    use(request)
                except RuntimeError as error:
                    errors.append(str(error))
                yield "x"

            return Response.stream(chunks())

        assert visit(answer).text == "x"
        assert "before the stream, with messages = request.flash.take()" in errors[0]


def test_templates_call_a_function_for_them(visit):
    visit(flashing(("x", "info")))

    def page(request):
        function = request.shared("get_flashed_messages")
        return "".join(f"{message.category}: {message.message}" for message in function())

    assert [visit(page).text, visit(page).text] == ["info: x", ""]


def test_without_the_features_that_they_need_the_error_names_the_line_to_add():
    with pytest.raises(RuntimeError, match=r"app\.use\(Flash\(\)\)"):
        Request.blank("/").flash("x")
    with pytest.raises(RuntimeError, match=r"app\.use\(Sessions\(store\)\), before"):
        App().use(Flash())


SOURCE = """{% macro shown() %}{% for each in get_flashed_messages() -%}
<p class={{ each.category }}>{{ each.message }}</p>{%- endfor %}{% endmacro -%}
<nav>{% block notes %}{{ shown() }}{% endblock %}</nav>{% block other %}other{% endblock %}"""


@pytest.fixture
def templated(store, interface, style):
    """Make an app whose page shows the messages that a POST has queued, and let a visitor come."""
    app = App()
    app.use(Sessions(store))
    app.use(Flash())
    app.use(Templates(DictLoader({"page.html": SOURCE})))

    def page(request):
        if request.method == "POST":
            request.flash("<text>", "info")
            request.flash(Markup("<b>markup</b>"), "a&b")
        return Response.redirect("/") if "away" in request.args else Page("page.html", _block=["notes", "other"])

    app.route("/", ("GET", "POST"))(in_style(style, page))
    with Client(app, interface, base_url=HTTPS) as client:
        yield client


SHOWN = "<p class=info>&lt;text&gt;</p><p class=a&amp;b><b>markup</b></p>"


@pytest.mark.parametrize("url", ["/", "/?away=1"], ids=["in this response", "after a redirect"])
def test_a_template_shows_them_once(templated, url):
    assert templated.post(url).text == f"<nav>{SHOWN}</nav>other"
    assert templated.get("/").text == "<nav></nav>other"


@pytest.mark.parametrize("url", ["/", "/?away=1"], ids=["in this response", "after a redirect"])
def test_a_block_that_a_script_asks_for_shows_them_once_and_another_block_keeps_them(templated, url):
    assert templated.post(url, headers={"x-block": "notes"}).text == SHOWN
    assert templated.get("/", headers={"x-block": "notes"}).text == ""
    assert templated.post(url, headers={"x-block": "other"}).text == "other"
    assert templated.get("/").text == f"<nav>{SHOWN}</nav>other"


def test_a_message_is_its_text_wherever_it_is_shown():
    text, markup = FlashMessage("error", "<b> & co"), FlashMessage("note", markupsafe.Markup("<b>Hi</b>"))
    assert (str(text), f"{text}", text.__html__()) == ("<b> & co", "<b> & co", "&lt;b&gt; &amp; co")
    assert (str(markup), markup.__html__()) == ("<b>Hi</b>", "<b>Hi</b>")
    shown = Environment(autoescape=True).from_string("{% for message in messages %}{{ message }};{% endfor %}")
    assert shown.render(messages=[text, markup]) == "&lt;b&gt; &amp; co;<b>Hi</b>;"
    assert tuple(text) == ("error", "<b> & co")
