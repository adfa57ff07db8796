"""A project's own tests: they pass with the dialect as they do with Asok, and nothing of them is changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.dialects.asok import Request
from tests.helpers.rows import rows

PROJECT = Path(__file__).parent / "projects/tested"
PYTEST = (sys.executable, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.")


@pytest.mark.processes
@rows("options", [(), ("-p", "antiphon.testing.plugin", "--antiphon-dialect=asok")])
def test_the_tests_of_a_project_pass(tmp_path, options):
    folder = shutil.copytree(PROJECT, tmp_path / "project")
    ran = subprocess.run(
        [*PYTEST, *options, "checks.py"], cwd=folder, env={**os.environ}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_request_without_an_application_is_of_the_project_in_the_folder(write, monkeypatch):
    folder = write({"src/locales/fr.json": '{"welcome": "Bienvenue"}', "page.py": "CONTENT = 'x'"})
    monkeypatch.chdir(folder)
    request = Request({"PATH_INFO": "/a", "QUERY_STRING": "lang=fr"})
    assert request.app.root_dir == str(folder)
    assert Request({}).app is request.app
    assert (request.lang, request.__("welcome"), request.user) == ("fr", "Bienvenue", None)
    assert len(request.csrf_token_value) == 64
    assert request.environ == {"PATH_INFO": "/a", "QUERY_STRING": "lang=fr"}


def test_a_request_without_a_project_has_what_was_sent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = Request({"HTTP_COOKIE": "a=b"})
    assert (request.cookies_dict, request.csrf_token_value, request.lang) == ({"a": "b"}, "", "en")
