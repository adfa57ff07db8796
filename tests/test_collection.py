"""Files of which `-m` deselects every test are not even collected."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import conftest

pytestmark = pytest.mark.once

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("marks", "path", "is_left_out"),
    [
        ("", "http/test_dates.py", False),
        ("", "contract/test_uploads.py", False),
        ("not once", "http/test_dates.py", True),
        ("not once", "http", False),
        ("not once", "http/urls/test_url.py", False),
        ("not once", "contract/test_uploads.py", False),
        ("not once", "speedups/test_twins.py", False),
        ("not once and not processes", "http/test_dates.py", True),
        ("not once and not processes", "contract/test_uploads.py", True),
        ("not once and not processes", "contract/test_in_process.py", False),
        ("not once and not processes", "conftest.py", False),
        ("once", "http/test_dates.py", False),
    ],
)
def test_a_file_is_left_out_if_no_test_of_it_would_run(marks, path, is_left_out):
    config = SimpleNamespace(option=SimpleNamespace(markexpr=marks))
    assert bool(conftest.pytest_ignore_collect(TESTS / path, config)) is is_left_out
