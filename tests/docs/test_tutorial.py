"""The tutorial, typed as it says: curl prints what it shows, and the tests of each page pass on its app."""

import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import pytest

from tests.helpers.system_programs import required_program
from tests.helpers.tutorial import PAGES, Step, Unclear, differs, enter, follow, steps, typed_before
from tests.helpers.tutorial_server import TutorialServer

curl = required_program("curl")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def asked(server, folder, command):
    """Run a command of curl, and return what it prints."""
    command = command.replace("localhost:8000", f"localhost:{server.port}")
    ran = subprocess.run(["bash", "-c", command], check=False, cwd=folder, capture_output=True, text=True, timeout=60)
    return ran.stdout


def own_tests(folder):
    """Run the tests of the app in a folder, and return what pytest prints. A process for it would take much longer."""
    said = StringIO()
    options = ["-q", "--rootdir", str(folder), "--confcutdir", str(folder), "-pno:cacheprovider", "-pno:faulthandler"]
    with redirect_stdout(said), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        pytest.main([*options, str(folder)])
    return said.getvalue()


@pytest.mark.processes
@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_typed_run_and_tested(page, tmp_path):
    typed_before(page, tmp_path)
    (tmp_path / "lamp.png").write_bytes(PNG)
    with TutorialServer(tmp_path) as server:
        for command, shown in follow(page, tmp_path):
            assert differs(asked(server, tmp_path, command), shown) is None, command
        found = own_tests(tmp_path)
    shown = next(shown for step in steps(page) for command, shown in step.commands if "pytest" in command)
    assert differs(found, shown) is None


def test_the_server_is_told_what_the_app_reads():
    texts = {step.file: step.text for step in steps(PAGES[-1])}
    names = re.findall(r"^(\w+)=", texts["/etc/guestbook.env"], re.MULTILINE)
    assert [name for name in names if f'env("{name}"' not in texts["guestbook/app.py"]] == []
    unit = texts["/etc/systemd/system/guestbook.service"]
    assert (
        "EnvironmentFile=/etc/guestbook.env\nExecStart=/srv/guestbook/.venv/bin/antiphon run guestbook:make_app\n"
        in unit
    )


@pytest.mark.parametrize(
    ("told", "file", "wrong"),
    [
        ("Here is a block:", "app.py", "does not say where this goes"),
        ("A new file, `app.py`:", "app.py", "is no new file"),
        ("A new file, `other.py`:", "app.py", "is above 'app.py'"),
        ("Replace all of `other.py`:", "other.py", "There is no such file."),
        ("Replace the function `show` in `app.py`:", "app.py", "app.py has 0 times show"),
        ("Replace the element `nav` of `app.py`:", "app.py", "app.py has not one element nav"),
    ],
)
def test_a_block_that_goes_nowhere_is_a_mistake(tmp_path, told, file, wrong):
    (tmp_path / "app.py").write_text("app = None\n")
    with pytest.raises(Unclear, match=wrong):
        enter(Step(told, "python", file, "app = 1\n"), tmp_path)


@pytest.mark.processes
@pytest.mark.parametrize("page", [PAGES[0], PAGES[3], PAGES[-1]], ids=lambda page: page.stem)
def test_reading_the_app_of_a_page_finds_nothing_unknown(page, tmp_path):
    for each in PAGES[: PAGES.index(page) + 1]:
        for _ in follow(each, tmp_path):
            pass
    folder = next(each.parent for name in ("guestbook.py", "guestbook/__init__.py") for each in tmp_path.rglob(name))
    folder = folder if (folder / "guestbook.py").exists() else folder.parent
    command = [sys.executable, "-m", "antiphon", "openapi", "--strict"]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
