"""Forms of Asok and of the dialect, which are sent the same: `python -m tests.dialects.asok.beside_forms asok`."""

import enum
import io
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from tests.dialects.asok.beside_rules import responses_of
from tests.features.forms.markup import Element, parsed, submission


class Colour(enum.Enum):
    DARK_RED = "red"
    BLUE = "blue"


COLOURS = [("red", "Red & so"), ("blue", "Blue"), (3, "Three")]
ITEMS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]
FIELDS = (
    "text", "email", "password", "textarea", "number", "url", "tel", "search", "color", "range", "month", "date",
    "time",
)  # fmt: skip
FIELDS += ("datetime_local", "json")


def contact(form: Any) -> dict[str, Any]:
    return {
        "name": form.text("Your name", "required|min:2|max:10", placeholder='"Name"'),
        "email": form.email("E-mail", "required|email", {"email": "{field}?"}),
        "words": form.textarea("Words", "required", "All of it, please.", rows=5),
        "terms": form.checkbox("I agree", "required"),
        "token": form.hidden("in:a,b", data_x="1"),
    }


def chosen(form: Any) -> dict[str, Any]:
    return {
        "colour": form.select("Colour", COLOURS, "in:red,blue", **{"class": "wide"}),
        "other": form.select("Other", lambda: COLOURS),
        "size": form.radio("Size", [("s", "Small"), ("l", "Large")], "required"),
        "member": form.enum("Member", Colour, "required"),
        "on": form.toggle("On"),
        "heading": form.title("Chosen"),
        "given": form.text("Given", "min:2", readonly=True),
    }


def account(form: Any) -> dict[str, Any]:
    return {
        "password": form.password("Password", "required|password_strength|confirmed"),
        "again": form.password("Again", "same:password"),
        "code": form.text("Code", "digits:4", maxlength=4),
        "phone": form.tel("Phone", "tel"),
    }


def plain(form: Any) -> dict[str, Any]:
    return {name: getattr(form, name)(name.title()) for name in FIELDS}


def ruled(form: Any) -> dict[str, Any]:
    return {name: getattr(form, name)(name.title(), f"required|{name}") for name in FIELDS[1:] if name in RULED}


RULED = ("email", "url", "tel", "color", "month", "date", "json")

SUBMISSIONS: dict[Any, list[dict[str, str]]] = {
    contact: [
        {"name": "Ada", "email": "ada@example.com", "words": "one\r\ntwo", "terms": "on", "token": "a"},
        {"name": "A", "email": "ada", "words": "<b>", "token": "c", "other": "x"},
        {"name": "Ada " * 5, "email": "ä@b", "words": "\r\n", "terms": "1"},
        {},
    ],
    chosen: [
        {"colour": "blue", "other": "3", "size": "l", "member": "red", "on": "on", "given": "x"},
        {"colour": "3", "other": "none", "size": "none", "member": "DARK_RED"},
        {},
    ],
    account: [
        {**dict.fromkeys(("password", "password_confirmation", "again"), "Aa34567!"), "code": "1234"},
        {"phone": "12345678"},
        {"password": "Aa34567!", "password_confirmation": "", "again": "a", "code": "12345", "phone": "x"},
        {"password": "simple", "code": "12", "again": ""},
    ],
    plain: [
        {}, dict.fromkeys(FIELDS, "x"), {"date": "2030-12-31T10:11:12", "time": "2030-12-31 10:11:12", "json": "{}"},
        {"time": "10:11:12.5", "datetime_local": "2030-12-31 10:11:12+01:00", "date": "2030-12-31 10:11"},
    ],
    ruled: [
        dict.fromkeys(FIELDS, "x"),
        {"email": "a@b.de", "url": "https://b.de", "tel": "1234567", "color": "#fff", "json": "[]"},
        {"month": "2030-12", "date": "2030-12-31"},
    ],
}  # fmt: skip

FILLINGS: list[tuple[Any, Any]] = [
    (contact, {"name": "Ada", "terms": True, "token": "b", "unknown": 1}),
    (contact, SimpleNamespace(name=None, email=3, words="a\nb", terms=0)),
    (chosen, {"colour": Colour.BLUE, "other": 3, "size": "s", "on": "1", "given": "here & now"}),
    (plain, {"date": "2030-12-31 10:11", "datetime_local": "2030-12-31", "number": 4.5, "text": "é"}),
    (account, {"password": "secret", "code": "123456789"}),
]


