"""What one visitor is told, beside Asok itself: messages, tokens, logins, headers."""

import json
import re

import pytest

from antiphon.cli.compare import differences, masked

pytestmark = pytest.mark.processes

PROGRAM = """
import asok

class User:
    "A model without an ORM, which both are given."

    def __init__(self, id, name, roles):
        self.id, self.name, self.roles = id, name, roles

    @classmethod
    def find(cls, **values):
        return next((each for each in USERS if values.items() <= vars(each).items()), None)

    def check_password(self, field, text):
        return field == "password" and text == "oboe"

USERS = [User(1, "Ada", "admin, editor"), User(2, "Bob", ["reader"])]
is_dialect = asok.__package__ != "asok"
app = asok.Asok(".")
app.config.update(RATE_LIMIT=False, HTML_MINIFY=False, AUTH_MODEL=User if is_dialect else "User")
if not is_dialect:
    from asok.orm import MODELS_REGISTRY
    MODELS_REGISTRY["User"] = User
"""
FILES = {
    "wsgi.py": PROGRAM,
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


def visit(request, form="", *fields):
    """A case, which keeps the token of the form that it shows."""
    settings = ["# @environ wsgi.url_scheme https"]
    if request in ("GET /form", "GET /login"):
        settings.append('# @keep token name="csrf_token" value="([^"]+)"')
    kind = ["Content-Type: application/x-www-form-urlencoded", "", form] if form else []
    return "\n".join([*settings, request, "Host: shop.example", "Origin: https://shop.example", *fields, *kind])


ADA = "name=Ada&csrf_token={{token}}&password=oboe"
VISITS = [
    *(visit("GET /flash?" + f"say={json.dumps(said)}".replace(" ", "%20").replace("&", "%26")) for said in SAID),
    visit('GET /flash?on=1&say=[["success","After"],["error","Both"]]'),
    visit("GET /flash"),
    visit("GET /flash"),
    visit("POST /form", "name=x"),
    visit("GET /form"),
    *(visit(f"{method} /form", "name=x&csrf_token={{token}}") for method in ("POST", "PUT", "PATCH", "DELETE")),
    visit("POST /form", "name=y", "X-CSRF-Token: {{token}}"),
    visit("POST /form", "name=y", "X-CSRF-Token: another"),
    visit("POST /form", "name=y&csrf_token={{token}}x"),
    visit("HEAD /form"),
    *(visit(f"GET /only?{query}") for query in ("", "role=admin", "auth=/login", "auth=/login?a=b", "login=1")),
    visit("GET /flash"),
    visit("GET /flash"),
    visit("GET /login"),
    visit("POST /login", ADA.replace("oboe", "tuba")),
    visit("POST /login", ADA.replace("Ada", "nobody")),
    visit("POST /login", ADA),
    visit("POST /login", ADA),
    visit("GET /login"),
    *(visit(f"GET /only?{query}") for query in ("", "role=admin", "role=x", "auth=/login", "login=1")),
    visit("DELETE /login", "csrf_token={{token}}"),
    visit("GET /login"),
    visit("GET /session"),
    visit("GET /session"),
]
HEADERS = (
    "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy", "strict-transport-security",
    "content-security-policy",
)  # fmt: skip
UNLIKE = [re.compile(r"'nonce-[^']*'| ws[^ ;]*")]
"""Nonces, and connections to sockets, which are not there."""


def compared(answer):
    """A response without the page of another status than 200, whose policy has its parts in one order."""
    has_page = answer["status"] == 200
    fields = [
        [
            name,
            str(sorted(sorted({*part.split()}) for part in value.rstrip(";").split(";")))
            if name == HEADERS[-1]
            else value,
        ]
        for name, value in masked(answer, UNLIKE)["fields"]
        if name == "location" or (has_page and name in HEADERS)
    ]
    return {**answer, "body": answer["body"] if has_page else "", "fields": fields}


def test_a_visitor_is_told_what_asok_tells(beside):
    for case, *both in beside(FILES, "\n###\n".join(VISITS)):
        assert not differences(*map(compared, both)), case
