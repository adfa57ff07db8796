"""Folders of catalogues, as tests write them."""

import json

import pytest


@pytest.fixture
def folder(tmp_path):
    """Write catalogues, each under its path, and return their folder."""

    def folder(**files):
        for name, content in files.items():
            path = tmp_path / f"{name}.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
        return tmp_path

    return folder
