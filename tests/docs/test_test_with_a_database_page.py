"""The page on tests with a database: its tests pass in any order, and only because each is rolled back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/test-with-a-database.md").read_text()
FILES = dict(re.findall(r'^```python title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
NAMES = re.findall(r"^def (test_\w+)", FILES["test_shop.py"], re.MULTILINE)


def outcome(folder, names):
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["--rootdir", str(folder), *(f"test_shop.py::{name}" for name in names)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0], done.stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [(("", ""), "4 passed"), (("transaction.rollback()", "transaction.commit()"), "1 passed")],
    ids=["rolled back", "committed"],
)
def test_the_tests_of_the_page(change, expected, tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace(*change) if change[0] else text)
    again = FILES["test_shop.py"].replace("def test_", "def test_again_")
    (tmp_path / "test_shop.py").write_text(FILES["test_shop.py"] + again)
    names = [*reversed(NAMES), *(name.replace("test_", "test_again_", 1) for name in NAMES)]
    said, everything = outcome(tmp_path, names)
    assert said.endswith(expected), everything
    assert not (tmp_path / "shop.db").exists()
