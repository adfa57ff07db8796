"""An application's responses to cases, as JSON: a program for Python 3.9 and newer, without dependencies.

`antiphon beside` runs it with the Python that has the original, and with its own for the dialect.

    python beside_program.py MODULE:APP [DIALECT] < cases.json > answers.json
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import os
import sys
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote_to_bytes

Case = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], bytes]


def find(target: str) -> Any:
    """Return the object that a target names. If a part of its path ends with (), it is called."""
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in (path or "app").split("."):
        found = getattr(found, part.removesuffix("()"))
        if part.endswith("()"):
            found = found()
    return found


def environ_of(case: Case) -> dict[str, Any]:
    """Return the environ for a case (PEP 3333)."""
    path, _, query = case["target"].partition("?")
    body = case["body"].encode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": case["method"], "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(body), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in case["fields"]:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key
        environ[key] = environ[key] + ", " + value if key in environ else value
    return environ


def answer_by_wsgi(app: Any, case: Case) -> Answer:
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
    return int(started[0][:3]), started[1], b"".join(written) + body


async def answer_by_asgi(app: Any, case: Case) -> Answer:
    """Return the status, header fields and body of a response over ASGI."""
    path, _, query = case["target"].partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": case["method"], "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"), "raw_path": path.encode("latin-1"), "root_path": "",
        "query_string": query.encode("latin-1"), "client": ("127.0.0.1", 1), "server": ("localhost", 80),
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
    return start["status"], fields, b"".join(each.get("body", b"") for each in sent)


def is_asgi(app: Any) -> bool:
    """Return True for an application that speaks only ASGI."""
    if hasattr(app, "__rsgi__"):
        return False  # Antiphon's, which also speaks WSGI
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


def answer(app: Any, case: Case, cookies: SimpleCookie) -> Case:
    """Return a response in a form to compare. Cookies of earlier responses are sent unless the case has its own."""
    if cookies and not any(name.lower() == "cookie" for name, _ in case["fields"]):
        sent = "; ".join(morsel.key + "=" + morsel.coded_value for morsel in cookies.values() if morsel.value)
        case = dict(case, fields=case["fields"] + [["cookie", sent]] if sent else case["fields"])
    try:
        status, fields, body = asyncio.run(answer_by_asgi(app, case)) if is_asgi(app) else answer_by_wsgi(app, case)
    except Exception as error:
        return {"status": 0, "fields": [], "body": "", "raised": type(error).__name__ + ": " + str(error)}
    for name, value in fields:
        if name.lower() == "set-cookie":
            cookies.load(value)
    seen = [[name.lower(), value] for name, value in fields]
    return {"status": status, "fields": seen, "body": body.decode("latin-1"), "raised": ""}


def main() -> None:
    """Run the cases from standard input. Output of the application goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[0] = os.getcwd()
    if len(sys.argv) > 2:
        from antiphon.dialect_imports import install

        install(*sys.argv[2:])
    app, cookies = find(sys.argv[1]), SimpleCookie()
    json.dump([answer(app, case, cookies) for case in json.load(sys.stdin)], out)
    out.close()


if __name__ == "__main__":
    main()
