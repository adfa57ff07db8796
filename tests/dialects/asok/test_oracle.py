"""The same project and requests to Asok and to the dialect, where Asok follows its own document.

What is known to differ is listed in the reference, with reasons.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ORIGINAL = Path(__file__).parent / "original.py"

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
FILE = {"files": {"f": ["a.txt", "hello", "text/plain"]}, "form": {"a": "1"}}
REQUESTS = [
    ("GET", "/args?q=a&q=b%20c&r=%C3%A9", {}),
    ("GET", "/form?a=0", {}),
    ("POST", "/form", {"form": {"a": "1", "b": "é"}}),
    ("POST", "/form?a=0&c=2", {"form": {"a": "1"}}),
    ("POST", "/form", {"json": {"a": 1}}),
    ("POST", "/json_body", {"json": {"a": [1, None]}}),
    ("POST", "/json_body", {"json": [1, 2]}),
    ("POST", "/json_body", {"body": "{", "headers": {"content-type": "application/json"}}),
    ("GET", "/json_body", {}),
    ("GET", "/urls?a=b%20c", {}),
    ("GET", "/cookies", {"cookies": {"a": "1", "b": "x y"}}),
    ("GET", "/cookies", {}),
    ("GET", "/client", {"headers": {"user-agent": CHROME}}),
    ("GET", "/client", {"headers": {"user-agent": CHROME, "x-forwarded-for": "192.0.2.1"}}),
    ("GET", "/environ?name=REMOTE_ADDR&name=REQUEST_METHOD&name=HTTP_X_A&n=%20%2B+", {"headers": {"x-a": "1"}}),
    ("POST", "/environ?name=CONTENT_TYPE&name=CONTENT_LENGTH&name=PATH_INFO", {"form": {"a": "1"}}),
    ("GET", "/shared?a=1&b=2", {}),
    ("GET", "/env", {}),
    ("GET", "/status", {}),
    ("POST", "/files", FILE),
    ("GET", "/user/42", {}),
    ("GET", "/user/a%20b/c", {}),
    ("GET", "/number/7", {}),
    ("GET", "/number/seven", {}),
    ("GET", "/text", {}),
    ("GET", "/plain", {}),
    ("GET", "/api", {}),
    ("GET", "/verbs", {}),
    ("POST", "/verbs", {}),
    ("PUT", "/verbs", {}),
    ("DELETE", "/verbs", {}),
    ("GET", "/away", {}),
    ("GET", "/evil", {"headers": {"referer": "https://evil.example/"}}),
    ("GET", "/evil", {}),
    ("GET", "/home", {}),
    ("GET", "/gone", {}),
    ("GET", "/nothing/here", {}),
    ("GET", "/constant", {}),
    ("GET", "/response", {}),
]
REQUESTS += [("GET", f"/{name}?q=<q>", {}) for name in CALLS if name != "asked"]
REQUESTS += [
    ("GET", f"/{name}", {"headers": {"x-block": asked}}) for name in ("whole", "two", "below") for asked in ASKED
]
REQUESTS += [("GET", "/asked", {"headers": {"x-block": "main"}}), ("GET", "/one", {"headers": {"x-block": "side"}})]
ENVIRONMENT = {"A_TRUE": "True", "A_TEXT": "text", "A_NULL": "null", "SECRET_KEY": "of-no-use-to-anybody-0123456789ab"}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The answers of each library."""
    root = tmp_path_factory.mktemp("asok")
    for name, page in PAGES.items():
        (root / "src/pages" / name).mkdir(parents=True)
        (root / "src/pages" / name / "page.py").write_text(page)
    for name in CALLS:
        (root / "src/pages" / name / "page.html").write_text(TEMPLATE)
    (root / "src/partials/html").mkdir(parents=True)
    (root / "src/partials/html/base.html").write_text(BASE)
    (root / "src/partials/uploads").mkdir(parents=True)
    (root / "src/partials/uploads/a.csv").write_text("a,b\n")

    def ask(*dialects):
        command = [sys.executable, str(ORIGINAL), str(root), *dialects]
        asked = subprocess.run(
            command, input=json.dumps(REQUESTS), capture_output=True, text=True, check=True, timeout=60, cwd=root,
            env={**os.environ, **ENVIRONMENT},
        )  # fmt: skip
        return json.loads(asked.stdout)

    return ask(), ask("asok")


@pytest.mark.processes
@rows("number", range(len(REQUESTS)), ids=lambda number: " ".join(map(str, REQUESTS[number])))
def test_answers_are_those_of_asok(answered, number):
    theirs, ours = (answers[number] for answers in answered)
    assert _known(ours) == _known(theirs)


def _known(answer):
    """An answer, of whose body only the data count if it is JSON, and only what a page has rendered if it is HTML."""
    status, kind, location, text = answer
    text = ADDED.sub("", text)
    return status, kind, location, json.loads(text) if kind == "application/json" else text
