"""The logs of `antiphon run`: a line for each request, in text or JSON, beside all other records."""

import http.client
import json
import os
import re
import signal
from contextlib import closing, suppress

import pytest

pytestmark = pytest.mark.processes

SITE = """
import logging, os, threading, time, warnings
from antiphon import App
from apps import Asgi, Rsgi, wsgi

asgi, rsgi = Asgi(), Rsgi()
app = App()


@app.get("/")
def index(request):
    logging.getLogger("shop").info("one\\ntwo")
    return request.id


@app.get("/fails")
async def fails(request):
    raise LookupError("lost")


class Fails:
    def __del__(self):
        raise LookupError("lost in __del__")


@app.get("/warns")
def warns(request):
    def fail():
        raise LookupError("lost in a thread")

    warnings.warn("old")
    Fails()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    return "warned"


@app.get("/breaks")
def breaks(request):
    yield "some"
    raise LookupError("broken")


@app.get("/leaves")
def leaves(request):
    os._exit(3)


@app.get("/stream")
def stream(request):
    while True:
        yield "tick"
        time.sleep(0.01)
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def site(antiphon, tmp_path):
    """Serves the application, or another one of the module, and waits for what it logs."""
    (tmp_path / "site_app.py").write_text(SITE)

    def site(*arguments, app="app"):
        return antiphon(f"site_app:{app}", *arguments).serving()

    return site


def ask(command, path):
    """Send a request, and read the answer, even if that breaks off."""
    with suppress(http.client.HTTPException, ConnectionError):
        command.get(path)


def wait_for(command, *texts):
    command.wait_until(lambda: all(text in command.log for text in texts))
    return command.log


def test_json_has_one_object_a_line_and_one_for_each_request_and_failure(site, interface):
    command = site("--log-format", "json", "--interface", interface)
    id_ = command.get()
    for path in ("/fails", "/breaks", "/missing?token=secret"):
        ask(command, path)
    command.stream().close()
    wait_for(command, "GET /missing", "GET /stream")
    command.process.terminate()
    command.exit_code()  # nothing comes any more
    records = [json.loads(line) for line in command.log.splitlines()]
    requests = {record["path"]: record for record in records if record["logger"] == "antiphon.access"}
    assert {path: (each["status"], each["route"], each["disconnected"]) for path, each in requests.items()} == {
        "/": (200, "/", False), "/fails": (500, "/fails", False), "/breaks": (200, "/breaks", False),
        "/missing": (404, "", False), "/stream": (200, "/stream", True),
    }  # fmt: skip
    [said] = [record for record in records if record["logger"] == "shop"]
    assert (said["message"], said["level"]) == ("one\ntwo", "INFO")
    assert said["request_id"] == requests["/"]["request_id"] == id_
    failures = [record for record in records if record["level"] == "ERROR"]
    assert [failure["exception"].splitlines()[-1] for failure in failures] == [
        "LookupError: lost",
        "LookupError: broken",
    ]
    assert [each["request_id"] for each in failures] == [requests[path]["request_id"] for path in ("/fails", "/breaks")]
    assert len(records) == len(requests) + 3


@pytest.mark.once
def test_json_has_what_python_would_write_too(site):
    command = site("--log-format", "json")
    ask(command, "/warns")
    wait_for(command, "UserWarning: old", "lost in a thread", "lost in __del__", "GET /warns")
    os.kill(command.workers()[0], signal.SIGKILL)
    wait_for(command, "Starting another one.")
    command.process.terminate()
    command.exit_code()
    records = [json.loads(line) for line in command.log.splitlines()]
    levels = {record["level"]: record["logger"] for record in records}
    assert levels.keys() >= {"INFO", "WARNING", "ERROR"}
    exceptions = [record["exception"].splitlines()[-1] for record in records if "exception" in record]
    assert sorted(exceptions) == ["LookupError: lost in __del__", "LookupError: lost in a thread"]


@pytest.mark.once
def test_text_has_time_level_message_and_id(site):
    command = site()
    id_ = command.get()
    first, second = wait_for(command, "GET / ").splitlines()
    assert re.fullmatch(rf"{TIME} INFO one\\ntwo \[{id_}\]", first)
    assert re.fullmatch(rf"{TIME} INFO GET / 200 32 bytes \d+\.\d ms / \[{id_}\]", second)


@pytest.mark.parametrize("app", ["wsgi", "asgi", "rsgi"])
def test_applications_of_other_frameworks_are_logged_too_without_a_route(site, app):
    command = site("--log-field", "ip", app=app)
    size = len(command.get())
    assert re.fullmatch(
        rf"{TIME} INFO GET / 200 {size} bytes \d+\.\d ms ip=127.0.0.1 \[\w{{32}}\]\n", wait_for(command, "GET / ")
    )
    if app != "asgi":  # where a stream that listens to nothing never learns that its client has left
        command.stream().close()
        line = wait_for(command, "GET /stream ").splitlines()[1]
        assert re.fullmatch(
            rf"{TIME} INFO GET /stream 200 \d+ bytes \d+\.\d ms ip=127.0.0.1 disconnected \[\w{{32}}\]", line
        )


@pytest.mark.once
@pytest.mark.parametrize("arguments", [["--no-access-log"], ["--log-level", "warning", "--no-access-log"]])
def test_nothing_is_logged_where_it_is_turned_off(site, arguments):
    command = site(*arguments)
    command.get()
    ask(command, "/fails")
    wait_for(command, "LookupError: lost")
    assert " 200 " not in command.log
    assert ("INFO one" in command.log) == ("--log-level" not in arguments)


@pytest.mark.once
def test_an_app_that_configures_logging_has_its_way(antiphon, tmp_path):
    (tmp_path / "own.py").write_text(
        "import logging\n"
        "logging.basicConfig(filename='own.log', format='%(name)s %(status)s', level='ERROR')\n"
        "from antiphon import App\n"
        "from antiphon.features import AccessLog\n"
        "app = App()\n"
        "app.use(AccessLog())\n"
        "app.get('/')(lambda request: 'x')\n"
    )
    command = antiphon("own:app", "--log-format", "json").serving()
    command.get()
    command.wait_until((tmp_path / "own.log").read_text)
    assert (tmp_path / "own.log").read_text() == "antiphon.access 200\n"
    assert command.log == ""


def test_no_line_is_lost_when_a_worker_ends_or_its_code_ends_it(site, interface):
    command = site("--interface", interface, "--grace", "0.2")
    ids = [command.get() for _ in range(5)]
    ask(command, "/leaves")
    ids += [command.get() for _ in range(5)]
    with closing(command.stream()):
        command.process.terminate()
        command.exit_code()
    lines = [line for line in command.log.splitlines() if "INFO GET / 200" in line]
    assert [line.split()[-1] for line in lines] == [f"[{id_}]" for id_ in ids]
    assert "INFO GET /stream 200" in command.log
