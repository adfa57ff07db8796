"""What a client sees of Asok's document: over each interface. The tests beside compare such answers with Asok's own."""

import re
import sys

import pytest

from antiphon.dialects.asok import Asok
from tests.dialects.exchanges import FORM, JSON, Exchange, ask, check, each, serving

HTML = {"content-type": "text/html; charset=utf-8"}
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
    " Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0"
    " Mobile/15E148 Safari/604.1"
)
TEMPLATE = """{% extends "html/base.html" %}{% block main %}<p>{{ name }} {{ user.name }}</p>
{% for item in items %}<i>{{ item }}</i>{% endfor %}{% if items %}some{% endif %} {{ request.method }}
<form method="POST" data-block="main"></form>{% endblock %}"""
FLASHED = "{% for m in get_flashed_messages() %}<p class='{{ m.category }}'>{{ m.message }}</p>{% endfor %}none"
FORM_PAGE = """
from asok import Form, Request
def render(request: Request):
    form = Form({"name": Form.text("Name", "required|min:2")}, request)
    valid = form.validate()
    if valid:
        form.reset()
    return request.html("page.html", valid=valid, form=form)
"""

FILES = {
    "src/partials/html/base.html": (
        "<html><body><nav>{{ site_name }}</nav><main>{% block main %}{% endblock %}</main></body></html>"
    ),
    "src/partials/uploads/report.pdf": "a report",
    "src/locales/en.json": '{"welcome": "Welcome"}',
    "src/locales/fr.json": '{"welcome": "Bienvenue"}',
    ".asok/geo.csv": "ip_from,ip_to,city,country,lat,lon\n2130706433,2130706433,Paris,France,48.8566,2.3522\n",
    "src/pages/user/[id]/page.py": "def render(request):\n    return repr(request.params)\n",
    "src/pages/page/page.html": TEMPLATE,
    "src/pages/flashed/page.html": FLASHED,
    "src/pages/fields/page.html": "{{ valid }} {{ form.name }}",
    "src/pages/fields/page.py": FORM_PAGE,
    "src/pages/translated/page.html": "{{ request.lang }} {{ __('welcome') }}",
}
VALUES = "name='World', items=[1, 2], user={'name': '<Ada>'}"


CAUGHT = "try:\n        {}\n    except ({}):\n        {}\n    return 'not reached'"


def returned(expression):
    return f"return {expression}"


def shown(*expressions):
    return f"return repr(({', '.join(expressions)},))"


PAGE = returned(f"request.html('page.html', {VALUES})")

