"""A WSGI program that shows what it gets of a path: the environ's keys, and what the dialects of WebOb make of them."""

import json

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.webob import Request


def show(environ, start_response):
    request = Request(environ)
    shown = [environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["QUERY_STRING"]]
    shown += [read(lambda: request.path_info), read(lambda: [*request.GET.items()])]
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(shown).encode()]


def read(attribute):
    try:
        return attribute()
    except UnicodeDecodeError as error:
        return f"{error.reason}, status {error.status_code}"


app = BridgedApplication(show)
