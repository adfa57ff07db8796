import functools

import pytest

from antiphon import App, to_app
from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.cli.interface import Choice, bridged, choose, flaw
from tests.helpers.deferred_annotations import define
from tests.helpers.rows import rows


def wsgi(environ, start_response): ...


def view(request): ...


@functools.wraps(view)
def wrapped_view(*arguments): ...


async def asgi(scope, receive, send): ...


def wrapped_asgi(scope, receive, send):
    return asgi(scope, receive, send)


def anything(*arguments): ...


def handler(request): ...


annotated = define("def made(environ: Unknown, start_response: Unknown) -> Unknown: ...")
annotated_asgi = define("def made(scope: Unknown, receive: Unknown, send: Unknown) -> Unknown: ...")


class AsyncCall:
    async def __call__(self, scope, receive, send): ...


class Rsgi:
    async def __rsgi__(self, scope, protocol): ...


class PerRequest:
    """PEP 3333 allows a class, which is called for each request and then iterated over."""

    def __init__(self, environ, start_response): ...

    def __iter__(self): ...


class Own:
    def __init__(self, interface):
        self.interface = interface

    def __call__(self, *arguments): ...

    async def __rsgi__(self, scope, protocol): ...


WSGI = "wsgi, bridged to asgi"
BRIDGED = "bridged from WSGI, so that slow clients hold no thread"


@rows(
    "app, interface",
    pytest.param(wsgi, WSGI, id="wsgi function"),
    pytest.param(PerRequest, WSGI, id="wsgi class"),
    pytest.param(anything, WSGI, id="any arguments"),
    pytest.param(annotated, WSGI, id="wsgi function, annotated for type checkers only"),
    pytest.param(annotated_asgi, "asgi", id="three arguments, annotated for type checkers only"),
    pytest.param(wrapped_view, WSGI, id="made from a view, whose signature it shows"),
    pytest.param(asgi, "asgi", id="asgi function"),
    pytest.param(functools.partial(asgi), "asgi", id="partial"),
    pytest.param(AsyncCall(), "asgi", id="async __call__"),
    pytest.param(wrapped_asgi, "asgi", id="three arguments"),
    pytest.param(Rsgi(), "rsgi", id="only __rsgi__"),
    pytest.param(App(), "asgi", id="an app in which nothing is async"),
    pytest.param(to_app(handler), "asgi", id="a plain function that is served"),
    pytest.param(Own("wsgi"), "wsgi", id="says wsgi"),
    pytest.param(Own("asgi"), "asgi", id="says asgi"),
    pytest.param(Own(["asgi"]), WSGI, id="an interface attribute of another meaning"),
    pytest.param(Own("eth0"), WSGI, id="an interface attribute of another value"),
)
def test_the_interface_is_what_the_app_says_or_else_its_shape(app, interface):
    assert flaw(app, None) is None
    served = bridged(app, None)
    assert choose(app, None).interface == ("asgi" if interface is WSGI else interface)
    assert isinstance(served, BridgedApplication) if interface is WSGI else served is app


def test_a_callable_that_hides_its_signature_may_be_wsgi():
    class Hidden:
        def __call__(self, environ, start_response): ...

        @property
        def __signature__(self):
            raise ValueError("no signature found")

    assert flaw(Hidden(), None) is None
    assert isinstance(bridged(Hidden(), None), BridgedApplication)


@rows("asked", ["asgi", "rsgi"])
@rows("app", [wsgi, PerRequest, annotated])
def test_an_app_that_speaks_wsgi_alone_is_bridged_to_what_is_asked_for(app, asked):
    assert isinstance(bridged(app, Choice(asked, "because")), BridgedApplication)
    assert bridged(app, Choice("wsgi", "because")) is app


@rows("app", [anything, asgi, wrapped_asgi, Own("eth0"), Rsgi(), App()])
def test_an_app_that_may_speak_what_is_asked_for_is_served_as_it_is(app):
    assert bridged(app, Choice("asgi", "because")) is app


@pytest.mark.parametrize("asked", ["wsgi", "asgi", "rsgi"])
def test_what_is_asked_for_wins(asked):
    assert choose(Own("asgi"), Choice(asked, "because")) == (asked, "because")


@rows(
    "app, reason",
    (wsgi, f"wsgi ({__file__}:%d) is a plain callable, {BRIDGED}"),
    (asgi, f"asgi ({__file__}:%d) is async"),
    (wrapped_asgi, f"wrapped_asgi ({__file__}:%d) takes three arguments"),
    (Own("asgi"), "its attribute `interface` names it"),
)
def test_the_reason_names_what_decided(app, reason, monkeypatch):
    line = f":{app.__code__.co_firstlineno}" if hasattr(app, "__code__") else ""
    monkeypatch.chdir("/")
    assert choose(app, None).reason == reason.replace(":%d", line).replace("(/", "(")


@rows(
    "thing, words",
    pytest.param({}, "is of type dict", id="dict"),
    pytest.param(None, "is of type NoneType", id="None"),
    pytest.param(AsyncCall, "is a class", id="class with __call__"),
    pytest.param(Rsgi, "is a class", id="class with __rsgi__"),
    pytest.param(lambda: wsgi, "without arguments", id="factory"),
    pytest.param(handler, "takes neither", id="handler"),
)
def test_what_is_no_application(thing, words):
    assert words in (flaw(thing, None) or "")


@rows("app", [asgi, functools.partial(asgi), AsyncCall(), wrapped_asgi, annotated_asgi])
def test_an_app_that_speaks_asgi_alone_is_not_served_over_wsgi(app):
    assert flaw(app, "wsgi") == "only speaks ASGI, not WSGI"
    assert flaw(app, "asgi") is None


@rows("app", [wsgi, anything, annotated, PerRequest, Own("asgi"), App(), to_app(handler)])
def test_an_app_that_may_speak_wsgi_is_served_over_it(app):
    assert flaw(app, "wsgi") is None


@pytest.mark.parametrize("asked", ["wsgi", "asgi"])
def test_an_object_that_cannot_be_called_speaks_rsgi_alone(asked):
    assert flaw(Rsgi(), "rsgi") is None
    assert f"not {asked.upper()}" in (flaw(Rsgi(), asked) or "")
