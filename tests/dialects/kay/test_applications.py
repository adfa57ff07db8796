"""Applications of settings, rules and views."""

import sys
from textwrap import dedent

import pytest

from antiphon import to_app
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import render_json_response, url_for
from antiphon.dialects.kay.werkzeug import utils
from antiphon.dialects.werkzeug.test import Client
from antiphon.testing import Client as ServedClient
from tests.helpers import zygote
from tests.helpers.rows import rows


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


def test_an_endpoint_without_a_view_is_a_mistake():
    app = KayApp(view_groups=[ViewGroup(Rule("/a", endpoint="a"))])
    with pytest.raises(LookupError, match="'a' has no view"):
        get(app, "/a")
    app.view("a", lambda request: Response("now"))
    assert get(app, "/a").text == "now"


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
    ran = zygote.run("-c", dedent(program), cwd=tmp_path)
    assert ran.stdout.splitlines()[:4] == [
        "200 Shop a&lt;b<br>",
        "c<br/>d /item/1 /media /_media en /about x",
        "200 tea 4 /about http://testserver/",
        "200 tea 4 /about http://testserver/",
    ], ran.stderr
    assert ran.stdout.splitlines()[4].startswith("404")
