import os
import subprocess
import sys
import tempfile

import pytest

from antiphon import App
from antiphon.uploads.temporary_file import usable_folder
from tests.helpers.processes import UNMEASURED
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows("given", [str, lambda path: path], ids=["text", "path"])
def test_a_folder_in_which_files_can_be_made_is_taken(tmp_path, given):
    assert usable_folder(given(tmp_path)) == str(tmp_path)
    assert App(upload_folder=given(tmp_path)).upload_folder == str(tmp_path)


@rows("folder", [5, b"/tmp", True, ["/tmp"]], ids=repr)
def test_what_is_no_path_in_text_is_refused(folder):
    with pytest.raises(TypeError, match=r"^upload_folder: .*not (int|bytes|bool|list)$"):
        App(upload_folder=folder)


@rows("folder", ["", ".", "uploads", "./uploads"])
def test_a_relative_path_is_refused(folder):
    with pytest.raises(ValueError, match=r"^upload_folder: .* is relative"):
        App(upload_folder=folder)


@rows("name", ["missing", "file"])
def test_what_is_no_folder_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"(?m)^upload_folder: there is no folder '.*(missing|file)'$"):
        App(upload_folder=tmp_path / name)


@pytest.mark.processes
@pytest.mark.skipif(os.name == "nt", reason="folders have no modes there")
def test_a_folder_in_which_no_files_can_be_made_is_refused():
    code = (
        "import os, sys; from antiphon import App; App(upload_folder='/tmp')\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)\n"
        "try: App(upload_folder=sys.argv[1])\n"
        "except ValueError as error: print(error)"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o555)
        command = [sys.executable, "-c", code, folder]
        run = subprocess.run(command, env=UNMEASURED, check=False, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == (f"upload_folder: this user can't create files in {folder!r}\n", "")
