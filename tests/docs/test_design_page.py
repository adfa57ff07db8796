"""The picture of the design has the layers of the import contract, outermost first."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/maintainers/design.md"


def test_the_picture_has_the_layers_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [{name.strip() for name in re.split("[|:]", layer)} for layer in contracts[0]["layers"]]
    picture = PAGE.read_text().partition("```text\n")[2].partition("```")[0]
    boxes = [set(re.findall(r"\|  (\w+) ", box)) for box in re.split(r"^\+-+\+$", picture, flags=re.MULTILINE)[1:-1]]
    assert boxes == layers
