"""Random applications on servers keep what always holds, when workers are killed and replaced: two here.

``python -m tests.pairs.served`` tries as many as its time allows, with a new seed each time.
"""

import subprocess
import sys

import pytest

from antiphon.testing.pairs.programs import Around
from tests.helpers.rows import rows
from tests.pairs.served import ENDED, STEPS, Served, _comparable, _files, failures, served, server_of

pytestmark = pytest.mark.processes


def seed_on(name: str) -> int:
    """Return the first seed whose program runs on a server, with a worker that is killed if it can be."""

    def fits(seed: int) -> bool:
        server = server_of(seed)
        return server.name == name and server.can_be_killed == any(
            each.like == "killed" and each.write for each in served(seed).sent
        )

    return next(filter(fits, range(1000)))


@pytest.mark.parametrize("server", ["antiphon run, ASGI", "Granian, HTTP/2"])
def test_a_served_application_keeps_what_always_holds(server):
    assert failures(served(seed_on(server))) == []


def test_the_port_of_a_client_is_not_compared():
    one, other = (ENDED._replace(body=f"Address(port={port})".encode()) for port in (50000, 41234))
    assert _comparable(one) == _comparable(other)


HOLDS = """
import sys
from gunicorn.config import Config
from gunicorn.workers.workertmp import WorkerTmp
held = [open("/etc/hosts"), *[WorkerTmp(Config()) for _ in range(2)]]
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_file_is_counted_unless_gunicorn_has_one_for_each_worker():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDS], start_new_session=True, **pipes) as process:
        assert process.stdout.readline() == b"ready\n"
        assert [*_files(process).values()] == [1]
        process.communicate()


PLANTED = {
    "effects": "@app.after_request\ndef planted(request, response):\n    EFFECTS.append([*EFFECTS][-1:])",
    "interfaces": (
        "import os\n\n\n"
        "@app.after_request\ndef planted(request, response):\n    response.headers['x-at'] = str(os.getpid())"
    ),
    "ends": (
        "import sys\n\nKEPT = []\n\n\n@app.before_request\ndef planted(request):\n"
        "    if 'pytest' not in sys.modules:\n        KEPT.append(open('/etc/hosts'))"
    ),
    "kills": "die_at = lambda place: None",
}
"""What breaks a rule in a worker."""


@rows("rule", [*PLANTED])
def test_what_breaks_a_rule_in_a_worker_is_found(rule):
    program = served(seed_on("antiphon run, ASGI"))
    sent = tuple([each for each in program.sent if each.like not in STEPS])  # replaced workers end with what they hold
    planted = Served(*program._replace(sent=sent, around=(*program.around, Around("planted", PLANTED[rule]))))
    assert rule in {each.rule for each in failures(planted)}
