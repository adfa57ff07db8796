"""Templates: pages that handlers return, what a template knows, and where it is found."""

import asyncio
import os
import re

import pytest
from jinja2 import DictLoader, FunctionLoader, TemplateNotFound, UndefinedError

from antiphon import App, Blueprint, Request, Response, abort
from antiphon.features import Block, Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")
HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (lambda _: Page("note.html", text="a < b"), 200, "<p>a &lt; b</p>"),
        (lambda _: Page("note.html", 404, text="?"), 404, "<p>?</p>"),
        (lambda _: Page("note.html", _status=201, _headers={"x-a": "1"}, text="!"), 201, "<p>!</p>"),
        (lambda _: (Page("note.html", text="!"), 422), 422, "<p>!</p>"),
        (lambda _: (Page("note.html", text="!"), {"x-a": "1"}), 200, "<p>!</p>"),
        (lambda _: ((Page("note.html", text="!"), 400), 409, {"x-a": "1"}), 409, "<p>!</p>"),
        (lambda _: Page("note.html", _stream=True, text="!"), 200, "<p>!</p>"),
        (lambda _: Response.template("note.html", text="a < b"), 200, "<p>a &lt; b</p>"),
        (lambda _: Response.template("note.html", 404, {"x-a": "1"}, text="?"), 404, "<p>?</p>"),
    ],
)
@pytest.mark.parametrize("enable_async", [False, True])
def test_a_template_is_a_page_of_html(site, enable_async, answer, status, text):
    site.write(note="<p>{{ text }}</p>").use(enable_async=enable_async).page(answer)
    page = site.get()
    assert (page.status, page.content_type, page.text) == (status, HTML, text)


@pytest.mark.parametrize(
    ("name", "content_type", "text"),
    [
        ("mail.txt", "text/plain; charset=utf-8", "a < b"),
        ("mail.txt.j2", "text/plain; charset=utf-8", "a < b"),
        ("rows.csv", "text/csv; charset=utf-8", "a < b"),
        ("map.xml", "text/xml; charset=utf-8", "a &lt; b"),
        ("icon.svg", "image/svg+xml", "a &lt; b"),
        ("page.html.jinja", HTML, "a &lt; b"),
        ("page", HTML, "a &lt; b"),
    ],
)
def test_the_name_tells_the_type_and_whether_values_are_escaped(site, name, content_type, text):
    (site.folder / name).write_text("{{ text }}")
    page = site.use().page(lambda _: Page(name, text="a < b")).get()
    assert (page.content_type, page.text) == (content_type, text)


def test_a_template_knows_the_request_links_and_what_is_shared(site):
    site.write(
        page="{{ request.path }} {{ url_for('other', q=1) }} {{ site_name }} {{ visits }}{{ visits }}"
        " {{ hello('you') }}"
    ).use()
    counted = []
    site.app.template_context(
        site_name="Shop", visits=lambda request: counted.append(request.path) or len(counted),
        unused=lambda request: counted.append("unused"), hello=lambda request: lambda name: f"Hello, {name}",
    )  # fmt: skip
    site.page(lambda _: Page("page.html")).page(lambda _: "other", "/other", name="other")
    assert site.get().text == "/ /other?q=1 Shop 11 Hello, you"
    assert counted == ["/"]


@pytest.mark.parametrize("enable_async", [False, True])
def test_files_that_are_included_extended_and_imported_know_it_too(site, enable_async):
    site.write(
        base="{% block body %}{% endblock %}|{{ name }}|{% include 'foot.html' %}",
        foot="{{ name }}{{ request.path }}",
        macros="{% set path = request.path %}{% macro link(text) %}<a href={{ url_for('page', name='z') }}{{ path }}>"
        "{{ text }}{{ name }}</a>{% endmacro %}",
        page="{% extends 'base.html' %}{% block body %}"
        "{% import 'macros.html' as macros %}{{ macros.link('x') }}{% endblock %}",
    ).use(enable_async=enable_async)
    site.app.template_context(name="n")
    client = site.page(lambda _: Page("page.html"), "/<name>", name="page").client()
    assert client.get("/one").text == "<a href=/z/one>xn</a>|n|n/one"
    assert (
        "<a href=/z/two>xn</a>" in client.get("/two").text
    )  # no module of an imported file is kept for another request


