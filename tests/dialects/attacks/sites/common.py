"""What the sites of all dialects share: the files that they send, their secrets, and what they report to the judge."""

import json
import os
from importlib import import_module

SECRET = "SECRET"
"""The beginning of what no answer may have: files outside of the folders that are sent, keys, messages of errors."""
KEY = "SECRET-key-that-signs-sessions-0123456789"

smuggled = []
"""The requests for `/smuggled`, which the tests hide in others and send nowhere as such."""


def smuggle(method):
    """Note a request that must not be one."""
    smuggled.append(method)
    return "SMUGGLED"


def make_files(folder, name="static"):
    """Make the files of a site: some that are sent, in a folder, and others beside it and behind links."""
    sent, beside = folder / name, folder / f"{name}-beside"
    (sent / "sub").mkdir(parents=True)
    beside.mkdir()
    (sent / "page.txt").write_bytes(b"0123456789" * 100)
    (sent / "sub/index.html").write_text("<p>index</p>")
    for secret in (folder / "outside.txt", beside / "file.txt"):
        secret.write_text(f"{SECRET} outside")
    (sent / "link").symlink_to(beside)
    return sent


def loader(package):
    """The function that imports a module of a dialect, or of its original if ``package`` is empty."""
    return lambda name: import_module(f"{package}{name}")


def told(**values):
    """What a site tells of a request, as JSON."""
    return json.dumps({name: value if isinstance(value, list) else str(value) for name, value in values.items()})


def form_told(fields, files):
    """The fields and files of a form, as JSON: pairs, and triples of name, file name and size."""
    return json.dumps({"fields": [list(field) for field in fields], "files": [list(file) for file in files]})


def size_of(file):
    file.seek(0, os.SEEK_END)
    return file.tell()


def werkzeug_views(response_class):
    """The views that Flask, Kay and Werkzeug share: their requests are Werkzeug's."""

    def text(value):
        return response_class(str(value), mimetype="text/plain")

    def form(request):
        files = [(name, file.filename, size_of(file)) for name, file in request.files.items(multi=True)]
        return text(form_told(request.form.items(multi=True), files))

    def field(request):
        response = text("field")
        response.headers[request.args["name"]] = request.args["value"]
        return response

    def cookie(request):
        response = text("cookie")
        response.set_cookie(request.args["name"], request.args["value"], path=request.args.get("path", "/"))
        return response

    def conditional(request):
        response = text("conditional")
        response.set_etag("tag")
        return response.make_conditional(request.environ)

    return text, {"form": form, "field": field, "cookie": cookie, "conditional": conditional}


class SecretError(Exception):
    """An error whose message no client may see."""


def fail():
    """Raise an error that has secrets in its message and in its variables."""
    password = f"{SECRET} password"
    raise SecretError(f"{SECRET} message about {len(password)}")
