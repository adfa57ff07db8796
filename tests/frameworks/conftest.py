"""Django has the settings of these tests while they run."""

import logging

import pytest

from tests.helpers.django_settings import settings_for_views


@pytest.fixture(scope="module", autouse=True)
def django_settings():
    with settings_for_views():
        yield


@pytest.fixture
def quiet(caplog):
    caplog.set_level(logging.CRITICAL)
