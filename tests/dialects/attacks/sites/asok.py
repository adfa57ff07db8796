"""The site on Asok's names: the functions of its pages, and the project that has them."""

import sys
from pathlib import Path

from antiphon.dialects.asok import Asok, flash
from tests.dialects.attacks.sites.common import KEY, fail, form_told, make_files, smuggle, told


def hello(request):
    return request.text("hello")


def tell(request):
    return request.text(
        told(
            method=request.method, path=request.path, host=request.host, url=request.url, scheme=request.scheme,
            ip=request.ip, names=[*request.args], cookies=[*request.cookies], agent=request.browser.name,
            language=request.lang,
        )
    )  # fmt: skip


def form(request):
    files = [(name, file.filename, file.size) for name, file in request.files.items()]
    return request.text(form_told(request.post_form.items(), files))


def json(request):
    return request.text(type(request.json_body).__name__)


def read(request):
    return request.text(str(len(request.body)))


def redirect(request):
    request.redirect(request.args["to"])


def back(request):
    request.back()


def field(request):
    return request.header(request.args["name"], request.args["value"]).text("field")


def file(request):
    return request.send_file(request.args["name"])


def download(request):
    return request.send_file("page.txt", filename=request.args["name"])


def login(request):
    request.session["user"] = request.args["user"]
    return request.text("welcome")


def whoami(request):
    return request.text(f"{request.session.get('user')} {request.shared('user')}")


def flash_text(request):
    flash(request.args["text"])
    return request.text("flashed")


def flashed(request):
    return request.text(str(request.get_flashed_messages()))


def smuggled(request):
    return request.text(smuggle(request.method))


def failing(request):
    fail()


PAGES = {
    "hello": "hello", "told": "tell", "form": "form", "json": "json", "read": "read", "redirect": "redirect",
    "back": "back",
    "field": "field", "file": "file", "download": "download", "login": "login", "whoami": "whoami",
    "flash": "flash_text", "flashed": "flashed", "smuggled": "smuggled", "fail": "failing",
    "named/[name]": "hello",
}  # fmt: skip


def site(package, folder):
    for name, function in PAGES.items():
        page = Path(folder, "src/pages", name, "page.py")
        page.parent.mkdir(parents=True)
        page.write_text(f"from tests.dialects.attacks.sites.asok import {function} as render\n")
    make_files(folder / "src/partials", "uploads")
    app = Asok(folder)
    app.config.update(CSRF=False, SECRET_KEY=KEY)
    app.freeze()
    sys.path.remove(str(folder / "src"))
    return app
