"""Print an application's responses to cases as JSON: a program for Python 3.9 and newer, without dependencies.

`antiphon compare` runs it twice: with the Python that has the original library or for the program before a change, and
with its own Python for the dialect or the program after it.

    python compare_program.py MODULE:APP [DIALECT] < cases.json > answers.json
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import os
import re
import stat
import sys
import traceback
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote_to_bytes

Case = dict[str, Any]
Outcome = tuple[str, list[tuple[str, str]], bytes]


MOST_LOGGED = 8192
"""How many bytes of an application's output are returned for each case."""


def find(target: str) -> Any:
    """Return the application that a target names, as `antiphon run` finds it.

    Parts of the path that end with () are called, as are functions without arguments and functions with PasteDeploy's
    signature. Exits with a message if the object doesn't exist or can't be called.
    """
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        name = part.removesuffix("()")
        if not hasattr(found, name):
            sys.exit(f"There is no {path!r} in the module {module!r}.")
        found = getattr(found, name)
        if part.endswith("()"):
            found = found()
    found = made_by(found)
    if not callable(found):
        sys.exit(
            f"{target} is of type {type(found).__name__}, which can't be called, so it is not an application."
            f" If one of its methods makes the application, name that with (), such as {target}.wsgifunc()."
        )
    return found


def made_by(found: Any) -> Any:
    """Return the application that a factory function creates. Other objects are returned unchanged."""
    if not (inspect.isfunction(found) or inspect.ismethod(found)):
        return found
    parameters = list(inspect.signature(found).parameters.values())
    names, kinds = [each.name for each in parameters], [each.kind for each in parameters]
    if names[:1] in (["global_config"], ["global_conf"]) and kinds[1:] == [inspect.Parameter.VAR_KEYWORD]:
        return found({})
    optional = [each.default is not each.empty or each.kind is each.VAR_KEYWORD for each in parameters]
    return found() if all(optional) else found


def load(target: str, dialects: list[str]) -> Any:
    """Return the application that `antiphon run` serves with dialects. Exits with an error message on failure."""
    from antiphon.cli.errors import BadCommand
    from antiphon.cli.main import use
    from antiphon.cli.target import Target

    try:
        use(dialects)
        return find(target) if "()." in target else Target.parse(target).load(None)
    except BadCommand as error:
        sys.exit(error.message)


def unquoted(path: str) -> bytes:
    """Return the bytes of a path whose characters are bytes or parts of percent-encoded bytes."""
    return unquote_to_bytes(path.encode("latin-1"))


def environ_of(case: Case) -> dict[str, Any]:
    """Return the environ for a case (PEP 3333), with the case's own values."""
    path, _, query = case["target"].partition("?")
    body = case["body"].encode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": case["method"], "SCRIPT_NAME": "", "PATH_INFO": unquoted(path).decode("latin-1"),
        "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(body), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in case["fields"]:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key
        environ[key] = environ[key] + ", " + value if key in environ else value
    return {**environ, **case.get("environ", {})}


def respond_by_wsgi(app: Any, case: Case) -> Outcome:
    """Return the status, header fields and body of a response over WSGI."""
    started: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ARG001
        started[:] = [status, list(fields)]
        return written.append

    chunks = app(environ_of(case), start_response)
    try:
        body = b"".join([*chunks])
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return started[0], started[1], b"".join(written) + body


