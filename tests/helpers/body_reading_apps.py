"""Applications whose every layer reads the body by a plan: over each interface, body policy and kind of handler."""

import itertools
from typing import NamedTuple

from antiphon import App
from antiphon.testing import Client
from tests.app.conftest import STYLES
from tests.helpers.body_readers import Readings
from tests.helpers.registration_positions import POSITIONS


class Boom(Exception):
    """The error of handlers that fail."""


class Variant(NamedTuple):
    """One variant of the application. The handler, and the hooks around it, are ``def`` or ``async def``."""

    interface: str
    policy: str
    """The body policy of the route; "load first" is "load" inside middleware with ``loads_body=True``."""
    handler: object
    around: object
    position: str

    def __str__(self):
        return f"{self.interface}, {self.policy}, {self.handler.name} within {self.around.name}, {self.position}"

    @property
    def blocking(self):
        """True if the hooks and middleware are registered as blocking."""
        return self.policy in ("lazy", "stream")

    def can_read_first(self, layer):
        """True if a layer may be the first to read the body."""
        if self.policy == "load first":
            return True
        if self.policy == "load":
            return layer == "handler" or "after" in layer or layer in ("error handler", "last")
        stays_on_loop = self.is_on_loop and not self.around.is_async
        return layer != "last" and not (layer in ("error handler", "own after") and stays_on_loop)

    @property
    def is_on_loop(self):
        """True if hooks and middleware run on an event loop unless they are blocking."""
        return self.around.is_async or (self.handler.is_async and self.interface != "wsgi")


def differences(seen, expected, *where):
    """Return the first three differences, each as a pair of actual and expected."""
    pairs = [(*where, *pair) for pair in itertools.zip_longest(seen, expected) if pair[0] != pair[1]]
    return pairs[:3]


def layers_of(levels, is_apart):
    """Return the layers in the order of their calls: all middleware is around all hooks, except in an app apart."""
    if is_apart:
        opening = [f"{level} {point}" for level in levels for point in ("middleware before", "before")]
    else:
        opening = [f"{level} {point}" for point in ("middleware before", "before") for level in levels]
    closing = [layer.replace("before", "after") for layer in reversed(opening)]
    return [*opening, "handler", "error handler", "own after", *closing, "last"]


class ReadingApp:
    """An application whose layers read the body by a plan, with a client for it."""

    def __init__(self, variant, **options):
        self.readings = Readings()
        self._variant = variant
        app = App(**options)
        position = POSITIONS[variant.position]
        inner = position.enter(app)
        levels = {"outer": app} if inner is app else {"outer": app, "inner": inner}
        for name, level in levels.items():
            self._surround(name, level)
        self._register(inner)
        self.layers = layers_of([*levels], position.is_apart)
        self._prefix = position.prefix
        self._client = Client(app, variant.interface, timeout=20.0, follow_redirects=False)

    def _surround(self, name, level):
        readings, is_async, blocking = self.readings, self._variant.around.is_async, self._variant.blocking
        middleware = readings.around(f"{name} middleware", is_async)
        level.middleware(loads_body=self._variant.policy == "load first", blocking=blocking)(middleware)
        level.before_request(blocking=blocking)(readings.hook(f"{name} before", is_async))
        level.after_request(blocking=blocking)(readings.hook(f"{name} after", is_async))

    def _register(self, inner):
        readings, is_async = self.readings, self._variant.around.is_async

        def answer(request):
            request.on_response(readings.hook("own after", is_async))
            request.after_response(readings.last("last", is_async, request))
            if request.args:
                raise Boom
            return "answered"

        inner.errorhandler(Boom)(readings.hook("error handler", is_async, lambda request: "handled"))
        route = inner.route("/read", ["POST", "DELETE"], receive=self._variant.policy.partition(" ")[0])
        route(readings.hook("handler", self._variant.handler.is_async, answer))

    def send(self, kind, plan, *, fails=False, loads=False):
        """Send a body that the layers read by a plan, and return the response."""
        self.readings.begin(plan, loads)
        path = f"{self._prefix}/read{'?fails' if fails else ''}"
        return self._client.request(kind.method, path, body=kind.sent, headers=kind.fields)

    def wrong(self, kind, plan, *, fails, loads=False):
        """Send a body that the layers read by a plan, and return the wrong reads."""
        response = self.send(kind, plan, fails=fails, loads=loads)
        called = [layer for layer in self.layers if fails or layer != "error handler"]
        expected = [(layer, name, kind.read[name]) for layer in called for name in plan.get(layer, ())]
        if response.text != ("handled" if fails else "answered"):
            return [(response.status, response.text)]
        return differences(self.readings.seen, expected)

    def close(self):
        self._client.close()


def made_once(**options):
    """Yield a function that returns the application of a variant, made on first use."""
    made = {}

    def app(variant):
        if variant not in made:
            made[variant] = ReadingApp(variant, **options)
        return made[variant]

    yield app
    for each in made.values():
        each.close()


def variants_of(interface, policy, *positions):
    """Return every variant with this interface and policy, at these positions."""
    return [Variant(interface, policy, *each) for each in itertools.product(STYLES, STYLES, positions)]
