"""The same project and requests to Asok and to the dialect, where Asok follows its own document.

What is known to differ is listed in the reference, with reasons.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ORIGINAL = Path(__file__).parent / "original.py"

PROBES = {
    "args": "[request.args['q'], request.args.get('x'), request.args.getlist('q')]",
    "form": "[request.form.get('a'), request.post_form, request.method]",
    "json_body": "[request.json_body, request.is_json, request.get_json(), request.json.get('a')]",
    "urls": "[request.path, request.url, request.base_url, request.host, request.hostname, request.raw_query_string]",
    "cookies": "[request.cookies_dict, request.cookie('a'), request.cookie('z', 1)]",
    "client": "[request.ip, request.user_agent, request.browser.name, request.browser.os, request.browser.is_mobile]",
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
ENVIRONMENT = {"A_TRUE": "True", "A_TEXT": "text", "A_NULL": "null", "SECRET_KEY": "of-no-use-to-anybody-0123456789ab"}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The answers of each library."""
    root = tmp_path_factory.mktemp("asok")
    for name, page in PAGES.items():
        (root / "src/pages" / name).mkdir(parents=True)
        (root / "src/pages" / name / "page.py").write_text(page)
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
@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=lambda number: " ".join(REQUESTS[number][:2]))
def test_answers_are_those_of_asok(answered, number):
    theirs, ours = (answers[number] for answers in answered)
    assert _known(ours) == _known(theirs)


def _known(answer):
    """An answer, of whose body only the data count if it is JSON."""
    status, kind, location, text = answer
    return status, kind, location, json.loads(text) if kind == "application/json" else text
