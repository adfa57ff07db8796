"""An app with live orders in a SQLite file, and the events that its watchers receive."""

from contextlib import ExitStack
from time import monotonic

import pytest
from jinja2 import DictLoader

from antiphon import App
from antiphon.features import Live, MemoryStore, Templates
from antiphon.testing import Client
from tests.helpers.waiting import DEADLINE

EVENTS = {"accept": "text/event-stream"}
PAGE = "<h1>Orders</h1><ul>{% block orders %}{{ shown }}{% endblock %}</ul>"


@pytest.fixture
def engine(tmp_path):
    from sqlalchemy import create_engine  # in fixtures, so that tests of other folders need no SQLAlchemy

    from tests.features.live.orders import Base

    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}", connect_args={"timeout": 30})
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def write(engine):
    from sqlalchemy.orm import Session

    def write(*rows):
        with Session(engine) as session, session.begin():
            session.add_all(rows)

    return write


class Stream:
    """What one watcher receives."""

    def __init__(self, response):
        self.response = response
        self._text = ""

    def next(self):
        """Return the next event as its fields, skipping comments; None at the end."""
        end = monotonic() + DEADLINE
        while monotonic() < end:
            event, found, self._text = self._text.partition("\n\n")
            if not found:
                self._text = event
                chunk = next(self.response, None)
                if chunk is None:
                    return None
                self._text += chunk.decode()
                continue
            lines = [line.split(": ", 1) for line in event.splitlines() if not line.startswith(":")]
            data = "\n".join(value for name, value in lines if name == "data")
            if any(name == "data" for name, _ in lines):
                return dict(lines) | {"data": data}
        raise TimeoutError(f"the stream sent nothing but comments for {DEADLINE} seconds")

    def data(self):
        """Return the content of the next event; None at the end."""
        event = self.next()
        return event and event["data"]


@pytest.fixture
def app(engine):
    app = App(store=MemoryStore())
    app.use(Live(max_watchers=100_000))
    app.use(Templates(DictLoader({"orders.html": PAGE})))
    return app


@pytest.fixture
def clients(app):
    """Return a function that makes a client of the app, over an interface."""
    with ExitStack() as stack:
        yield lambda interface="asgi", **more: stack.enter_context(Client(app, interface, timeout=DEADLINE, **more))


@pytest.fixture
def watch():
    """Return a function that opens the stream of a block."""
    with ExitStack() as stack:

        def watch(client, path="/orders", **headers):
            options = {"headers": EVENTS | {name.replace("_", "-"): value for name, value in headers.items()}}
            return Stream(stack.enter_context(client.stream("GET", path, **options)))

        yield watch