def test_data_hides_what_is_shared_which_hides_globals(site):
    site.write(page="{{ name }} {{ lipsum }} {{ range(2) | list }}").use()
    site.page(lambda _: Page("page.html", name="own"))
    site.app.template_context(name="shared", lipsum="shared")
    assert site.get().text == "own shared [0, 1]"


@pytest.mark.parametrize("row", [{"name": "a", "items": 3}, type("Row", (), {"name": "a", "items": lambda self: 1})()])
def test_a_dot_reads_an_attribute_or_an_item(site, row):
    site.write(page="{{ row.name }} {{ row.items is callable }} {{ row.gone is defined }}")
    assert site.use().page(lambda _: Page("page.html", row=row)).get().text == "a True False"


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (lambda _: Page("page.html"), UndefinedError, "'nmae' is undefined"),
        (lambda _: Page("page.html", _stream=True), UndefinedError, "'nmae' is undefined"),
        (lambda _: Page("gone.html"), TemplateNotFound, "gone.html"),
        (lambda _: Page("page.html", request=1), TypeError, "a different name"),
        (lambda _: Page("page.html", _status="done"), ValueError, "200 to 599"),
    ],
)
@pytest.mark.parametrize("enable_async", [False, True])
def test_a_mistake_is_an_error_that_names_the_handler(site, enable_async, answer, error, text):
    site.write(page="<p>\n{% if nmae %}!{% endif %}").use(enable_async=enable_async).page(answer)
    assert site.get().status == 500
    with pytest.raises(error, match=text) as raised:
        site.client(raise_errors=True).get("/")
    if error is not ValueError:
        assert re.search(r"_?t\w+\.py:\d+\) returned Page\('\w+.html'", raised.value.__notes__[-1])
    if error is UndefinedError:
        frame = raised.traceback[-1]
        assert (frame.path, frame.lineno + 1) == (site.folder / "page.html", 2)


OURS = ("status", "headers", "block", "also", "json", "stream", "template")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _, data: Page("page.html", **data),
        lambda _, data: Block("page.html", "all", **data),
        lambda _, data: Response.template("page.html", **data),
        lambda request, data: request.templates.render("page.html", **data),
    ],
)
def test_data_have_any_names_but_those_with_an_underscore_in_front(site, answer):
    written = " ".join(f"{{{{ {name} }}}}" for name in OURS)
    site.write(page=f"{{% block all %}}{written}{{% endblock %}}").use()
    site.page(lambda request: answer(request, {name: f"my {name}" for name in OURS}))
    site.page(lambda request: answer(request, {"_paid": 1}), "/paid")
    assert (site.get().status, site.get().text) == (200, " ".join(f"my {name}" for name in OURS))
    with pytest.raises(
        TypeError,
        match=r"(Page|Block|Response.template|RequestTemplates.render) has no option '_paid'. It has .*_\w+. Names in",
    ):
        site.client(raise_errors=True).get("/paid")


@rows(
    "made, message",
    (lambda: Page("note.html", _stauts=404), "Page has no option '_stauts': did you mean '_status'?"),
    (lambda: Block("note.html", "row", _also="x"), "Block has no option '_also'"),
    (
        lambda: Page(Request.blank(), "note.html"),
        r"Page takes the name of a template first, not Request: Page\(template, name=value\)",
    ),
    (lambda: Block(Request.blank(), "note.html"), "Block takes the name of a template first, not Request"),
    (lambda: Response.template(Request.blank(), "note.html"), r"Response\.template takes the name of a template"),
    (lambda: Page("note.html", {"text": "!"}), r"Page takes data by name, not as a dict: Page\(template, name=value"),
    (lambda: Block("note.html", "row", {"text": "!"}), "Block takes data by name"),
    (lambda: Response.template("note.html", {"text": "!"}), r"Response\.template takes data by name"),
    (
        lambda: Response.template("note.html", _stream=True),
        r"Response\.template has no option '_stream'.*_status, _headers",
    ),
)
def test_options_that_there_are_not_are_errors_where_the_page_is_made(made, message):
    with pytest.raises(TypeError, match=message) as raised:
        made()
    assert raised.value.__notes__ == ["To read more: antiphon explain bad-template-option"]


