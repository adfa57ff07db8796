"""The same project and requests to Asok and to the dialect, where Asok follows its own document.

What is known to differ is listed in the reference, with reasons.
"""

import json
import re

import pytest

from antiphon.cli.compare import differences, masked

PROGRAM = """
from asok import Asok

app = Asok(".")
app.config.update(CSRF=False, RATE_LIMIT=False, HTML_MINIFY=False)
app.share(site="The Gazette", count=lambda request: len(request.args))
"""

PROBES = {
    "args": "[request.args['q'], request.args.get('x'), request.args.getlist('q')]",
    "form": "[request.form.get('a'), request.post_form, request.method]",
    "json_body": "[request.json_body, request.is_json, request.get_json(), request.json.get('a')]",
    "urls": "[request.path, request.url, request.base_url, request.host, request.hostname, request.raw_query_string]",
    "cookies": "[request.cookies_dict, request.cookie('a'), request.cookie('z', 1)]",
    "client": "[request.ip, request.user_agent, request.browser.name, request.browser.os, request.browser.is_mobile]",
    "environ": "[request.query_string, *map(request.environ.get, request.args.getlist('name'))]",
    "shared": "[request.shared('site'), request.shared('count'), request.shared('nothing')]",
    "env": "[request.env('A_TRUE'), request.env('A_TEXT'), request.env('A_NONE', 'd'), request.env.get('A_NULL', 1)]",
    "status": "[request.status_code(201).code, request.status_code(), request.status]",
    "files": "[request.files['f'].filename, request.file('f').size, str(request.file('f').content), request.file('g')]",
    "user/[id]": "request.params",
    "user/[id]/[name]": "request.params",
    "number/[n:int]": "request.params",
}
PAGES = {name: f"def render(request):\n    return request.json({probe})\n" for name, probe in PROBES.items()}
PAGES |= {
    "text": "def render(request):\n    return '<p>é</p>'\n",
    "plain": "def render(request):\n    return request.text('<p>', 418)\n",
    "api": "def render(request):\n    return request.api_error('no', 422, {'a': 'b'})\n",
    "verbs": "def render(request):\n    return 'render'\nasync def post(request):\n    return 'post'\n",
    "away": "def render(request):\n    request.redirect('/text')\n",
    "evil": "def render(request):\n    request.back()\n",
    "home": "def render(request):\n    request.back(default='/home')\n",
    "gone": "def render(request):\n    request.abort(410, 'a <b>')\n",
    "404": "def render(request):\n    return f\"nothing: {request.params['title']}\"\n",
    "constant": "CONTENT = 'constant'\n",
    "response": "import asok\ndef render(request):\n    return asok.Response('r', 202, {'X-A': '1'}, 'text/plain')\n",
}
CALLS = {
    "whole": "html('page.html', name='<N>')",
    "one": "block('page.html', 'main', name='N')",
    "asked": "block('page.html', name='N')",
    "two": "blocks('page.html', ['main', 'side'], name='N')",
    "partial": "html('html/base.html', name='N')",
    "below": "html('src/pages/whole/page.html', name='N')",
}
PAGES |= {name: f"def render(request):\n    return request.{call}\n" for name, call in CALLS.items()}
TEMPLATE = """{% extends "html/base.html" %}
{% block main %}<p>{{ name }} {{ request.args.get("q") }}</p>{% block inner %}in{% endblock %}{% endblock %}
{% block side %}<b>{{ site }}</b>{% endblock %}
"""
BASE = """<!doctype html><html><head><title>{{ site }}</title></head><body>
<main class="a">{% block main %}none{% endblock %}</main>
<aside>{% block side %}{% endblock %}</aside></body></html>
"""
ADDED = re.compile(
    r'<!-- block:\w+:(?:start|end) -->| data-page-id="\w+"|\n<meta name="csrf-token"[^>]*>'
    r'|(?<=<main class="a") data-block="main"|(?<=<aside) data-block="side"'
)
"""What either adds to a page, for its script to find blocks and tokens."""
ASKED = ("main", "#main", "main,side", "inner", "nowhere", "main,nowhere")
CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36"
FORM = "Content-Type: application/x-www-form-urlencoded\n\n"
JSON = "Content-Type: application/json\n\n"
FILE = """Content-Type: multipart/form-data; boundary=parts

--parts
Content-Disposition: form-data; name="a"

1
--parts
Content-Disposition: form-data; name="f"; filename="a.txt"
Content-Type: text/plain

hello
--parts--"""
REQUESTS = [
    "GET /args?q=a&q=b%20c&r=%C3%A9", "GET /form?a=0",
    f"POST /form\n{FORM}a=1&b=%C3%A9",
    f"POST /form?a=0&c=2\n{FORM}a=1",
    f'POST /form\n{JSON}{{"a": 1}}',
    f'POST /json_body\n{JSON}{{"a": [1, null]}}',
    f"POST /json_body\n{JSON}[1, 2]",
    f"POST /json_body\n{JSON}{{",
    "GET /json_body", "GET /urls?a=b%20c", 'GET /cookies\nCookie: a=1; b="x y"', "GET /cookies\nCookie:",
    f"GET /client\nUser-Agent: {CHROME}",
    f"GET /client\nUser-Agent: {CHROME}\nX-Forwarded-For: 192.0.2.1",
    "GET /environ?name=REMOTE_ADDR&name=REQUEST_METHOD&name=HTTP_X_A&n=%20%2B+\nX-A: 1",
    f"POST /environ?name=CONTENT_TYPE&name=CONTENT_LENGTH&name=PATH_INFO\n{FORM}a=1",
    "GET /shared?a=1&b=2", "GET /env", "GET /status",
    f"POST /files\n{FILE}",
    "GET /user/42", "GET /user/a%20b/c", "GET /number/7", "GET /number/seven", "GET /text", "GET /plain", "GET /api",
    "GET /verbs", "POST /verbs", "PUT /verbs", "DELETE /verbs", "GET /away",
    "GET /evil\nReferer: https://evil.example/", "GET /evil", "GET /home", "GET /gone", "GET /nothing/here",
    "GET /constant", "GET /response",
]  # fmt: skip
REQUESTS += [f"GET /{name}?q=<q>" for name in CALLS if name != "asked"]
REQUESTS += [f"GET /{name}\nX-Block: {asked}" for name in ("whole", "two", "below") for asked in ASKED]
REQUESTS += ["GET /asked\nX-Block: main", "GET /one\nX-Block: side"]
COMPARED = ("status", "error", "content-type", "location", "body")
ENVIRONMENT = {"A_TRUE": "True", "A_TEXT": "text", "A_NULL": "null"}


def compared(answer):
    """A response whose body, if it is JSON, has the spaces of the standard library."""
    is_json = ["content-type", "application/json"] in answer["fields"]
    return (
        {**answer, "body": json.dumps(json.loads(answer["body"].encode("latin-1")))}
        if is_json
        else masked(answer, [ADDED])
    )


@pytest.mark.processes
def test_answers_are_those_of_asok(beside):
    files = {"wsgi.py": PROGRAM, "src/partials/html/base.html": BASE, "src/partials/uploads/a.csv": "a,b\n"}
    files |= {f"src/pages/{name}/page.py": page for name, page in PAGES.items()}
    files |= {f"src/pages/{name}/page.html": TEMPLATE for name in CALLS}
    differing = [
        (request, difference)
        for request, (_, *both) in zip(REQUESTS, beside(files, "\n###\n".join(REQUESTS), **ENVIRONMENT), strict=True)
        for difference in differences(*map(compared, both))
        if difference.part in COMPARED
    ]
    assert not differing, "\n".join(f"{request}\n{difference}" for request, difference in differing)