EXCHANGES = [
    Exchange(
        "asok-001 asok-009 asok-010 asok-084", "GET /hello?a=b", shown("request.method", "request.path"),
        "('GET', '/hello')", fields=HTML,
    ),
    Exchange("asok-003 asok-004", "GET /user/42", None, "{'id': '42'}"),
    Exchange("asok-003", "GET /user/a/b", None, re.compile("404"), 404),
    Exchange(
        "asok-005 asok-006", "GET /args?q=a%20b&n=1&n=2",
        shown("request.args['q']", "request.args['n']", "request.args.get('none')"), "('a b', '2', None)",
    ),
    Exchange("asok-007", "POST /form", shown("request.form['email']"), "('a@b',)", sent=FORM, body=b"email=a%40b"),
    Exchange("asok-008", "POST /json", shown("request.json_body"), "({'a': [1]},)", sent=JSON, body=b'{"a": [1]}'),
    Exchange("asok-011", "GET /ip", shown("request.ip"), "('127.0.0.1',)"),
    Exchange(
        "asok-012", "GET /forwarded", shown("request.ip"), "('192.0.2.1',)", sent={"X-Forwarded-For": "192.0.2.1"},
    ),
    Exchange(
        "asok-013 asok-014 asok-015 asok-016 asok-017", "GET /browser",
        shown("request.user_agent[:11]", "request.browser.name", "request.browser.os", "request.browser.is_mobile"),
        "('Mozilla/5.0', 'Chrome', 'macOS', False)", sent={"User-Agent": MAC},
    ),
    Exchange(
        "asok-015 asok-016 asok-017", "GET /telephone",
        shown("request.browser.name", "request.browser.os", "request.browser.is_mobile"), "('Safari', 'iOS', True)",
        sent={"User-Agent": IPHONE},
    ),
    Exchange(
        "asok-018 asok-019 asok-020 asok-021 asok-022 asok-023", "GET /location",
        shown(*(f"request.location[{name!r}]" for name in ("city", "country", "lat", "lon"))),
        "('Paris', 'France', 48.8566, 2.3522)",
    ),
    Exchange(
        "asok-024 asok-025 asok-026 asok-027 asok-028 asok-029 asok-030 asok-035 asok-036 asok-085 asok-079",
        "GET /page", PAGE,
        re.compile(
            r'<html><body><nav>The Gazette</nav><main data-block="main"><p>World &lt;Ada&gt;</p>\s<i>1</i><i>2</i>some '
            r'GET\s<form method="POST" data-block="main"></form></main><script src="/blocks\.\w+\.js"',
        ),
        fields=HTML,
    ),
    Exchange(
        "asok-037 asok-038 asok-040", "GET /page", None,
        re.compile(
            r'^<p>World &lt;Ada&gt;</p>\s<i>1</i><i>2</i>some GET\s<form method="POST" data-block="main"></form>$',
        ),
        fields={"x-block": "main"}, sent={"X-Block": "main"},
    ),
    Exchange("asok-040", "POST /page", None, re.compile("^<p>World .*some POST", re.DOTALL), sent={"X-Block": "main"}),
    Exchange(
        "asok-032 asok-034", "GET /block", returned(f"request.block('src/pages/page/page.html', 'main', {VALUES})"),
        re.compile(r"^<p>World &lt;Ada&gt;</p>\s<i>1"),
    ),
    Exchange(
        "asok-033", "GET /no-block",
        CAUGHT.format("return request.block('src/pages/page/page.html')", "TypeError, ValueError", "return 'an error'"),
        "an error",
    ),
    Exchange(
        "asok-031", "GET /sent-json", returned("request.json({'a': 1, 'b': 'ü'})"),
        re.compile('{"a": ?1, ?"b": ?"(ü|.u00fc)"}'), fields={"content-type": re.compile("^application/json")},
    ),
    Exchange("asok-042 asok-043 asok-045", "GET /fields", None, re.compile('^False <.*name="name"')),
    Exchange("asok-043 asok-045", "POST /fields", None, re.compile('^False <.*value="A"'), sent=FORM, body=b"name=A"),
    Exchange(
        "asok-043 asok-044", "POST /fields", None, re.compile('^True (?!.*value="Ada")'), sent=FORM, body=b"name=Ada",
    ),
    Exchange(
        "asok-046 asok-047 asok-048 asok-086", "GET /status",
        shown("request.status_code == 200", "request.status_code(201) is request", "request.status_code == 201"),
        "(True, True, True)", 201,
    ),
    Exchange(
        "asok-049 asok-052", "GET /download", returned("request.send_file('report.pdf')"), "a report",
        fields={"content-disposition": re.compile("^attachment"), "content-type": "application/pdf"},
    ),
    Exchange("asok-049", "GET /elsewhere", returned("request.send_file('/etc/passwd')"), re.compile("404"), 404),
    Exchange(
        "asok-050", "GET /shown", returned("request.send_file('report.pdf', as_attachment=False)"), "a report",
        fields={"content-disposition": re.compile("^inline")},
    ),
    Exchange(
        "asok-051", "GET /named", returned("request.send_file('report.pdf', filename='export.csv')"), "a report",
        fields={"content-disposition": re.compile("export.csv")},
    ),
    Exchange(
        "asok-053 asok-054", "GET /redirect",
        "from asok import RedirectException\n    "
        + CAUGHT.format("request.redirect('/hello')", "RedirectException", "raise"),
        re.compile(""), 302, {"location": re.compile("/hello$")},
    ),
    Exchange(
        "asok-055", "GET /back", "request.back()", re.compile(""), 302, {"location": re.compile("/from$")},
        sent={"Referer": "http://localhost/from"},
    ),
    Exchange(
        "asok-055 asok-056", "GET /back-home", "request.back(default='/home')", re.compile(""), 302,
        {"location": re.compile("/home$")},
    ),
    Exchange(
        "asok-059 asok-060 asok-061 asok-062 asok-063", "GET /flashed",
        "if request.args:\n        request.flash('own', 'said <now>')\n    return request.html('page.html')", "none",
    ),
    Exchange(
        "asok-059 asok-060 asok-061 asok-062 asok-063", "GET /flashed?now", None,
        "<p class='own'>said &lt;now&gt;</p>none",
    ),
    Exchange(
        "asok-064 asok-065", "POST /untold", returned("'not reached'"), re.compile("403|token"), 403,
        sent={"X-CSRF-Token": "wrong"},
    ),
    Exchange("asok-064 asok-067", "DELETE /told", returned("'reached'"), "reached", methods=["DELETE"]),
    Exchange(
        "asok-069", "GET /cookies", shown("request.cookies_dict['a']", "request.cookies_dict.get('none')"),
        "('1', None)", sent={"Cookie": "a=1"},
    ),
    Exchange(
        "asok-070 asok-071 asok-072", "GET /environment",
        shown("request.env('OWN')", "request.env('NONE')", "request.env('NONE', 'default')", "request.env('SWITCH')"),
        "('text', None, 'default', True)",
    ),
    Exchange(
        "asok-073 asok-074 asok-076", "GET /language?lang=fr", shown("request.lang", "request.__('welcome')"),
        "('fr', 'Bienvenue')",
    ),
    Exchange("asok-076", "GET /language", None, "('fr', 'Bienvenue')", sent={"Accept-Language": "fr"}),
    Exchange("asok-077", "GET /language", None, "('en', 'Welcome')"),
    Exchange("asok-075", "GET /translated?lang=fr", returned("request.html('page.html')"), "fr Bienvenue"),
    Exchange(
        "asok-078 asok-080 asok-081 asok-083", "GET /shared?a=1",
        shown("request.shared('site_name')", "request.shared('count')"), "('The Gazette', 1)",
    ),
    Exchange("asok-082", "GET /user-or-nobody", shown("bool(request.user)"), "(False,)"),
]  # fmt: skip

