import pytest

from antiphon.testing import Client
from tests.helpers.parsed_files import files_parsed_once
from tests.helpers.served.tools import make_app

__all__ = ["files_parsed_once"]


@pytest.fixture
def shop():
    """Return a client of the shop, whose lamps are its own."""
    return Client(make_app())


@pytest.fixture
def ann(shop):
    """Return the client of a user who has logged in."""
    shop.headers["authorization"] = "Bearer of-ann"
    return shop
