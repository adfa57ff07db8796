"""Applications of settings, rules and views."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from textwrap import dedent

import pytest

from antiphon import to_app
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp, get_application
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import redirect, render_json_response, render_to_response, url_for
from antiphon.dialects.kay.werkzeug import utils
from antiphon.dialects.werkzeug.exceptions import MethodNotAllowed, NotFound, ServiceUnavailable
from antiphon.dialects.werkzeug.test import Client
from antiphon.testing import Client as ServedClient
from tests.helpers.rows import rows


def application(*views, settings=None):
    """One whose views are found at their names."""
    rules = [Rule(f"/{view.__name__}", endpoint=view.__name__, view=view) for view in views]
    return KayApp(settings, [ViewGroup(*rules)])


def get(app, path, **kwargs):
    return Client(app).get(path, **kwargs)


@pytest.fixture
def guests(programs):
    settings = {
        "INSTALLED_APPS": ["guestbook", "plainpages"],
        "APP_MOUNT_POINTS": {"guestbook": "/guests"},
        "TEMPLATE_DIRS": [str(programs / "templates")],
    }
    return KayApp(settings)


@pytest.mark.feature("kay-001")
def test_a_view_takes_the_request_first_and_returns_a_response():
    def hello(request):
        return Response(f"{request.method} {request.path}", headers={"X-Own": "1"})

    answer = get(application(hello), "/hello")
    assert (answer.text, answer.headers["X-Own"]) == ("GET /hello", "1")


@pytest.mark.feature("kay-001")
def test_values_of_the_path_are_keywords():
    def sum_of(request, a, b):
        return Response(str(a + b + len(request.args)))

    app = KayApp(view_groups=[ViewGroup(Rule("/<int:a>/<int:b>", endpoint="sum", view=sum_of))])
    assert get(app, "/3/4?x=1").text == "8"


@pytest.mark.feature("kay-160")
@rows("error", [NotFound("gone fishing"), ServiceUnavailable(retry_after=7)])
def test_http_exceptions_answer(error):
    def broken(request):
        raise error

    answer = get(application(broken), "/broken")
    assert answer.status_code == error.code
    assert error.description in answer.text or error.retry_after == 7 == int(answer.headers["Retry-After"])


def test_the_map_answers_where_there_is_no_view():
    def here(request):
        return Response("here")

    app = application(here)
    app.url_map.add(Rule("/only", endpoint="only", methods=["POST"]))
    app.url_map.add(Rule("/branch/", endpoint="here", view=here))
    assert get(app, "/nowhere").status_code == 404
    assert get(app, "/only").headers["Allow"] == "POST"
    assert get(app, "/only").status_code == MethodNotAllowed.code
    assert get(app, "/branch").headers["Location"] == "http://localhost/branch/"


def test_an_endpoint_without_a_view_is_a_mistake():
    app = KayApp(view_groups=[ViewGroup(Rule("/a", endpoint="a"))])
    with pytest.raises(LookupError, match="'a' has no view"):
        get(app, "/a")
    app.view("a", lambda request: Response("now"))
    assert get(app, "/a").text == "now"


def test_what_a_view_returns_is_a_response():
    def text(request):
        return "text"

    def wsgi(request):
        def answer(environ, start_response):
            start_response("299 OWN", [("X-Own", "1")])
            return [environ["PATH_INFO"].encode()]

        return answer

    app = application(text, wsgi)
    with pytest.raises(TypeError, match="'text'"):
        get(app, "/text")
    assert (get(app, "/wsgi").status, get(app, "/wsgi").text) == ("299 OWN", "/wsgi")


def test_redirects_of_views_are_whole():
    def away(request):
        return redirect(url_for("away", _anchor="\u00fc"))

    assert get(application(away), "/away").headers["Location"] == "http://localhost/away#%C3%BC"


def test_packages_are_mounted(guests):
    entry = get(guests, "/guests/3").text
    assert entry == "GET 3 /guests/4?a=b+c http://localhost/guests/ /guests/#top"
    assert Client(guests).post("/guests/3").text.startswith("POST 3")
    assert get(guests, "/guests/410").status_code == 410
    assert get(guests, "/plainpages/").text == "GET"
    assert get(guests, "/guestbook/3").status_code == 404


def test_packages_have_templates(guests):
    answer = get(guests, "/guests/", headers={"Accept-Language": "de"})
    assert answer.text == "<h1>&lt;Guests&gt;</h1>/guests/ /guests/7 "
    assert (answer.content_type, answer.headers["X-Lang"]) == ("text/html; charset=utf-8", "de")


def test_processors_add_to_the_context(guests):
    def hello(request):
        return render_to_response(
            "hello.html", {"name": "Ada"}, "text/plain", [lambda asked: {"name": "no", "shout": asked.path}]
        )

    guests.add(ViewGroup(Rule("/hello", endpoint="hello", view=hello)))
    answer = get(guests, "/hello")
    assert (answer.text, answer.mimetype) == ("Hello Ada /hello", "text/plain")


def test_data_are_answered_as_json(guests):
    def data(request):
        return render_json_response({"name": "Ada"}, status=201)

    guests.add(ViewGroup(Rule("/data", endpoint="data", view=data)))
    answer = get(guests, "/data")
    assert (answer.json, answer.status_code, answer.content_type) == ({"name": "Ada"}, 201, "application/json")


def test_without_jinja_a_page_says_what_is_missing(guests, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match="jinja2 is not installed"):
        get(guests, "/guests/")


def test_outside_of_a_request_there_are_no_urls():
    with pytest.raises(RuntimeError, match="from a view"):
        url_for("index")


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("path", ["/guests/3", "/guests/410", "/guests/", "/plainpages"])
def test_answers_are_the_same_wherever_it_is_served(guests, interface, path):
    own = get(guests, path, base_url="http://testserver")
    with ServedClient(to_app(from_wsgi(guests)), interface=interface, follow_redirects=False) as client:
        served = client.get(path)
    assert (served.status, served.body) == (own.status_code, own.data)
    assert served.headers.get("location") == own.headers.get("Location")


def test_an_application_of_a_settings_module():
    assert get_application({"DEFAULT_LANG": "de"}).app_settings.DEFAULT_LANG == "de"


def test_modules_show_the_names_that_they_take_from_todays():
    assert {"redirect", "secure_filename"} <= set(dir(utils))


STARTED = {
    "settings.py": """
        DEBUG = True
        INSTALLED_APPS = ("shop", "models_only", "hidden")
        APP_MOUNT_POINTS = {"shop": "/", "hidden": None}
        NAMES = ("request", "url_functions", "media_url", "i18n")
        CONTEXT_PROCESSORS = tuple("kay.context_processors." + name for name in NAMES)
        JINJA2_FILTERS = {"nl2br": "kay.utils.filters.nl2br"}
    """,
    "urls.py": """
        from kay.routing import Rule, ViewGroup
        view_groups = [ViewGroup(Rule("/about", endpoint="about", view="shop.views.index"))]
    """,
    "shop/__init__.py": "",
    "shop/urls.py": """
        from kay.routing import Rule, ViewGroup
        view_groups = [ViewGroup(
            Rule("/", endpoint="index", view="shop.views.index"),
            Rule("/item/<int:id>", endpoint="item", view=("shop.views.Item", ("tea",), {"price": 3})),
        )]
    """,
    "shop/views.py": """
        from kay.utils import render_to_response, reverse
        from kay.conf import settings
        from werkzeug import Response
        assert settings.DEBUG
        def index(request):
            assert (settings.DEBUG, settings.DEFAULT_LANG) == (True, "en")
            return render_to_response("shop/index.html", {"text": "a<b\\r\\nc\\n\\nd"})
        class Item:
            def __init__(self, name, price):
                self.name, self.price = name, price
            def __call__(self, request, id):
                self.price += id
                return Response(f"{self.name} {self.price} {reverse('about')} {reverse('shop/index', _external=True)}")
    """,
    "shop/templates/index.html": "{% trans %}Shop{% endtrans %} {{ text|nl2br }} {{ reverse('shop/item', id=1) }}"
    " {{ media_url }} {{ internal_media_url }} {{ language_code }} {{ request.path }} {{ _('x') }}",
    "models_only/__init__.py": "",
    "hidden/__init__.py": "",
    "hidden/urls.py": "raise ImportError",
}  # fmt: skip


@pytest.mark.processes
def test_a_project_as_kay_started_it(tmp_path):
    for name, text in STARTED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(dedent(text))
    program = """
        from antiphon.dialect_imports import install
        install("kay")
        from kay.app import get_application
        from antiphon.testing import Client
        client = Client(get_application(), "wsgi")
        for path in ("/about", "/item/1", "/item/1", "/hidden/"):
            print(client.get(path).status, client.get(path).text)
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout.splitlines()[:4] == [
        "200 Shop a&lt;b<br>",
        "c<br/>d /item/1 /media /_media en /about x",
        "200 tea 4 /about http://testserver/",
        "200 tea 4 /about http://testserver/",
    ], ran.stderr
    assert ran.stdout.splitlines()[4].startswith("404")


def test_rules_may_come_as_a_map(monkeypatch):
    from types import ModuleType

    from antiphon.dialects.werkzeug.routing import Map
    from antiphon.dialects.werkzeug.routing import Rule as PlainRule

    urls = ModuleType("urls_of_project")
    urls.make_url = lambda: Map([PlainRule("/a", endpoint="a")])
    urls.all_views = {"a": lambda request: Response("found")}
    urls.__spec__ = ModuleSpec("urls_of_project", None)
    monkeypatch.setitem(sys.modules, "urls_of_project", urls)
    assert get(get_application({"ROOT_URL_MODULE": "urls_of_project"}), "/a").text == "found"