def test_what_a_template_calls_may_abort(site):
    site.write(page="{{ find() }}").use().page(lambda _: Page("page.html", find=lambda: abort(404)))
    assert site.get().status == 404


def test_without_the_feature_the_error_names_the_line_to_add(site):
    site.page(lambda _: Page("page.html")).page(lambda _: Response.template("page.html"), "/other")
    for path in ("/", "/other"):
        with pytest.raises(RuntimeError, match=r'app\.use\(Templates\("templates"\)\)'):
            site.client(raise_errors=True).get(path)


def test_hooks_middleware_and_error_handlers_answer_with_pages(site):
    site.write(page="{{ text }}").use(enable_async=True)

    @site.app.middleware
    def around(request):
        yield
        if "x-around" in request.headers:
            return Page("page.html", text="around")

    @site.app.before_request
    def before(request):
        return Page("page.html", text="before") if "x-before" in request.headers else None

    @site.app.after_request
    async def after(request, response):
        return Page("page.html", text="after") if "x-after" in request.headers else None

    @site.app.errorhandler(404)
    def missing(request, error):
        return Page("page.html", text="missing")

    site.page(lambda _: abort(404))
    told = [site.get(headers={f"x-{name}": "1"} if name else {}) for name in ("", "before", "after", "around")]
    assert [page.text for page in told] == ["missing", "before", "after", "around"]
    assert told[0].status == 404


class TestFolders:
    def test_several_are_searched_in_their_order_and_a_loader_is_one(self, tmp_path):
        for name, text in [("a/page.html", "a"), ("b/page.html", "b"), ("b/other.html", "b")]:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        app = App()
        app.use(Templates(tmp_path / "a", tmp_path / "b", DictLoader({"third.html": "c", "page.html": "c"})))
        app.get("/<name>")(lambda request, name: Page(name))
        client = Client(app)
        assert [client.get(f"/{name}.html").text for name in ("page", "other", "third")] == ["a", "b", "c"]

    def test_a_relative_one_is_beside_the_file_of_the_code(self, tmp_path, monkeypatch):
        (tmp_path / "shop" / "templates").mkdir(parents=True)
        (tmp_path / "shop" / "templates" / "page.html").write_text("found")
        module = tmp_path / "shop" / "views.py"
        code = "from antiphon.features import Templates\ntemplates = Templates('templates')\n"
        monkeypatch.chdir(tmp_path)
        names = {"__file__": str(module)}
        exec(compile(code, module, "exec"), names)
        assert names["templates"].environment.get_template("page.html").render() == "found"

    @rows(
        "folders, error, text", [(["gone"], ValueError, "there is no folder .*gone"), ([], TypeError, "needs a folder")]
    )
    def test_a_folder_has_to_be_there(self, folders, error, text):
        with pytest.raises(error, match=text):
            Templates(*folders)


@pytest.mark.parametrize("enable_async", [False, True])
def test_a_blueprint_has_templates_filters_and_globals_in_front_of_the_applications(site, enable_async):
    site.write(base="base {% block body %}{% endblock %} {{ 'x' | loud }}", page="app").use(enable_async=enable_async)
    site.templates.environment.filters["loud"] = lambda text: f"{text}!"
    shop = Blueprint("shop", prefix="/shop")
    own = Templates(
        DictLoader({"page.html": "{% extends 'base.html' %}{% block body %}{{ who | soft }}{% endblock %}"})
    )
    own.environment.filters |= {"soft": lambda text: f"({text})", "loud": lambda text: f"{text}?"}
    own.environment.globals["who"] = "shop"
    shop.use(own)
    shop.get("/")(lambda request: Page("page.html"))
    site.app.register(shop)
    site.page(lambda _: Page("page.html"))
    assert [site.get(path).text for path in ("/", "/shop/")] == ["app", "base (shop) x?"]


def test_changed_templates_are_loaded_again_in_the_debug_mode_only(site, monkeypatch):
    def change(text):
        site.write(page=text)
        os.utime(site.folder / "page.html", (len(text), len(text)))

    change("one")
    site.use().page(lambda _: Page("page.html"))
    assert site.get().text == "one"
    change("second")
    assert site.get().text == "one"
    monkeypatch.setattr("antiphon.features.templates.feature.is_debug", lambda: True)
    app = App()
    app.use(Templates(site.folder))
    app.get("/")(lambda request: Page("page.html"))
    told = [Client(app).get("/").text, change("the third"), Client(app).get("/").text]
    assert told == ["second", None, "the third"]


