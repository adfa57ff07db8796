"""The requests to the programs, and the answers that every way of writing them must give."""

import json
import sys
from contextlib import chdir
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

FOLDER = Path(__file__).parent
NATIVE = "native"
DIALECTS = ("flask", "pyramid", "webob", "werkzeug", "microdot", "kay", "asok")
DIFFERENT = {
    "kay": "Kay itself is for Python 2",
    "stream/asok": "Asok itself strips the lines, sends them as one, and adds a comment in HTML",
    "file/asok": "Asok itself sends Content-Length twice",
}
"""Dialects, and programs in a dialect, whose original can't run or answers differently, and the reason."""
OVER_ASGI = ("microdot",)
"""Dialects whose programs are served over ASGI, since their handlers are `async def`; all others use WSGI."""

_kept: list[TemporaryDirectory[str]] = []
"""The folders of served projects, kept until the process ends."""

PICTURE = bytes(range(256)) * 20
BOUNDARY = "----WebKitFormBoundaryZ1x2C3v4B5n6M7"
PARTS = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nLamp\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; filename="lamp.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
).encode() + b"%b\r\n--%b--\r\n" % (PICTURE, BOUNDARY.encode())


class Answer(NamedTuple):
    """An answer: its body (JSON by value, None for any), its type, and fields that contain all these elements."""

    body: object
    media_type: str = "text/html"
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()


class Program(NamedTuple):
    """A program, the request to it, and its answers to a client that sends the request once, and once more."""

    name: str
    text: str
    """A sentence for the reader of the programs."""
    answers: tuple[Answer, ...]
    method: str = "GET"
    target: str = "/"
    body: bytes = b""
    content_type: str = ""

    def ways(self) -> list[str]:
        """Return the native API and the dialects that have this program."""
        return [way for way in (NATIVE, *DIALECTS) if self.path(way).exists()]

    def path(self, way: str) -> Path:
        """Return the file of the program in one way of writing, or for Asok, the folder of the project."""
        return FOLDER / self.name / (way if way == "asok" else f"{way}.py")

    def has_original(self, way: str) -> bool:
        """Return True if an original library gives the same answers as this way of writing the program."""
        return way != NATIVE and way not in DIFFERENT and f"{self.name}/{way}" not in DIFFERENT

    def load(self, way: str, *, original: bool = False) -> Any:
        """Return the application, on the dialect or with the original library."""
        path = self.path(way)
        if path.is_dir():
            return _load_project(path, original)
        source = path.read_text()
        if original:
            source = source.replace("antiphon.dialects.", "")
        module = ModuleType(f"{'original_' if original else ''}{self.name}_{way}")
        vars(module)["__file__"] = str(path)
        sys.modules[module.__name__] = module  # Pyramid looks there for the configuring module
        exec(compile(source, path, "exec"), module.__dict__)
        return module.app


def _load_project(project: Path, original: bool) -> Any:
    """Return the application of a copy of a project, since Asok adds folders to the project."""
    folder = TemporaryDirectory()
    _kept.append(folder)
    copytree(project, folder.name, dirs_exist_ok=True)
    source = (project / "wsgi.py").read_text()
    variables: dict[str, Any] = {}
    with chdir(folder.name):
        exec(source.replace("antiphon.dialects.", "") if original else source, variables)
    return variables["app"]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _visit(number: int, *fields: tuple[str, str]) -> Answer:
    return Answer(f"Visit {number}", fields=fields)


def _counted(number: int) -> Answer:
    return _visit(number, ("set-cookie", f"visits={number}; max-age=3600; path=/; httponly"))


PROGRAMS = (
    Program("hello", "A page of one line.", (Answer("<h1>Hello, world!</h1>"),)),
    Program(
        "query",
        "A value of the query, a number with a default, and all values of one name, returned as JSON.",
        (Answer({"q": "oil lamp", "page": 2, "tags": ["old", "brass"]}, "application/json"),),
        target="/?q=oil+lamp&page=2&tag=old&tag=brass",
    ),
    Program(
        "form",
        "Fields of a form, one of them sent twice; values are escaped when they are shown.",
        (Answer("Zoë &amp; Co. likes red and blue."),),
        "POST",
        body=urlencode([("name", "Zoë & Co."), ("colour", "red"), ("colour", "blue")]).encode(),
        content_type="application/x-www-form-urlencoded",
    ),
    Program(
        "json",
        "JSON is read and returned, with a status other than 200.",
        (Answer({"customer": "Zoë", "total": 65}, "application/json", 201),),
        "POST",
        body=_json({"customer": "Zoë", "items": [{"name": "lamp", "price": 20}, {"name": "shade", "price": 45}]}),
        content_type="application/json",
    ),
    Program(
        "upload",
        "A form with a file.",
        (Answer({"title": "Lamp", "name": "lamp.png", "size": len(PICTURE)}, "application/json"),),
        "POST",
        body=PARTS,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    ),
    Program("cookie", "A cookie is read, and set for an hour.", (_counted(1), _counted(2))),
    Program(
        "redirect",
        "The client is sent elsewhere.",
        (Answer(None, "", 302, (("location", "/lamps/7"),)),),
        target="/?number=7",
    ),
    Program(
        "error",
        "An exception is raised in one place and handled in another, for the whole program.",
        (Answer({"error": "There is no such lamp."}, "application/json", 404),),
    ),
    Program(
        "stream",
        "A response whose body is generated while it is sent.",
        (Answer("lamp,price\nlamp 0,20\nlamp 1,21\nlamp 2,22\n", "text/csv"),),
    ),
    Program(
        "file",
        "A file on disk, which browsers save.",
        (
            Answer(
                (FOLDER / "file/prices.csv").read_text(),
                "text/csv",
                fields=(("content-disposition", "attachment; filename=prices.csv"),),
            ),
        ),
    ),
    Program(
        "after_hook",
        "A header on every response of the program.",
        (Answer("Hello, world!", fields=(("x-version", "7"),)),),
    ),
    Program("session", "A number is kept for each visitor, in a signed cookie.", (_visit(1), _visit(2))),
)


def problem(program: Program, number: int, status: int, fields: list[tuple[str, str]], body: bytes) -> str:
    """Return the fault in an answer of a program, or nothing. Only the path of a location counts."""
    wanted, content_type = program.answers[number], dict(fields).get("content-type", "")
    if status != wanted.status:
        return f"{status} instead of {wanted.status}: {body[:200]!r}"
    if wanted.body is None:
        media_type = ""
    else:
        media_type = content_type.partition(";")[0]
        text = body.decode()
        given = json.loads(text) if media_type == "application/json" else text
        if given != wanted.body:
            return f"{given!r} instead of {wanted.body!r}"
    if media_type != wanted.media_type:
        return f"{content_type} instead of {wanted.media_type}"
    there = [_elements(name, value) for name, value in fields]
    missing = [each for each in wanted.fields if not any(_elements(*each) <= found for found in there)]
    return f"{missing} is missing in {fields}" if missing else ""


def _elements(name: str, value: str) -> set[str]:
    """Return the parts of a field between semicolons, in lower case, with its name."""
    if name == "location":
        value = urlsplit(value).path
    return {name, *(element.strip().lower().replace('"', "") for element in value.split(";"))}
