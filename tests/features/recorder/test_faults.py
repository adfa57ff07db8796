"""Planted faults: each is kept, its test fails on the faulty program, and passes on the mended one."""

import importlib
import runpy
import sys
from contextlib import nullcontext, suppress

import pytest
from click.testing import CliRunner

from antiphon import WebSocketClosed
from antiphon.cli.main import main
from antiphon.testing import Client
from tests.features.recorder.faults import FAULTS
from tests.helpers.rows import rows

pytest.importorskip("cryptography")
pytest.importorskip("zope.interface", reason="the dialect of Pyramid needs it")
time_machine = pytest.importorskip("time_machine")

pytestmark = pytest.mark.once

DAY = 86400.0


def load(folder, program):
    """Write and import a program, instead of the one that was imported before."""
    (folder / "shop.py").write_text(program)
    sys.modules.pop("shop", None)
    importlib.invalidate_caches()
    return importlib.import_module("shop")


def send(shop, fault):
    """Send the request that shows the fault, and wait until it is kept."""
    with Client(shop.app, fault.interface, raise_errors=False) as client:
        if fault.session is not None:
            with client.session as session:
                session.update(fault.session)
        if fault.user:
            client.login(shop.make_user(fault.user))
        if fault.messages:
            with client.websocket(fault.url) as socket:
                for message in fault.messages:
                    socket.send(message)
                with suppress(WebSocketClosed):
                    list(socket)
        else:
            with suppress(Exception):
                client.request(fault.method, fault.url, **fault.options)
    shop.keep.flush()


def command(*arguments):
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    return result.exit_code, result.output


def is_green(file):
    tests = [value for name, value in runpy.run_path(str(file)).items() if name.startswith("test_")]
    try:
        for test in tests:
            test()
    except Exception:
        return False
    return len(tests) == 1


def at(seconds):
    """Return a block in which it is this time, or now."""
    return time_machine.travel(seconds, tick=True) if seconds else nullcontext()


def replay_and_write(fault, project):
    """Return the text of the test that the commands write, and their output before that."""
    code, listed = command("records", "shop:app")
    assert code == 0, listed
    id_ = listed.splitlines()[-1].split()[-1]
    user = ["--user", "shop:make_user"] if fault.user else []
    _, replayed = command("replay", id_, "shop:app", *user)
    code, written = command("replay", id_, "shop:app", *user, "--as-test", "tests/test_it.py")
    assert code == 0, written
    return (project / "tests" / "test_it.py").read_text(), replayed


@rows("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_becomes_a_test(fault, tmp_path, monkeypatch):
    project = tmp_path
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [str(project), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two programs of one second would have one file
    with at(fault.time):
        send(load(project, fault.program), fault)
    with at(fault.time and fault.time + DAY):  # the time to live of the record has not ended
        text, replayed = replay_and_write(fault, project)
    assert "It fails as it did" in replayed or "status is 409" in replayed, replayed
    assert str(project) not in text
    load(project, fault.program)
    file = project / "tests" / "test_it.py"
    assert not is_green(file), f"{text}\n{replayed}"
    load(project, fault.mended_program)
    assert is_green(file), f"{text}\n{replayed}"
