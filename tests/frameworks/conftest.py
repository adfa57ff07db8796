"""Django has the settings of these tests while they run."""

import pytest

from tests.helpers.django_settings import settings_for_views


@pytest.fixture(scope="module", autouse=True)
def django_settings():
    with settings_for_views():
        yield