FILES = {
    "a.png": b"\x89PNG\r\n\x1a\n....", "a.PNG": b"\x89PNG\r\n\x1a\n", "b.jpg": b"\xff\xd8\xff\xe0",
    "b.png": b"\xff\xd8\xff\xe0", "c.gif": b"GIF89a.", "d.webp": b"RIFF....WEBPVP8 ", "d.wav": b"RIFF....WAVEfmt ",
    "e.jpeg": b"GIF87a", "plain": b"text",
    "f.svg": b"<svg>", "h.jpg": b"", "i.png.jpg": b"\xff\xd8\xff" + b"." * 3000,
}  # fmt: skip
FILE_RULES = (
    "required", "image", "ext:png,jpg", "ext:.png", "size:3000", "size:2k", "size:0.001M", "size:1G", "ext:gif|size:4",
)  # fmt: skip


class Package:
    """Asok, or the dialect: its forms, and requests for them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.Form = import_module(f"{name}.forms").Form
        self.ValidationError = import_module(f"{name}.forms").ValidationError

    def request(self, method: str = "POST", sent: dict[str, str] | None = None) -> Any:
        return self.request_of(method, "application/x-www-form-urlencoded", urlencode(sent or {}).encode())

    def upload(self, name: str, content: bytes, text: str = "") -> Any:
        head = f'--x\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        text = f'\r\n--x\r\ncontent-disposition: form-data; name="text"\r\n\r\n{text}\r\n--x--\r\n'
        return self.request_of("POST", "multipart/form-data; boundary=x", head.encode() + content + text.encode())

    def request_of(self, method: str, kind: str, body: bytes) -> Any:
        if self.name == "asok":
            length = str(len(body))
            environ = {"REQUEST_METHOD": method, "PATH_INFO": "/", "CONTENT_TYPE": kind, "CONTENT_LENGTH": length}
            return import_module("asok.request").Request({**environ, "wsgi.input": io.BytesIO(body)})
        return request_of_the_dialect(method, {"content-type": kind}, body)


def request_of_the_dialect(method: str, headers: dict[str, str], body: bytes, url: str = "/") -> Any:
    from antiphon import Request as NativeRequest
    from antiphon.dialects.asok import Request
    from antiphon.features.html import Markup

    app: Any = SimpleNamespace(
        root_dir=".", has_pages=True, native=SimpleNamespace(is_provided=lambda _dependency: False)
    )
    request: Any = Request(app, NativeRequest.blank(url, method, headers, body))
    vars(request).update(
        {"verify_csrf": lambda: None, "csrf_input": lambda: Markup('<input type="hidden" name="csrf_token">')}
    )
    return request


def checked(form: Any) -> Any:
    return [form.validate(csrf=False), form.errors, form.data, shown(form)]


def sent(package: Package) -> Iterator[tuple[str, Any]]:
    """What is said of each submission, and what the form would send again."""
    for define, submissions in SUBMISSIONS.items():
        definitions = define(package.Form)
        declared = type("Declared", (package.Form,), dict(definitions))
        for number, values in enumerate(submissions):
            request = package.request("POST", values)
            for kind, form in (("dict", package.Form(definitions, request)), ("class", declared(request))):
                yield (f"{define.__name__} {number} {kind}", checked(form))
                yield (
                    f"{define.__name__} {number} {kind} again",
                    [form.reset() is form, form.errors, form.data, shown(form)],
                )
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            yield f"{define.__name__} {method}", checked(declared(package.request(method)))


def filled(package: Package) -> Iterator[tuple[str, Any]]:
    for number, (define, source) in enumerate(FILLINGS):
        for method in ("GET", "POST"):
            form = package.Form(define(package.Form), package.request(method, {"name": "sent"})).fill(source)
            yield f"{define.__name__} {number} {method}", [json.loads(json.dumps(form.data)), shown(form)]


def parts(package: Package) -> Iterator[tuple[str, Any]]:
    form = package.Form(contact(package.Form), package.request("POST", {"name": "A"}))
    form.validate(csrf=False)
    yield (
        "errors",
        [form.has_errors, form.has_error("name"), form.has_error("token"), form.error("words"), form.error("token")],
    )
    yield (
        "fields",
        [[field.name for field in form], len(form), "name" in form, "x" in form, form.name.value, form["email"].name],
    )
    yield "a field", [(f.name, f.type, f.rules, f.readonly, f._label, f._error, f.attrs) for f in form]
    yield "empty parts", [str(form.token.label), str(form.token.error), str(form.hidden_fields).count("<input")]
    yield "choices", [form.name.choices, package.Form(chosen(package.Form)).other.choices]
    for wrong in ({}, {"a-b": ()}, 3, {"1a": ()}):
        definitions = dict.fromkeys(wrong, package.Form.text("")) if isinstance(wrong, dict) else wrong
        yield f"made of {wrong}", kind_of_error(package.Form, definitions)
    yield "no request", kind_of_error(package.Form(contact(package.Form)).validate)
    yield (
        "no field",
        [kind_of_error(form.error, "x"), kind_of_error(form.__getitem__, "x"), kind_of_error(getattr, form, "url")],
    )
    yield "raised", kind_of_error(form.validate, csrf=False, raise_error=True)
    yield "bound", [form.bind(package.request("POST", {"name": "Bob"})) is form, form.data]


def files(package: Package) -> Iterator[tuple[str, Any]]:
    for rules in FILE_RULES:
        definitions = {"file": package.Form.file("File", rules), "text": package.Form.text("Text", "min:2")}
        for name, content in FILES.items():
            form = package.Form(definitions, package.upload(name, content, "ab"))
            yield f"{rules} of {name}", checked(form)
        form = package.Form(definitions, package.request("POST", {"text": "ab"}))
        yield f"{rules} of no file", checked(form)


def swapped(package: Package) -> Iterator[tuple[str, Any]]:
    """A file where a text is asked for, and a text where a file is."""
    for rules in ("", "required", "min:2", "image"):
        definitions = {"file": package.Form.text("Text", rules), "text": package.Form.file("File", rules)}
        yield rules, checked(package.Form(definitions, package.upload("a.png", b"....", "ab")))


def validated(package: Package) -> Iterator[tuple[str, Any]]:
    """`request.validate`, by rules and by forms."""
    rules = {"name": "required|min:2", "age": ("integer", {"integer": "{field}!"})}
    for number, values in enumerate(({"name": "Ada", "age": "36", "x": "y"}, {"name": "A", "age": "old"})):
        request = package.request("POST", values)
        yield (
            f"rules {number}",
            [
                request.validate(rules, csrf=False, raise_error=False),
                request.validate(rules, data={"name": "Bob"}, csrf=False, raise_error=False),
                kind_of_error(request.validate, rules, csrf=False),
            ],
        )
        by_json = package.request_of("POST", "application/json", json.dumps({**values, "age": number}).encode())
        yield f"json {number}", by_json.validate(rules, csrf=False, raise_error=False)
        declared = type("Contact", (package.Form,), contact(package.Form))
        for target in (declared, package.Form(contact(package.Form))):
            form = request.validate(target, csrf=False, raise_error=False)
            yield f"form {number} {isinstance(target, type)}", [isinstance(form, package.Form), form.data, form.errors]
            yield (
                f"form {number} {isinstance(target, type)} raised",
                kind_of_error(request.validate, target, csrf=False),
            )
    for wrong in (b"{", b"[1]", b"null", b""):
        request = package.request_of("POST", "application/json", wrong)
        yield f"json {wrong!r}", kind_of_error(request.validate, rules, csrf=False)
    yield "neither", kind_of_error(package.request("POST").validate, "required", csrf=False)


def kind_of_error(function: Any, *args: Any, **options: Any) -> str:
    try:
        function(*args, **options)
    except Exception as error:
        return type(error).__name__
    return "none"


def shown(form: Any) -> Any:
    """The inputs, labels, headings and errors of a form, as far as they are no matter of taste."""
    page = parsed("".join(str(field) for field in form))
    ids = [each.get("id") for each in page.all("input", "select", "textarea") if each.get("id")]
    labels = [(each.get("for"), each.text.strip()) for each in page.all("label") if each.get("for") in ids]
    errors = [each.text for each in page.all("div") if each.get("class") == "form-error"]
    inputs = [_said_of(each) for each in page.all("input", "select", "textarea") if each.get("name")]
    boxes = [
        each.text.strip() for each in page.all("h3", "div") if each.get("class") in ("form-title", "readonly-value")
    ]
    options = [(each.get("value"), each.text) for each in page.all("option")]
    return [sorted(labels, key=str), errors, inputs, boxes, options, submission(page)]


_TOLD = ("name", "type", "required", "minlength", "maxlength", "min", "max", "placeholder", "rows", "class", "data_x")


def _said_of(element: Element) -> Any:
    return [element.tag, *((name, element.get(name)) for name in _TOLD if name in element.attributes)]


def answers(name: str) -> dict[str, Any]:
    return responses_of((sent, filled, parts, files, swapped, validated), Package(name))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answers(sys.argv[1])))
