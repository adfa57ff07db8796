"""`python original_state.py FOLDER [DIALECT]`: what one visitor of a project is answered, by Asok or by the dialect.

The visits are read from standard input. Asok is asked in a process of its own, since it changes what it is imported
into.
"""

import json
import logging
import re
import sys
from importlib import import_module

from antiphon.dialect_imports import install
from antiphon.testing import Client

HEADERS = (
    "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy", "strict-transport-security",
    "content-security-policy",
)  # fmt: skip


class User:
    """A model without an ORM, which both are given."""

    def __init__(self, id: int, name: str, roles: object) -> None:
        self.id, self.name, self.roles = id, name, roles

    @classmethod
    def find(cls, **values: object) -> "User | None":
        return next((each for each in USERS if values.items() <= vars(each).items()), None)

    def check_password(self, field: str, text: str) -> bool:
        return field == "password" and text == "oboe"


USERS = [User(1, "Ada", "admin, editor"), User(2, "Bob", ["reader"])]


def answers(folder: str, visits: list[tuple[str, str, dict]], is_dialect: bool) -> list[tuple]:
    """The answers to one visitor, whose forms have the token of the last page that had one."""
    app = import_module("asok").Asok(folder)
    app.config.update(RATE_LIMIT=False, HTML_MINIFY=False, AUTH_MODEL=User if is_dialect else "User")
    if not is_dialect:
        import_module("asok.orm").MODELS_REGISTRY["User"] = User
    client = Client(app, "wsgi", follow_redirects=False, base_url="https://shop.example")
    token, told = "", []
    for method, path, form in visits:
        sent = {name: value.replace("TOKEN", token) for name, value in form.items()}
        headers = {"origin": "https://shop.example"}
        if header := sent.pop("HEADER", None):
            headers["x-csrf-token"] = header
        response = client.request(method, path, headers=headers, **({"form": sent} if sent else {}))
        if found := re.search(r'name="csrf_token" value="([^"]+)"', response.text):
            token = found[1]
        told.append(_told(response, token))
    return told


def _told(response, token) -> tuple:
    text = response.text.replace(token, "TOKEN") if token else response.text
    headers = {name: response.headers.get(name, "") for name in HEADERS} if response.status == 200 else {}
    return response.status, response.headers.get("location"), text if response.status == 200 else "", headers


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    folder, *dialects = sys.argv[1:]
    install(*dialects)
    sys.stdout.write(json.dumps(answers(folder, json.load(sys.stdin), bool(dialects))))
