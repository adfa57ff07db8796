"""`antiphon run` with guards around a program of another library, which needs no change."""

import json

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.once]

FLASK = """
import os
from flask import Flask, request

app = Flask(__name__)
open(f"started-{os.getpid()}", "w").close()

@app.route("/", methods=["GET", "POST"])
def index():
    return f"{type(app).__module__} {request.method} {len(request.get_data())}"
"""
NATIVELY = (
    "Error: native:app is an Antiphon App, which has its own guards: write"
    " App(trusted_hosts=['localhost', '.example.org'], limits=Limits(body=65536)) and app.use(SecurityHeaders())."
)
GUARDS = ("--trusted-hosts", "localhost,.example.org", "--refuse-cross-site", "--max-body", "64K", "--security-headers")


def check_guarded(command):
    """Check that each guard refuses, and all else passes. Return what the program says."""
    for status, answer in (
        (421, command.ask(host="example.com")),
        (403, command.ask("/", "POST", b"a=1", origin="https://example.com")),
        (413, command.ask("/", "POST", bytes((64 << 10) + 1))),
    ):
        assert (answer.status, json.loads(answer.text)["status"]) == (status, status)
    answer = command.ask("/", "POST", bytes(64 << 10), host="shop.example.org")
    assert (answer.status, answer.headers["x-frame-options"]) == (200, "DENY")
    return answer.text


def test_an_app_of_a_dialect(antiphon, tmp_path, interface):
    (tmp_path / "shop.py").write_text(FLASK)
    command = antiphon("--dialect", "flask", "shop:app", *GUARDS, "--interface", interface, "--workers", "2").serving()
    assert check_guarded(command) == "antiphon.dialects.flask.app POST 65536"
    assert len(command.workers()) == 2


@pytest.mark.parametrize(("program", "interface"), [("wsgi", "auto"), ("wsgi", "wsgi"), ("asgi", "auto")])
def test_a_plain_application(antiphon, tmp_path, program, interface):
    command = antiphon(f"apps:{program}", *GUARDS, "--interface", interface).serving()
    assert check_guarded(command).startswith(f"{program} ")
    command.end()
    assert bool([*tmp_path.glob("shutdown-*")]) == (program == "asgi"), "its lifespan goes on to its end"


def test_settings_in_the_environment_and_a_reload(antiphon, tmp_path):
    (tmp_path / "shop.py").write_text(FLASK)
    (tmp_path / ".env").write_text(
        "ANTIPHON_TRUSTED_HOSTS=localhost .example.org\nANTIPHON_REFUSE_CROSS_SITE=1\n"
        "ANTIPHON_MAX_BODY=64K\nANTIPHON_SECURITY_HEADERS=yes\n"
    )
    command = antiphon("--dialect", "flask", "shop:app", "--reload").serving()
    check_guarded(command)
    (tmp_path / "shop.py").write_text(FLASK.replace("len(request.get_data())", "'anew'"))
    command.wait_until(lambda: "anew" in command.get())
    check_guarded(command)


@pytest.mark.parametrize(
    ("target", "arguments", "message"),
    [
        ("apps:wsgi", ["--max-body", "16X"], "'16X' is not a size: write bytes, or 64K, 16M, 1G."),
        ("apps:wsgi", ["--max-body", "-1"], "'-1' is not a size"),
        ("apps:wsgi", ["--trusted-hosts", "https://example.com"], "not 'https://example.com'"),
        ("apps:wsgi", ["--trusted-hosts", "a.example,"], "not ''"),
        ("apps:rsgi", ["--refuse-cross-site"], "apps:rsgi speaks only RSGI, but guards need WSGI or ASGI."),
        ("native:app", GUARDS, NATIVELY),
        ("native:app", ["--refuse-cross-site"], "has its own guards: it refuses writes from other sites by default."),
    ],
)  # fmt: skip
def test_what_can_t_be_is_refused(antiphon, tmp_path, target, arguments, message):
    (tmp_path / "native.py").write_text("from antiphon import App\n\napp = App()\n")
    command = antiphon(target, *arguments)
    assert command.exit_code() == 2
    assert message in command.err
