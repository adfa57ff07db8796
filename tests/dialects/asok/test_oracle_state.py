"""What one visitor is told, beside Asok itself: messages, tokens, logins, headers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]
SCRIPT = Path(__file__).parent / "original_state.py"

FILES = {
    "src/pages/flash/page.py": """
import json
def render(request):
    for arguments in json.loads(request.args.get("say", "[]")):
        request.flash(*arguments)
    if "on" in request.args:
        request.redirect("/flash")
    only = request.args.get("only")
    shown = [request.get_flashed_messages(category_filter=[only] if only else None) for _ in range(2)]
    texts = request.get_flashed_messages(with_categories=False, category_filter=[only] if only else None)
    return json.dumps([[[*each] for each in messages] for messages in shown] + [texts, [m.category for m in shown[0]]])
""",
    "src/pages/form/page.py": """
def render(request):
    if request.method == "GET":
        return str(request.csrf_input()).replace(" />", ">")
    return f"{request.method} {request.form.get('name')}"
""",
    "src/pages/login/page.py": """
def get(request):
    return f"{request.csrf_input()}".replace(" />", ">") + f"{request.user and request.user.name}"
def post(request):
    user = request.authenticate(name=request.form["name"], password=request.form["password"])
    return f"{user and user.name} {request.is_authenticated} {request.session.get('user_id')}"
def delete(request):
    request.logout()
    return f"{request.user} {request.is_authenticated}"
""",
    "src/pages/only/page.py": """
def render(request):
    if "role" in request.args:
        request.require_role(request.args["role"])
    if "auth" in request.args:
        request.require_auth(request.args["auth"])
    if "login" in request.args:
        request.login_required()
    return f"{request.has_role('editor')} {request.has_role('x', 'admin')} {request.has_role()} {request.has_role('x')}"
""",
    "src/pages/session/page.py": """
def render(request):
    request.session.setdefault("seen", 0)
    request.session["seen"] += 1
    request.session.update(a=[1], b={"c": None})
    popped = request.session.pop("nothing", "none")
    return f"{request.session['seen']} {request.session['a']} {request.session['b']} {popped} {'x' in request.session}"
""",
}

SAID = [
    [["success", "Sent!"]], [["Sent!", "success"]], [["Sent!"]], [["any kind", "Text"]], [["Text", "Error"]],
    [["error", "warning"]], [["info", "<b>&</b>"], ["error", "E"], ["info", "I"]], [["", "empty"]], [["info", 5]],
]  # fmt: skip
LOGIN = {"csrf_token": "TOKEN", "name": "Ada", "password": "oboe"}

VISITS = [
    *(("GET", "/flash?" + f"say={json.dumps(said)}".replace(" ", "%20").replace("&", "%26"), {}) for said in SAID),
    ("GET", '/flash?on=1&say=[["success","After"],["error","Both"]]', {}),
    ("GET", "/flash", {}),
    ("GET", "/flash", {}),
    ("POST", "/form", {"name": "x"}),
    ("GET", "/form", {}),
    *((method, "/form", {"name": "x", "csrf_token": "TOKEN"}) for method in ("POST", "PUT", "PATCH", "DELETE")),
    ("POST", "/form", {"name": "y", "HEADER": "TOKEN"}),
    ("POST", "/form", {"name": "y", "HEADER": "another"}),
    ("POST", "/form", {"name": "y", "csrf_token": "TOKENx"}),
    ("HEAD", "/form", {}),
    *(("GET", f"/only?{query}", {}) for query in ("", "role=admin", "auth=/login", "auth=/login?a=b", "login=1")),
    ("GET", "/flash", {}),
    ("GET", "/flash", {}),
    ("GET", "/login", {}),
    ("POST", "/login", {**LOGIN, "password": "tuba"}),
    ("POST", "/login", {**LOGIN, "name": "nobody"}),
    ("POST", "/login", LOGIN),
    ("POST", "/login", LOGIN),
    ("GET", "/login", {}),
    *(("GET", f"/only?{query}", {}) for query in ("", "role=admin", "role=x", "auth=/login", "login=1")),
    ("DELETE", "/login", {"csrf_token": "TOKEN"}),
    ("GET", "/login", {}),
    ("GET", "/session", {}),
    ("GET", "/session", {}),
]


def asked(folder, *dialects):
    asked = subprocess.run(
        [sys.executable, SCRIPT, folder, *dialects], input=json.dumps(VISITS), stdout=subprocess.PIPE, text=True,
        check=True, timeout=60, cwd=folder, env={**os.environ, "SECRET_KEY": "of-no-use-to-anybody-0123456789ab"},
    )  # fmt: skip
    return json.loads(asked.stdout)


def told(answers):
    """The answers without what differs on purpose: connections to sockets, which are not there, and each nonce."""
    for _, _, _, headers in answers:
        if policy := headers.get("content-security-policy"):
            parts = [part.split() for part in policy.rstrip(";").split(";")]
            sources = {
                name: {each for each in words if not each.startswith(("ws", "'nonce-"))} for name, *words in parts
            }
            headers["content-security-policy"] = sorted((name, *sorted(words)) for name, words in sources.items())
    return answers


def test_a_visitor_is_told_what_asok_tells(write):
    folder = write(FILES)
    expected, answered = told(asked(folder)), told(asked(folder, "asok"))
    for visit, theirs, ours in zip(VISITS, expected, answered, strict=True):
        assert ours == theirs, visit
