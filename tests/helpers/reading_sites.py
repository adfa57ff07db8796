"""Applications of every make, of which each layer reads the body as a test tells it to."""

import itertools
from typing import NamedTuple

from antiphon import App
from antiphon.testing import Client
from tests.app.conftest import COLOURS
from tests.helpers.body_readers import Readings
from tests.helpers.positions import POSITIONS


class Boom(Exception):
    """What handlers raise that are to fail."""


class Cell(NamedTuple):
    """What an application is made of."""

    interface: str
    policy: str
    """The route's; "load first" is "load" within middleware that says that it reads the body."""
    colour: object
    other: object
    position: str

    def __str__(self):
        return f"{self.interface}, {self.policy}, {self.colour.name} within {self.other.name}, {self.position}"

    @property
    def blocking(self):
        """Whether what is around the handler is on a thread, if it can be."""
        return self.policy in ("lazy", "stream")

    def can_read_first(self, layer):
        """Whether a layer may read what nobody has read before."""
        if self.policy == "load first":
            return True
        if self.policy == "load":
            return layer == "handler" or "after" in layer or layer in ("error handler", "last")
        stays_on_loop = self.is_on_loop and not self.other.is_async
        return layer != "last" and not (layer in ("error handler", "own after") and stays_on_loop)

    @property
    def is_on_loop(self):
        """Whether what is around the handler is on an event loop, unless it says that it blocks."""
        return self.other.is_async or self.colour.is_async


def differences(seen, expected, *where):
    """The first few things that were not as they should have been, each with what it should have been."""
    pairs = [(*where, *pair) for pair in itertools.zip_longest(seen, expected) if pair[0] != pair[1]]
    return pairs[:3]


def layers_of(levels, is_apart):
    """The layers in the order in which they are called: all middleware is around all hooks, but of an app apart."""
    if is_apart:
        opening = [f"{level} {point}" for level in levels for point in ("middleware before", "before")]
    else:
        opening = [f"{level} {point}" for point in ("middleware before", "before") for level in levels]
    closing = [layer.replace("before", "after") for layer in reversed(opening)]
    return [*opening, "handler", "error handler", "own after", *closing, "last"]


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
        self.layers = layers_of([*levels], position.is_apart)
        self._prefix = position.prefix
        self._client = Client(app, cell.interface, timeout=20.0, follow_redirects=False)

    def _surround(self, name, level):
        readings, other, blocking = self.readings, self._cell.other, self._cell.blocking
        middleware = readings.around(f"{name} middleware", other)
        level.middleware(body=self._cell.policy == "load first", blocking=blocking)(middleware)
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
        route = inner.route("/read", ["POST", "DELETE"], body=self._cell.policy.partition(" ")[0])
        route(readings.hook("handler", colour, answer))

    def send(self, kind, plan, *, fails=False, loads=False):
        """The response to this body, read by a plan."""
        self.readings.begin(plan, loads)
        path = f"{self._prefix}/read{'?fails' if fails else ''}"
        return self._client.request(kind.method, path, body=kind.sent, headers=kind.fields)

    def wrong(self, kind, plan, *, fails, loads=False):
        """What was not read as it should be."""
        response = self.send(kind, plan, fails=fails, loads=loads)
        called = [layer for layer in self.layers if fails or layer != "error handler"]
        expected = [(layer, name, kind.read[name]) for layer in called for name in plan.get(layer, ())]
        if response.text != ("handled" if fails else "answered"):
            return [(response.status, response.text)]
        return differences(self.readings.seen, expected)

    def close(self):
        self._client.close()


def made_once(**options):
    """Makes an application for a cell, or gives the one that there is."""
    made = {}

    def site(cell):
        if cell not in made:
            made[cell] = Site(cell, **options)
        return made[cell]

    yield site
    for each in made.values():
        each.close()


def cells_of(interface, policy, *positions):
    return [Cell(interface, policy, *each) for each in itertools.product(COLOURS, COLOURS, positions)]
