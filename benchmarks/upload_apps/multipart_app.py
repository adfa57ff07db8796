"""multipart: a parser by itself, in a bare WSGI application."""

from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import multipart

from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file


def answer(path: str, forms: Any, files: Any) -> str:
    if path == "/parts":
        return fields([forms[name] for name in NAMES])
    file = files["file"]
    if path == "/large":
        return large_file(forms["title"], file.filename, file.file)
    return upload(forms["title"], file.filename, file.raw)


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    forms, files = multipart.parse_form_data(environ, strict=True)
    text = answer(environ["PATH_INFO"], forms, files).encode()
    for file in files.values():
        file.close()
    start_response("200 OK", [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text)))])
    return [text]
