"""Examples that are packages of their own: installed as a user installs them, on public names alone."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

from tests.test_public_names import PUBLIC

NO_INDEX = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")


def install(source: Path, folder: Path) -> Path:
    """Install a package without an index; return the folder to import it from."""
    copied = copytree(source, folder / "source", ignore=ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "install", *NO_INDEX, "--target", folder / "site", copied]
    subprocess.run(command, check=True, env=os.environ | {"HOME": str(folder)})
    return folder / "site"


def assert_imports_public_names_only(source: Path) -> None:
    imported = {
        (node.module, name.name)
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "antiphon"
        for name in node.names
    }
    assert len(imported) > 10
    assert {each for each in imported if each[1] not in PUBLIC.get(each[0], ())} == set()