STEPS = {
    "src/pages/token/page.py": "def render(request):\n    return request.csrf_token_value\n",
    "src/pages/input/page.py": "def render(request):\n    return str(request.csrf_input())\n",
    "src/pages/later/page.py": (
        "def render(request):\n    request.flash('info', 'said before')\n    request.redirect('/flashed')\n"
    ),
    "src/pages/posted/page.py": "def post(request):\n    return 'posted'\n",
}


def write(folder):
    pages = {
        f"src/pages{exchange.path}/page.py": f"def render(request):\n    {exchange.view}\n"
        for exchange in EXCHANGES
        if exchange.view
    }
    for name, text in (FILES | STEPS | pages).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def program(folder):
    app = Asok(folder)
    app.config.update(SECRET_KEY="a key for tests, of more than 32 characters", LOCALE="en")
    app.config.update(TRUSTED_PROXIES="127.0.0.1")
    app.share(site_name="The Gazette", count=lambda request: len(request.args))
    app.freeze()
    return app


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        patch.setitem(sys.modules, "asok", sys.modules["antiphon.dialects.asok"])
        patch.setenv("OWN", "text")
        patch.setenv("SWITCH", "true")
        with serving(lambda: program(folder)) as addresses:
            yield addresses


def visitor(address):
    answer = ask(address, Exchange("", "GET /token", None))
    return {"X-CSRF-Token": answer.body, "Cookie": cookies(answer)}


def cookies(answer):
    return "; ".join(value.partition(";")[0] for name, value in answer.fields if name == "set-cookie")


@pytest.fixture(scope="module")
def visitors(servers):
    return {interface: visitor(address) for interface, address in servers.items()}


@each(EXCHANGES)
def test_a_client_sees_the_answer_of_the_document(servers, visitors, exchange):
    check(servers, exchange, visitors if exchange.method in ("POST", "DELETE") else {})


@pytest.mark.feature("asok-066", "asok-067", "asok-068")
@pytest.mark.served("asok-002", "asok-066", "asok-067", "asok-068")
def test_the_token_of_the_input_lets_a_form_pass(servers):
    for address in servers.values():
        page = ask(address, Exchange("", "GET /input", None))
        [token] = re.findall(r'<input type="hidden" name="csrf_token" value="([^"]+)">', page.body)
        sent = {**FORM, "Cookie": cookies(page)}
        posted = Exchange("", "POST /posted", None, sent=sent, body=f"csrf_token={token}".encode())
        assert ask(address, posted).body == "posted"
        assert ask(address, posted._replace(body=b"csrf_token=wrong")).status == 403


@pytest.mark.served("asok-057", "asok-058", "asok-060")
def test_a_message_waits_for_the_page_after_a_redirect_and_is_shown_once(servers):
    for address in servers.values():
        redirect = ask(address, Exchange("", "GET /later", None))
        assert redirect.status == 302
        following = Exchange("", "GET /flashed", None, sent={"Cookie": cookies(redirect)})
        assert ask(address, following).body == "<p class='info'>said before</p>none"
        assert ask(address, following).body == "none"
