"""Django has the settings of random applications while their tests run."""

from contextlib import nullcontext
from importlib.util import find_spec

import pytest

from tests.helpers.django_settings import without_settings


@pytest.fixture(scope="module", autouse=True)
def django_settings():
    with without_settings() if find_spec("django") else nullcontext():
        yield
