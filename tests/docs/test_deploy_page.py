"""The pages on deployment show the files of examples/deploy as they are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = "".join((ROOT / f"docs/how-to/{name}.md").read_text() for name in ("kubernetes", "systemd", "nginx", "deploy"))
DEPLOY = ROOT / "examples/deploy"
LINKED = {"grafana-dashboard.json", "kubernetes/shop.yaml", "nginx-two.conf"}
"""Files that are too long to be shown, or nearly like another."""
SHOWN = (
    {path.name for path in DEPLOY.iterdir() if path.is_file()} - {"requirements.txt", "shop.py", "simulate.py"} - LINKED
)


def test_it_shows_every_file_as_it_is():
    blocks = re.findall(r"^```(?!console)\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(blocks) == sorted((DEPLOY / name).read_text() for name in SHOWN)


def test_it_says_of_every_file_how_it_is_tested():
    tested = PAGE.partition("\n## Tests of these files\n")[2]
    assert {*re.findall("`([^`]+)`", tested)} >= SHOWN | LINKED


def test_it_links_to_what_it_does_not_show():
    assert {path.relative_to(DEPLOY).as_posix() for path in DEPLOY.glob("kubernetes/*")} < LINKED
    assert all(f"[`{name}`](../../examples/deploy" in PAGE for name in LINKED)
