"""The app with a ledger that a test makes, and its clients."""

from contextlib import ExitStack

import pytest

from antiphon.testing import Client


@pytest.fixture
def shop(postgres):
    from tests.features.ledger.shop import Shop  # here, so that the other tests need no psycopg

    with ExitStack() as stack:

        def shop(**options):
            made = Shop(postgres, **options)

            def client(interface="wsgi", who="of-ann", **options):
                headers = {"authorization": f"Bearer {who}"} if who else {}
                return stack.enter_context(Client(made.app, interface, headers=headers, raise_errors=False, **options))

            made.client = client
            return made

        yield shop
