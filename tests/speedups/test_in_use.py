"""The extension is in use, but where the environment asks for pure Python: no run can take one for the other."""

import os

import pytest

from antiphon import speedups
from tests.helpers.twins import NOT_BUILT, extension


def test_the_extension_is_in_use_unless_the_environment_says_otherwise():
    is_pure = os.environ.get("ANTIPHON_PURE") == "1"
    if extension is None and not is_pure:
        pytest.skip(NOT_BUILT)
    assert speedups.IS_COMPILED is not is_pure
