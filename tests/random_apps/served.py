"""Programs on real servers, where each one answers at a host of its own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from antiphon import App
from antiphon.http import URL
from antiphon.testing import Client
from antiphon.testing.cookies import CookieJar
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, ReceivedResponse
from tests.random_apps.programs import Program
from tests.random_apps.requests import TOKEN, TOKEN_PATH, SentRequest
from tests.random_apps.running import Answer, Difference, answer_of, answers, compare, load, quiet

FOLDER = "RANDOM_APPS"
SERVERS = {
    "Granian": ("-m", "antiphon", "run", "{app}", "--interface", "asgi", "--port", "{port}"),
    "Gunicorn": ("-m", "gunicorn", "{app}", "--threads", "4", "--bind", "127.0.0.1:{port}"),
}


@contextmanager
def servers(programs: list[Program]) -> Iterator[dict[str, ServerProcess]]:
    """Start each server with some programs."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        for number, program in enumerate(programs):
            (Path(folder) / f"app{number}.py").write_text(program.source)
        os.environ[FOLDER] = folder
        try:
            yield {
                name: stack.enter_context(ServerProcess(command, "tests.random_apps.site:app"))
                for name, command in SERVERS.items()
            }
        finally:
            del os.environ[FOLDER]


def served_differences(programs: list[Program]) -> list[tuple[Program, Difference]]:
    """Return in what programs differ on servers from what they do in process.

    A body that breaks off is left out: servers end it in different ways.
    """
    found = []
    with servers(programs) as started:
        for number, program in enumerate(programs):
            whole = program.with_requests(tuple([request for request in program.requests if not request.is_cut]))
            host = f"app{number}.localhost"
            expected = _in_process(whole, host)
            for name, server in started.items():
                given = _served(server, host, whole)
                found += [(whole, each) for each in compare(whole, "in process", expected, name, given)]
    return found


def _in_process(program: Program, host: str) -> list[Answer]:
    app = App()
    app.mount("", load(program), host=host)
    with (
        quiet(),
        Client(app, raise_errors=False, follow_redirects=False, base_url=f"http://{host}") as client,
    ):
        return answers(client, program)


def _served(server: ServerProcess, host: str, program: Program) -> list[Answer]:
    """Send all requests of a program, with cookies as a browser keeps them, and return the answers."""
    jar, url, token, found = CookieJar(host), URL(f"http://{host}/"), "", []
    for request in program.requests:
        fields = dict(request.fields) | {"host": host}
        if "cookie" not in fields and (cookies := jar.header(url)):
            fields["cookie"] = cookies
        if fields.get("x-csrf-token") == TOKEN:
            fields["x-csrf-token"] = token
        try:
            response = _respond(server, request, fields)
        except Closed:
            response = ReceivedResponse(0, (), b"", whole=False)
        jar.store(url, response.values("set-cookie"))
        if request.target == TOKEN_PATH and response.status == 200:
            token = response.body.decode()
        found.append(answer_of(request, response.status, [*response.fields], response.body, response.whole))
    return found


def _respond(server: ServerProcess, request: SentRequest, fields: dict[str, str]) -> ReceivedResponse:
    """Send one request on a connection of its own, and return the response."""
    content = request.body or b""
    if isinstance(request.body, tuple):
        fields["transfer-encoding"] = "chunked"
        content = b"".join([b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in request.body]) + b"0\r\n\r\n"
    elif request.body is not None:
        fields["content-length"] = str(len(content))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    with server.connect() as connection:
        connection.send("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
        return connection.receive(request.method)
