"""The site on Asok's names: the functions of its pages, and the project that has them."""

import sys
from pathlib import Path

from antiphon.dialects.asok import Asok, flash
from tests.dialects.attacks.sites.common import KEY, fail, form_told, make_files, smuggle, told


def hello(request):
    """Plain text."""
    return request.text("hello")


def tell(request):
    """What is read of a request."""
    return request.text(
        told(
            method=request.method, path=request.path, host=request.host, url=request.url, scheme=request.scheme,
            ip=request.ip, names=[*request.args], cookies=[*request.cookies], agent=request.browser.name,
            language=request.lang,
        )
    )  # fmt: skip


def form(request):
    """What is read of a form."""
    files = [(name, file.filename, file.size) for name, file in request.files.items()]
    return request.text(form_told(request.post_form.items(), files))


def json(request):
    """What is read of JSON."""
    return request.text(type(request.json_body).__name__)


def read(request):
    """The length of a body."""
    return request.text(str(len(request.body)))


def redirect(request):
    """A redirect to where the client says."""
    request.redirect(request.args["to"])


def field(request):
    """An answer with a header field of the client's."""
    return request.header(request.args["name"], request.args["value"]).text("field")


def file(request):
    """A file below the folder of uploads, by a name of the client's."""
    return request.send_file(request.args["name"])


def download(request):
    """A file by a name of the client's."""
    return request.send_file("page.txt", filename=request.args["name"])


def login(request):
    """A login."""
    request.session["user"] = request.args["user"]
    return request.text("welcome")


def whoami(request):
    """The user of the session."""
    return request.text(f"{request.session.get('user')} {request.shared('user')}")


def flash_text(request):
    """Keep a message."""
    flash(request.args["text"])
    return request.text("flashed")


def flashed(request):
    """The messages."""
    return request.text(str(request.get_flashed_messages()))


def smuggled(request):
    """A request that must not be one."""
    return request.text(smuggle(request.method))


def failing(request):
    """An error."""
    fail()


PAGES = {
    "hello": "hello", "told": "tell", "form": "form", "json": "json", "read": "read", "redirect": "redirect",
    "field": "field", "file": "file", "download": "download", "login": "login", "whoami": "whoami",
    "flash": "flash_text", "flashed": "flashed", "smuggled": "smuggled", "fail": "failing",
    "named/[name]": "hello",
}  # fmt: skip


def site(package, folder):
    """The application: its project is in ``folder``."""
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
