"""`python original.py FOLDER [DIALECT]`: the answers of a project, with Asok or the dialect, to requests.

They are read from standard input. Asok is asked in a process of its own, since it changes what it is imported into.
"""

import json
import logging
import sys
from importlib import import_module

from antiphon.dialect_imports import install
from antiphon.testing import Client


def answers(folder: str, requests: list[tuple[str, str, dict]]) -> list[tuple]:
    """The status, type, location and text of each answer."""
    app = import_module("asok").Asok(folder)
    app.config.update(CSRF=False, RATE_LIMIT=False, HTML_MINIFY=False)
    app.share(site="The Gazette", count=lambda request: len(request.args))
    return [
        _told(Client(app, "wsgi", follow_redirects=False).request(method, url, **_sent(sent)))
        for method, url, sent in requests
    ]


def _sent(options: dict) -> dict:
    """What is sent with a request, of which JSON has texts only."""
    if "body" in options:
        options["body"] = options["body"].encode()
    if "files" in options:
        options["files"] = {name: (file, text.encode(), kind) for name, (file, text, kind) in options["files"].items()}
    return options


def _told(response) -> tuple:
    headers = response.headers
    return response.status, headers.get("content-type"), headers.get("location"), response.text


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    folder, *dialects = sys.argv[1:]
    install(*dialects)
    sys.stdout.write(json.dumps(answers(folder, json.load(sys.stdin))))
