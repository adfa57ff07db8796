"""The page on deployment shows the files of examples/deploy as they are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/deploy.md").read_text()
DEPLOY = ROOT / "examples/deploy"


def test_it_shows_every_file_as_it_is():
    blocks = re.findall(r"^```(?!console)\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    small = {"requirements.txt", "shop.py"}
    shown = {path.name: path.read_text() for path in DEPLOY.iterdir() if path.is_file() and path.name not in small}
    assert sorted(blocks) == sorted(shown.values())
