"""A project written for Asok, a bakery in two languages with forms and a login, which runs unchanged."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialects.asok import beside_bakery

BAKERY = Path(__file__).parent / "projects" / "bakery"


@pytest.mark.processes
def test_a_visit_is_as_with_asok(tmp_path):
    """The same answers, one by one: pages, searches, forms that are right and wrong, a login, two languages, JSON."""

    def visit(*dialect):
        folder = shutil.copytree(BAKERY, tmp_path / "-".join(("bakery", *dialect)))
        command = [sys.executable, "-m", beside_bakery.__name__, *dialect]
        environ = {"PYTHONPATH": str(Path.cwd()), "SECRET_KEY": "a key for tests, of more than 32 characters"}
        ended = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=True, timeout=60)
        return json.loads(ended.stdout)

    theirs, ours = visit(), visit("asok")
    assert {step: answer for step, answer in ours.items() if answer != theirs[step]} == {}
    assert len(ours) == len(theirs) == len(beside_bakery.VISIT)
