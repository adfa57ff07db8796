"""Applications served by `antiphon run --dialect flask`, over each interface, to clients on sockets."""

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.processes

SHOP = """
import asyncio
from flask import Flask, Response, flash, g, jsonify, render_template_string, request, send_file, session
from flask import stream_with_context
from io import BytesIO
from werkzeug.exceptions import NotFound

app = Flask(__name__)
app.secret_key = "a secret"


@app.before_request
def before():
    g.who = request.headers.get("X-Who", "nobody")


@app.after_request
def after(response):
    response.headers["X-Seen"] = g.who
    return response


@app.get("/<name>")
def page(name):
    if name == "none":
        raise NotFound
    session["name"] = name
    return render_template_string("{{ name }} {{ g.who }} {{ url_for('page', name=name) }}", name=name)


@app.post("/form")
async def form():
    await asyncio.sleep(0)
    return jsonify(text=request.form["text"], file=request.files["file"].read().decode())


@app.get("/stream/<int:count>")
def stream(count):
    return stream_with_context(f"{g.who} {number} " for number in range(count))


@app.get("/file")
def file():
    file = BytesIO(b"skipped content")
    file.seek(8)
    return send_file(file, mimetype="text/plain", as_attachment=True, download_name="a.txt")


def create_app():
    return app
"""


@pytest.fixture
def serve(tmp_path):
    commands = []

    def serve(*arguments):
        (tmp_path / "shop.py").write_text(SHOP)
        commands.append(Command(tmp_path, f"run{len(commands)}", ("--dialect", "flask", *arguments)))
        return commands[-1].serving()

    yield serve
    for command in commands:
        command.end()


@pytest.mark.parametrize(
    ("interface", "target"), [("wsgi", ["shop:app"]), ("asgi", ["shop:create_app()"]), ("rsgi", [])]
)
def test_an_app_that_nobody_changed_answers_the_same_over_each_interface(serve, interface, target):
    import http.client
    from contextlib import closing

    command = serve(*target, "--interface", interface)

    def ask(method, path, body=None, **headers):
        with closing(http.client.HTTPConnection("127.0.0.1", command.port, timeout=20)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read().decode()

    status, headers, text = ask("GET", "/lamp", **{"X-Who": "Ada"})
    fields = {name.lower(): value for name, value in headers.items()}
    assert (status, text, fields["x-seen"]) == (200, "lamp Ada /lamp", "Ada")
    assert fields["set-cookie"].startswith("session=")
    assert "cookie" in fields["vary"].lower()
    assert ask("GET", "/none")[0] == 404
    assert ask("GET", "/stream/3")[2] == "nobody 0 nobody 1 nobody 2 "
    assert ask("GET", "/file")[2] == "content"
    body = (
        '--x\r\ncontent-disposition: form-data; name="text"\r\n\r\nhello\r\n'
        '--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--x--\r\n'
    )
    _, _, text = ask("POST", "/form", body, **{"Content-Type": "multipart/form-data; boundary=x"})
    assert text.replace(" ", "").strip() == '{"file":"content","text":"hello"}'