def test_pages_of_async_handlers_may_await_what_a_template_calls_and_loops_over(site):
    site.write(page="{{ total() }}{% for row in rows() %}<{{ row }}>{% endfor %}").use(enable_async=True)

    async def total():
        await asyncio.sleep(0)
        return 3

    async def rows():
        for row in "ab":
            yield row

    @site.app.get("/async")
    async def waiting(request: Request):
        return Page("page.html", total=total, rows=rows)

    @site.app.get("/streamed")
    async def streamed(request: Request):
        return Page("page.html", _stream=True, total=total, rows=rows)

    @site.app.get("/sync")
    def sync(request: Request):
        return Page("page.html", total=lambda: 3, rows=lambda: "ab")

    assert {site.get(path).text for path in ("/async", "/streamed", "/sync")} == {"3<a><b>"}


@pytest.mark.parametrize("enable_async", [False, True])
def test_a_streamed_page_is_sent_in_chunks_while_it_is_rendered(site, enable_async):
    site.write(page="{% for row in rows %}{{ row }}{% endfor %}").use(enable_async=enable_async)
    made = []

    def rows():
        for number in range(100):
            made.append(number)
            yield "x" * 500

    site.page(lambda _: Page("page.html", _stream=True, rows=rows()))
    if site.interface != "wsgi":
        with site.client().stream("GET", "/") as page:
            chunks = [len(next(page))]
        assert 4096 <= chunks[0] < 8192
    page = site.get()
    assert (len(page.body), page.content_type, "etag" in page.headers) == (50_000, HTML, False)


def test_a_page_that_the_client_has_is_answered_with_304(site):
    site.write(page="{{ text }}").use().page(lambda request: Page("page.html", text=request.args.get("text", "")))
    first = site.get("/?text=a")
    etag = first.headers["etag"]
    again = [site.get(path, headers={"if-none-match": etag}) for path in ("/?text=a", "/?text=b")]
    assert [(page.status, page.text) for page in again] == [(304, ""), (200, "b")]
    assert again[0].headers["etag"] == etag


def test_a_page_of_an_error_or_of_a_post_has_no_etag(site):
    site.write(page="!").use().page(lambda _: Page("page.html", 404))
    site.page(lambda _: Page("page.html"), "/post", methods=["POST"])
    assert "etag" not in site.get().headers
    assert "etag" not in site.client().post("/post").headers


class CountingLoader(DictLoader):
    """A loader that counts the templates that it gives."""

    count = 0

    def get_source(self, environment, template):
        self.count += 1
        return super().get_source(environment, template)


def other_loader(loader):
    return FunctionLoader(lambda name: loader.get_source(None, name)[0])


@rows("wrapped, is_loaded_again", [(lambda loader: loader, False), (other_loader, True)])
@rows("in_blueprint", [False, True])
def test_all_templates_are_compiled_once_unless_a_loader_may_have_any_number(wrapped, is_loaded_again, in_blueprint):
    parts = {f"part{number}.html": f"{number} " for number in range(500)}
    loader = CountingLoader({**parts, "page.html": "".join(f"{{% include {name!r} %}}" for name in parts)})
    app, shop = App(), Blueprint("shop")
    app.use(Templates(wrapped(loader)))
    if in_blueprint:
        shop.use(Templates(DictLoader({})))
    shop.get("/")(lambda request: Page("page.html"))
    app.register(shop)
    client = Client(app)
    assert client.get("/").text == client.get("/").text == "".join(parts[name] for name in parts)
    assert loader.count == (1002 if is_loaded_again else 501)


def test_a_coroutine_in_the_data_is_an_error_where_the_page_is_made():
    async def load(): ...

    with pytest.raises(TypeError, match=r"Page\(\.\.\., lamps=.*load\(\.\.\.\)\) was given a coroutine: `await` it"):
        Page("lamps.html", lamps=load())
    with pytest.raises(TypeError, match=r"Response.template\(\.\.\., lamps=.*was given a coroutine: `await` it"):
        Response.template("lamps.html", lamps=load())
