"""Werkzeug: its Request and Response; WSGI."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file


def answer(request: Request) -> str:
    if request.path == "/parts":
        return fields([request.form[name] for name in NAMES])
    file = request.files["file"]
    filename = file.filename or ""
    if request.path == "/large":
        return large_file(request.form["title"], filename, file.stream)
    return upload(request.form["title"], filename, file.read())


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    with Request(environ) as request:
        return Response(answer(request))(environ, start_response)
