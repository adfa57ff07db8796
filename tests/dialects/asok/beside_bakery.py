"""A visit to a project written for Asok: `python -m tests.dialects.asok.beside_bakery` prints it, with Asok.

Another argument is the dialect to run it with. The project is that of the working folder, which Asok writes into.
"""

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from antiphon.cli.compare_program import Visitor
from antiphon.dialect_imports import install
from tests.features.forms.markup import Element, parsed, submission

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Step(NamedTuple):
    """What a visitor does: asks for a path, or fills in the form of the last page."""

    path: str
    filled: dict[str, str] | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    method: str = ""
    file: tuple[str, str, bytes] | None = None


CONTACT = {
    "name": "Ada",
    "email": "ada@example.com",
    "topic": "other",
    "message": "A loaf of rye, please.",
    "copy": "on",
}
CAKE = {"text": "Ada + Bo", "kind": "f", "day": "2030-12-31", "candles": "9", "gift": "on", "notes": "[1]"}
PNG = b"\x89PNG\r\n\x1a\n" + b"." * 99
VISIT = [
    *map(
        Step, ("/", "/bread", "/bread?q=e", "/bread?q=%3Cx", "/bread/1", "/bread/2", "/bread/9", "/nowhere", "/orders")
    ),
    Step("/contact"), Step("/contact", CONTACT),
    Step("/contact", {"name": "A", "email": "ada", "message": "<short>"}),
    Step("/contact", {**CONTACT, "topic": "none"}),
    Step("/contact", {"csrf_token": "x"}), Step("/contact"),
    Step("/contact", {**CONTACT, "email": "x"}, {"X-Block": "main"}),
    Step("/contact", CONTACT, {"X-Block": "main"}),
    Step("/bread"), Step("/bread", None, {"X-Block": "main"}),
    Step("/bread/3", None, {"X-Block": "title,main"}),
    Step("/bread/3", None, {"X-Block": "nothing"}),
    Step("/bread"), Step("/contact?name=Query&copy=on"), Step("/bread/1", method="HEAD"),
    Step("/bread/1", method="DELETE"), Step("/cakes"), Step("/cakes", {}),
    Step(
        "/cakes",
        {"text": "ada", "kind": "x", "size": "m", "day": "31.12.", "candles": "100", "secret": "a", "notes": "["},
    ),
    Step("/cakes", CAKE, file=("photo", "a.png", b"no picture")),
    Step("/cakes", CAKE, file=("photo", "a.jpg", PNG)),
    Step("/cakes", CAKE, file=("photo", "big.png", PNG * 99)),
    Step("/cakes", {**CAKE, "secret": "a", "secret_confirmation": "a"}, file=("photo", "a.png", PNG)),
    Step("/cakes"), Step("/cakes", CAKE), Step("/cakes"),
    Step("/cakes?plain=1", {"text": "x" * 21, "candles": "many"}),
    Step("/cakes"),
    Step("/cakes", {**CAKE, "token": "c"}, file=("photo", "", b"")),
    Step("/account"), Step("/login?next=/account"),
    Step("/login", {"email": "", "password": ""}),
    Step("/login", {"email": "ada@example.com", "password": "wrong"}),
    Step("/login", {"email": "ada@example.com", "password": "correct horse"}),
    Step("/account"), Step("/account"), Step("/logout"), Step("/"), Step("/?lang=fr"), Step("/bread"),
    Step("/contact"), Step("/contact", {"name": "A"}), Step("/contact", CONTACT), Step("/api/bread"),
    Step("/api/bread", None, {"Content-Type": JSON}, b'{"name": "Rye"}', "POST"),
    Step("/contact"),
    Step(
        "/api/bread", None, {"Content-Type": JSON, "X-CSRF-Token": "that of the last form"}, b'{"name": "Rye"}', "POST"
    ),
    Step("/api/bread", None, {"Content-Type": JSON, "X-CSRF-Token": "that of the last form"}, b"{}", "POST"),
    Step("/orders", None, {"X-CSRF-Token": "that of the last form"}, b"loaf=3&count=2", "POST"),
    Step("/orders", None, {"X-CSRF-Token": "that of the last form"}, b"loaf=3&count=20", "POST"),
    Step("/css/base.css"),
]  # fmt: skip


class Browser(Visitor):
    """A visitor that also keeps the inputs of the last page."""

    page = Element("", {}, [])
    token = ""

    def does(self, step: Step) -> list[Any]:
        answer = self.send(self.case(step))
        status, headers = answer["status"], dict(answer["fields"])
        if "lang=" in step.path and status == 302:  # which the dialect does without
            answer = self.send(self.case(Step(headers["location"])))
            status, headers = answer["status"], dict(answer["fields"])
        text, kind = answer["body"].encode("latin-1").decode(), headers.get("content-type", "").partition(";")[0]
        told = [status, headers.get("location"), kind]
        assert not answer["raised"], answer
        if status in UNLIKE:
            return [status, kind]
        if kind == "text/html":
            return [*told, *self.sees(text, status)]
        return [*told, json.loads(text) if kind == "application/json" else text]

    def case(self, step: Step) -> dict[str, Any]:
        body, fields = step.body, {"Content-Type": FORM, **step.headers}
        if step.filled is not None:
            pairs = {**dict(submission(self.page)), **step.filled}
            body = urlencode(pairs).encode()
            if step.file:
                fields["Content-Type"], body = "multipart/form-data; boundary=parts", in_parts(pairs, step.file)
        if "X-CSRF-Token" in fields:
            fields["X-CSRF-Token"] = self.token
        method = step.method or ("GET" if step.filled is None else "POST")
        return {"method": method, "target": step.path, "fields": [*fields.items()], "body": body.decode("latin-1")}

    def sees(self, text: str, status: int) -> list[Any]:
        """The title, the words, the links of a page, and what its forms would send."""
        self.page = parsed(text.replace("<!DOCTYPE html>", "").replace(" />", ">"))
        sent = submission(self.page)
        self.token = dict(sent).get("csrf_token", self.token)
        title = [each.text for each in self.page.all("title") if status != 404]
        links = [(each.get("href"), each.text) for each in self.page.all("a")]
        return [title, words(self.page).split(), links, [pair for pair in sent if pair[0] != "csrf_token"]]


def in_parts(pairs: dict[str, str], file: tuple[str, str, bytes]) -> bytes:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in pairs.items() if name != file[0]]
    parts.append(f'name="{file[0]}"; filename="{file[1]}"\r\n\r\n'.encode() + file[2])
    return (
        b"".join(b"--parts\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--parts--\r\n"
    )


UNLIKE = (403, 405)
"""Answers with other words."""


def words(element: Element) -> str:
    """The text of a page, without its scripts and its title."""
    parts = (part if isinstance(part, str) else words(part) for part in element.content)
    return "" if element.tag in ("script", "style", "title") else " ".join(parts)


def answers(app: Any) -> dict[str, Any]:
    browser = Browser(app)
    found = {f"{number} {step.path} {step.filled or ''}": browser.does(step) for number, step in enumerate(VISIT)}
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


if __name__ == "__main__":
    if dialect := sys.argv[1:]:
        install(*dialect)
    sys.path.insert(0, str(Path.cwd()))
    sys.stdout.write(json.dumps(answers(import_module("wsgi").app)))
