"""Files of a project, told from installed ones."""

import pytest

from antiphon.cli.target import is_own


@pytest.mark.parametrize("folder", [".venv/lib/python3.11/site-packages/", "/usr/lib/python3/dist-packages/", "/else/"])
def test_packages_in_the_project_are_not_its_own(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    assert is_own(str(tmp_path / "shop.py"))
    assert not is_own(str(tmp_path / folder / "shop.py"))
    assert not is_own("<string>")
