"""The application object: its settings, shared values, middlewares, static files, and life."""

import pytest

from antiphon.dialects.asok.config import configured
from tests.helpers.rows import rows

SHARED = """
def render(request):
    return request.json([request.shared(name) for name in request.args.getlist("name")])
"""


class Called:
    """A class, which is shared itself."""

    def __init__(self, request):
        raise AssertionError


@pytest.mark.feature("asok-078", "asok-079", "asok-080", "asok-081", "asok-083")
def test_shared_values_are_computed_once_a_request_and_only_when_used(serve):
    calls = []

    def prepare(app):
        app.share(site_name="My Blog", version="1.0").share(user=lambda r: calls.append(r.path) or {"path": r.path})
        app.share(unused=lambda request: 1 / 0, fixed=lambda: 7, kind=Called, add=lambda a, b: a + b)
        app.share(late=lambda anything="x": anything, asked=lambda request=None: request.method)

    page = SHARED.replace("])", "] + [request.shared('kind').__name__, request.shared('add')(1, 2)])")
    client = serve({"page.py": page}, prepare=prepare)
    names = ["site_name", "version", "user", "user", "fixed", "late", "asked", "nothing"]
    for _ in range(2):
        values = client.get("/?" + "&".join(f"name={name}" for name in names)).json
        assert values == ["My Blog", "1.0", {"path": "/"}, {"path": "/"}, 7, "x", "GET", None, "Called", 3]
    assert calls == ["/", "/"]
    with pytest.raises(RuntimeError, match="already serves requests"):
        client.app.share(more=1)


def test_settings_are_read_from_the_environment():
    config = configured({"ASOK_LOCALE": "fr", "MAX_CONTENT_LENGTH": "5", "CSRF": "off", "GZIP_MIN_SIZE": "many"})
    assert {name: config[name] for name in ("LOCALE", "MAX_CONTENT_LENGTH", "CSRF", "GZIP_MIN_SIZE", "GZIP")} == {
        "LOCALE": "fr",
        "MAX_CONTENT_LENGTH": 5,
        "CSRF": False,
        "GZIP_MIN_SIZE": 500,
        "GZIP": False,
    }


ECHO = "def render(request):\n    return f'{len(request.body)} {request.host}' + 600 * 'x'\n"


@rows(
    "config, sent, status, fields",
    ({"MAX_CONTENT_LENGTH": 5}, {"method": "POST", "body": b"123456"}, 413, {}),
    ({"ALLOWED_HOSTS": ["shop.example"]}, {"headers": {"host": "evil.example"}}, 421, {}),
    ({"ALLOWED_HOSTS": "*"}, {}, 200, {}),
    ({"GZIP": True}, {"headers": {"accept-encoding": "gzip"}}, 200, {"content-encoding": "gzip"}),
    (
        {"CORS_ORIGINS": "https://a.example, https://b.example"},
        {"headers": {"origin": "https://b.example"}},
        200,
        {"access-control-allow-origin": "https://b.example", "access-control-allow-credentials": "true"},
    ),
)
def test_settings_have_their_native_meaning(serve, config, sent, status, fields):
    client = serve({"page.py": ECHO}, prepare=lambda app: app.config.update(CSRF=False, **config))
    response = client.request(sent.pop("method", "GET"), "/", **sent)
    assert response.status == status
    assert {name: response.headers.get(name) for name in fields} == fields


def test_whoever_connects_is_not_trusted(serve):
    with pytest.raises(ValueError, match="trusting every address"):
        serve({"page.py": ECHO}, prepare=lambda app: app.config.update(TRUSTED_PROXIES="*")).get("/")


OUTER = """
{color} handle(request, next_handler):
    if request.args.get("stop"):
        return request.text("stopped", 403)
    request.note = "outer"
    response = {wait}next_handler(request)
    return f"<{{response}}>"
"""
INNER = "def handle(request, next_handler):\n    request.note += ' inner'\n    return next_handler(request)\n"


@rows("interface", ["wsgi", "asgi"])
@rows("page_color", ["def", "async def"])
@rows("color", ["def", "async def"])
def test_middlewares_are_around_every_page(serve, interface, page_color, color):
    outer = OUTER.format(color=color, wait="await " if color == "async def" else "")
    client = serve({
        "page.py": f"{page_color} render(request):\n    return request.note\n",
        "src/middlewares/01_outer.py": outer,
        "src/middlewares/02_inner.py": INNER,
        "src/middlewares/helper.py": "",
        "src/middlewares/__init__.py": "raise AssertionError",
    }, interface)  # fmt: skip
    assert client.get("/").text == "<outer inner>"
    assert (client.get("/?stop=1").status, client.get("/?stop=1").text) == (403, "stopped")


@rows("name", ["use", "on_startup", "on_shutdown", "user_loader"])
def test_what_comes_too_late_says_so(serve, name):
    client = serve({"page.py": "CONTENT = 'page'"})
    client.get("/")
    with pytest.raises(RuntimeError, match=rf"the project is already loaded: call app\.{name} before"):
        getattr(client.app, name)(lambda *_: None)


def test_static_files_are_sent_under_names_with_their_hashes(serve):
    urls = "def render(request):\n    return request.json([*map(request.static, request.args.getlist('n'))])\n"
    client = serve({
        "page.py": urls,
        "src/partials/css/site.css": "a{}",
        "src/partials/js/app.js": "long()",
        "src/partials/js/app.min.js": "x()",
        "src/partials/html/base.html": "secret",
    })  # fmt: skip
    css, js, absent, html = client.get("/?n=css/site.css&n=/js/app.js&n=css/none.css&n=html/base.html").json
    assert (client.get(css).text, client.get(js).text) == ("a{}", "x()")
    assert "immutable" in client.get(css).headers["cache-control"]
    assert (absent, html) == ("/css/none.css", "/html/base.html")
    assert client.get("/css/site.css").text == "a{}"
    statuses = [client.get(path).status for path in ("/html/base.html", "/css/none.css", "/css/..%2fhtml/base.html")]
    assert statuses == [404, 404, 404]


@pytest.mark.axes("interface")
def test_the_life_of_an_application(serve, interface):
    events = []

    async def later():
        events.append("async")

    def prepare(app):
        for event in ("one", "two"):
            app.on_startup(lambda event=event: events.append(f"start {event}"))
            app.on_shutdown(lambda event=event: events.append(f"stop {event}"))
        app.on_startup(later)

    with serve({"page.py": "CONTENT = 'page'"}, interface, prepare) as client:
        assert client.get("/").text == "page"
        assert events == ["start one", "start two", "async"]
    assert events[3:] == ["stop one", "stop two"]


def test_values_are_shared_with_one_request(serve):
    share = "    request.share('site', 'own')\n    return request.html('page.html') + request.share('site')\n"
    files = {
        "page.py": f"def render(request):\n{share}",
        "page.html": "{{ site }} ",
        "src/pages/other/page.html": "{{ site }}",
    }
    client = serve(files, prepare=lambda app: app.share(site="all"))
    assert (client.get("/").text, client.get("/other").text) == ("own own", "all")