async def respond_by_asgi(app: Any, case: Case) -> Outcome:
    """Return the status, header fields and body of a response over ASGI."""
    path, _, query = case["target"].partition("?")
    environ = environ_of(case)
    root = environ["SCRIPT_NAME"].encode("latin-1").decode("utf-8", "replace")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": case["method"], "root_path": root,
        "path": root + unquoted(path).decode("utf-8", "replace"),
        "raw_path": quote(root).encode() + path.encode("latin-1"),
        "query_string": query.encode("latin-1"), "scheme": environ["wsgi.url_scheme"],
        "client": (environ["REMOTE_ADDR"], 1), "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in case["fields"]],
    }  # fmt: skip
    messages = [{"type": "http.request", "body": case["body"].encode("latin-1"), "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(each for each in sent if each["type"] == "http.response.start")
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return str(start["status"]), fields, b"".join(each.get("body", b"") for each in sent)


def is_asgi(app: Any) -> bool:
    """Return True for an application that speaks only ASGI."""
    if hasattr(app, "__rsgi__"):
        return False  # an Antiphon application, which also speaks WSGI
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


class Visitor:
    """A client that sends cases to an application, with the cookies and the kept values of earlier responses."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies = SimpleCookie()
        self.kept: dict[str, str] = {}

    def send(self, case: Case) -> Case:
        """Return a response for comparison, with names in place of kept values, because these may be random."""
        sent = self.prepared(case)
        try:
            found = (
                asyncio.run(respond_by_asgi(self.app, sent)) if is_asgi(self.app) else respond_by_wsgi(self.app, sent)
            )
        except Exception as error:
            traceback.print_exc()
            return {"status": 0, "fields": [], "body": "", "raised": type(error).__name__ + ": " + str(error)}
        status, fields, content = found
        body = content.decode("latin-1")
        for name, value in fields:
            if name.lower() == "set-cookie":
                self.cookies.load(value)
        for name, pattern in case.get("keep", {}).items():
            match = re.search(pattern, body)
            if match is None or not match[1]:
                sys.exit("The response to {method} {target} has no {!r}:\n{}".format(pattern, body, **case))
            self.kept[name] = match[1]
        seen = [[name.lower(), self.named(value)] for name, value in fields]
        told = {"status": int(status[:3]), "reason": status[4:], "raised": "", "kept": dict(self.kept)}
        named = self.named(body)
        return {**told, "fields": seen, "body": named, "is_masked": named != body}

    def prepared(self, case: Case) -> Case:
        """Return a case with kept values, with cookies unless it sets its own, and with the fields that clients add."""
        fields = [[name, self.filled(value)] for name, value in case["fields"]]
        body = case["body"] if case.get("verbatim") else self.filled(case["body"])
        given = {name.lower() for name, _ in fields}
        cookies = [morsel.key + "=" + morsel.coded_value for morsel in self.cookies.values() if morsel.value]
        added = {
            "Host": "localhost",
            "Content-Length": str(len(body)) if body or case["method"] in ("POST", "PUT", "PATCH") else "",
            "Cookie": "; ".join(cookies),
        }
        fields += [[name, value] for name, value in added.items() if value and name.lower() not in given]
        return dict(case, target=self.filled(case["target"]), fields=fields, body=body)

    def filled(self, text: str) -> str:
        """Return the text with kept values in place of their names."""
        for name, value in self.kept.items():
            text = text.replace("{{" + name + "}}", value)
        return text

    def named(self, text: str) -> str:
        """Return the text with names in place of kept values."""
        for name, value in self.kept.items():
            text = text.replace(value, "{{" + name + "}}")
        return text


def size_of_log() -> int:
    """Return the size of standard error, which also receives the application's output; 0 if it is not a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    found = os.fstat(2)
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def outcome_of(visitor: Visitor, case: Case) -> Case:
    """Return a response with the end of what the application wrote during the request."""
    start = size_of_log()
    found = visitor.send(case)
    end = size_of_log()
    start = max(start, end - MOST_LOGGED)
    return dict(found, log=os.pread(2, end - start, start).decode("utf-8", "replace") if end > start else "")


def main() -> None:
    """Run the cases from standard input. The application's output goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[0] = os.getcwd()
    target, *dialects = sys.argv[1:]
    visitor = Visitor(load(target, dialects) if dialects else find(target))
    json.dump([outcome_of(visitor, case) for case in json.load(sys.stdin)], out)
    out.close()


if __name__ == "__main__":
    main()
