"""The places of the package: few of its modules are short, since each one is a place that a reader has to know."""

from pathlib import Path

import pytest

import antiphon
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PACKAGE = Path(antiphon.__file__).parent
SHORT = 60
"""A module with fewer lines joins the chapter whose subject it shares, unless it is one of those below."""

MOST_SHORT = [
    # what a start, another command or a worker must not load; a lower layer's values; one framework or feature each
    (False, 13),
    # modules of a dialect bear the names of the original's modules, from which programs import
    (True, 45),
]


@rows("of_dialects, most", MOST_SHORT)
def test_few_modules_are_short(of_dialects, most):
    short = [
        f"{path.relative_to(PACKAGE)}: {lines}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py") and ("dialects" in path.parts) is of_dialects
        if (lines := len(path.read_text("utf-8").splitlines())) < SHORT
    ]
    assert len(short) <= most, short
