"""A body is read in every way, at every layer, in every order, and gives each reader the same."""

import itertools
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import App
from antiphon.testing import Client
from tests.app.conftest import COLOURS
from tests.body_readers import Readings
from tests.positions import POSITIONS
from tests.sent_bodies import KINDS, NAMES


class Boom(Exception):
    """What handlers raise that are to fail."""


class Cell(NamedTuple):
    """What an application is made of."""

    interface: str
    policy: str
    colour: object
    other: object
    position: str

    def __str__(self):
        return f"{self.interface}, {self.policy}, {self.colour.name} within {self.other.name}, {self.position}"


class Site:
    """An application of which each layer reads as it is told to."""

    def __init__(self, cell, **options):
        self.readings = Readings()
        self._cell = cell
        app = App(**options)
        position = POSITIONS[cell.position]
        inner = position.enter(app)
        levels = {"outer": app} if inner is app else {"outer": app, "inner": inner}
        for name, level in levels.items():
            self._surround(name, level)
        self._register(inner)
        self.layers = self._layers([*levels])
        self._prefix = position.prefix
        self._client = Client(app, cell.interface, timeout=20.0, follow_redirects=False)

    def _surround(self, name, level):
        readings, other = self.readings, self._cell.other
        blocking = self._cell.policy != "load"
        level.middleware(body=not blocking, blocking=blocking)(readings.around(f"{name} middleware", other))
        level.before_request(blocking=blocking)(readings.hook(f"{name} before", other))
        level.after_request(blocking=blocking)(readings.hook(f"{name} after", other))

    def _register(self, inner):
        readings, colour, other = self.readings, self._cell.colour, self._cell.other

        def answer(request):
            request.after_request(readings.hook("own after", other))
            request.after(readings.last("last", other, request))
            if request.args:
                raise Boom
            return "answered"

        inner.errorhandler(Boom)(readings.hook("error handler", other, lambda request: "handled"))
        route = inner.route("/read", ["POST", "DELETE"], body=self._cell.policy)
        route(readings.hook("handler", colour, answer))

    def _layers(self, levels):
        """The layers in the order in which they are called."""
        opening = [f"{level} {point}" for level in levels for point in ("middleware before", "before")]
        closing = [f"{level} {point}" for level in reversed(levels) for point in ("after", "middleware after")]
        return [*opening, "handler", "error handler", "own after", *closing, "last"]

    def wrong(self, kind, plan, *, fails, loads=False):
        """What was not read as it should be."""
        self.readings.begin(plan, loads)
        response = self._client.request(
            kind.method, f"{self._prefix}/read{'?fails' if fails else ''}", body=kind.sent, headers=kind.fields
        )
        called = [layer for layer in self.layers if fails or layer != "error handler"]
        expected = [(layer, name, kind.read[name]) for layer in called for name in plan.get(layer, ())]
        if response.text != ("handled" if fails else "answered"):
            return [(response.status, response.text)]
        seen = self.readings.seen
        return [] if seen == expected else [pair for pair in itertools.zip_longest(seen, expected) if pair[0] != pair[1]]

    def close(self):
        self._client.close()


@pytest.fixture(scope="module")
def sites():
    """Makes an application for a cell, or gives the one that there is."""
    made = {}

    def site(cell):
        if cell not in made:
            made[cell] = Site(cell)
        return made[cell]

    yield site
    for each in made.values():
        each.close()


def rotated(names, start):
    return [*names[start:], *names[:start]]


def plan_from(layers, first, orders):
    """Each layer from the first on reads in an order of its own."""
    return {layer: next(orders) for layer in layers[layers.index(first) :]}
