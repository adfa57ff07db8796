"""A project of Asok: pages of files, and one with a template, a layout around it and a list in it."""

import atexit
import logging
import os
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LAMPS = [{"name": f"lamp {number}", "price": 19.5 + number} for number in range(5)]

FILES = {
    "pages/hello/page.py": """
def render(request):
    return request.text("Hello, world!")
""",
    "pages/args/page.py": """
def render(request):
    args = request.args
    return request.text(f"page {args.get('page')} of {int(args['size'])} by {args.get('sort')}")
""",
    "pages/json/page.py": """
def post(request):
    account = request.json_body
    return request.json({"created": account["name"], "tags": len(account["tags"])})
""",
    "pages/form/page.py": """
def post(request):
    form = request.form
    return request.text(f"{form['name']}, {form['email']}, {form.get('note')}")
""",
    "pages/page/page.py": f"""
LAMPS = {LAMPS!r}


def render(request):
    return request.html("page.html", title="Lamps", lamps=LAMPS)
""",
    "pages/page/page.html": """
{% extends "html/base.html" %}
{% block main %}
<h1>{{ title }}</h1>
<ul>{% for lamp in lamps %}<li>{{ lamp.name }}: {{ lamp.price }}</li>{% endfor %}</ul>
{% endblock %}
""",
    "partials/html/base.html": """
<!doctype html>
<html lang="{{ request.lang }}"><head><title>{{ title }}</title></head>
<body><nav>{{ site_name }}</nav><main>{% block main %}{% endblock %}</main></body></html>
""",
}


def build(package: str) -> Any:
    """The application, made with the modules of a package: `asok`, or the dialect. Neither checks tokens."""
    os.environ.setdefault("SECRET_KEY", "only-for-the-benchmarks-0123456789abcdef")
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    for name, text in FILES.items():
        path = Path(folder.name, "src", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    app = import_module(package).Asok(root_dir=folder.name)
    logging.disable(logging.WARNING)  # or Asok writes a line for each request
    app.config.update(RATE_LIMIT=False, CSRF=False)
    app.template_context(site_name="Lamps and shades")
    return app
