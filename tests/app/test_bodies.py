"""A body is read in every way, at every layer, in every order, and gives each reader the same."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import App, Limits, Response
from tests.app.conftest import STYLES
from tests.helpers.body_reading_apps import Variant, differences, made_once, variants_of
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.request_bodies import (
    BINARY_IN_CHUNKS,
    KINDS,
    LARGE_IN_PARTS,
    NAMES,
    chunked,
    coded,
    kind_of,
    takes_body,
)
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]


@pytest.fixture(scope="module")
def apps():
    yield from made_once()


@pytest.fixture(scope="module")
def limited_apps():
    yield from made_once(limits=Limits(body=1000))


def orders():
    for start in range(len(NAMES)):
        order = [*NAMES[start:], *NAMES[:start]]
        yield order if start % 2 else [order[0], *reversed(order[1:])]


def plan_from(layers, first, order):
    """The first of the layers reads in this order; those after it read some, each others."""
    rest = itertools.cycle(order)
    later = {layer: [*itertools.islice(rest, 3)] for layer in layers[layers.index(first) + 1 :]}
    return {first: order} | later


def wrong_variants(variants, kind, apps):
    """Reads a kind of body in the variants, each way first in some layers, and gives those where something is wrong.

    Each kind takes a share of them: together, kinds take all.
    """
    wrong = []
    turns = itertools.count()
    for variant, order in itertools.islice(itertools.product(variants, orders()), KINDS.index(kind) % 5, None, 5):
        app, turn = apps(variant), next(turns)
        fails = turn % 3 == 0
        called = [layer for layer in app.layers if fails or layer != "error handler"]
        layers = [*filter(variant.can_read_first, called)]
        plan = plan_from(app.layers, layers[turn % len(layers)], order)
        if found := app.wrong(kind, plan, fails=fails, loads=variant.policy == "lazy"):
            wrong.append((str(variant), plan, found))
    return wrong


def each_kind_of(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)


LARGE = [kind for kind in KINDS if "large" in kind.name or kind is LARGE_IN_PARTS]
each_kind, each_large_kind = each_kind_of([kind for kind in KINDS if kind not in LARGE]), each_kind_of(LARGE)
each_policy = rows("policy", ["load", "load first", "lazy"])


class TestEachWayOfReading:
    @each_policy
    @each_kind
    def test_gives_the_same_at_each_layer(self, interface, policy, kind, apps):
        variants = variants_of(interface, policy, "in the app", "in a blueprint of a mounted app")
        assert not wrong_variants(variants, kind, apps)

    @each_policy
    @each_large_kind
    def test_gives_the_same_of_what_is_in_a_file(self, interface, policy, kind, apps):
        variants = variants_of(interface, policy, "in the app", "in a blueprint of a mounted app")
        assert not wrong_variants(variants, kind, apps)


class TestAStreamedBody:
    """What was streamed is gone, and says so; what was read before it was streamed is kept."""

    STREAMING = ("stream", "parts", "a chunk", "a part")

    @each_kind
    def test_is_kept_for_those_who_read_it_otherwise_first(self, interface, kind, apps):
        assert not self.wrong(interface, kind, apps)

    @each_large_kind
    def test_is_kept_in_a_file_for_those_who_read_it_otherwise_first(self, interface, kind, apps):
        assert not self.wrong(interface, kind, apps)

    def wrong(self, interface, kind, apps):
        variants = variants_of(interface, "stream", "in the app", "in a mounted app")
        wrong = []
        for variant, first in itertools.product(variants, NAMES):
            if first not in self.STREAMING and takes_body(kind, first):
                plan = {"handler": [first, *NAMES], "outer after": NAMES}
                wrong += apps(variant).wrong(kind, plan, fails=False, loads=True)
        return wrong

    @each_kind_of(KINDS)
    def test_is_gone_after_that(self, interface, kind, apps):
        gone = {name: "gone" for name in NAMES if kind.sent and takes_body(kind, name)}
        later = ("own after", "outer middleware after")
        wrong = []
        for variant, first in itertools.product(variants_of(interface, "stream", "in the app"), ("stream", "parts")):
            if not takes_body(kind, first):
                continue
            readings = apps(variant).readings
            apps(variant).send(kind, {"handler": [first], **dict.fromkeys(later, NAMES)})
            expected = [(layer, name, gone.get(name, kind.read[name])) for layer in later for name in NAMES]
            wrong += differences(readings.seen, [("handler", first, kind.read[first]), *expected], str(variant))
        assert not wrong


@rows("kind", [LARGE_IN_PARTS, BINARY_IN_CHUNKS], ids=lambda kind: kind.name)
class TestABodyThatIsNotLoadedYet:
    """Before the handler a large body, or one without a length, is there only for those who say that they read it."""

    LAYERS = ("outer middleware before", "outer before")

    def wrong(self, apps, kind, variants, outcomes, *, loads=False):
        assert variants
        wrong = []
        for variant, layer, name in itertools.product(variants, self.LAYERS, NAMES):
            if takes_body(kind, name):
                apps(variant).send(kind, {layer: [name], "handler": [name]}, loads=loads)
                expected = [(layer, name, outcomes(name)), ("handler", name, kind.read[name])]
                wrong += differences(apps(variant).readings.seen, expected, str(variant))
        return wrong

    def test_is_read_by_what_is_on_a_thread(self, interface, kind, apps):
        variants = [variant for variant in variants_of(interface, "load", "in the app") if not variant.is_on_loop]
        assert not self.wrong(apps, kind, variants, lambda name: kind.read[name])

    def test_is_read_by_what_waits_for_it(self, interface, kind, apps):
        variants = [variant for variant in variants_of(interface, "load", "in the app") if variant.around.is_async]
        assert not self.wrong(apps, kind, variants, lambda name: kind.read[name], loads=True)

    def test_is_streamed_to_what_is_async(self, interface, kind, apps):
        variants = [variant for variant in variants_of(interface, "load", "in the app") if variant.around.is_async]
        streaming = ("stream", "parts", "a part")
        assert not self.wrong(apps, kind, variants, lambda name: kind.read[name] if name in streaming else "not loaded")

    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    def test_is_an_error_on_a_loop_that_says_what_to_do(self, interface, kind, apps):
        known = variants_of(interface, "load", "in the app")
        variants = [variant for variant in known if variant.is_on_loop and not variant.around.is_async]
        assert not self.wrong(apps, kind, variants, lambda name: "not loaded")


def refused(kind, status, name=None):
    """The same, of which nothing can be read."""
    return kind._replace(name=name or kind.name, read=dict.fromkeys(NAMES, status))


PLAIN = kind_of("plain", bytes(5000), "text/plain")
SHORT = kind_of("short", b"short", "text/plain")
REFUSED = (
    refused(PLAIN, 413, "too large by Content-Length"),
    refused(chunked(PLAIN, "too large in chunks", 600), 413),
    refused(coded(PLAIN, "too large when it is decoded"), 413),
    refused(LARGE_IN_PARTS, 413, "parts that are too large by Content-Length"),
    refused(chunked(LARGE_IN_PARTS, "parts that are too large in chunks", 50_000), 413),
    refused(SHORT, 415, "in an unknown coding")._replace(fields={"content-encoding": "rot13"}),
    refused(SHORT, 400, "not in its coding")._replace(fields={"content-encoding": "gzip"}),
    refused(SHORT, 400, "cut off in its coding")._replace(
        sent=coded(SHORT, "short").sent[:-9], fields={"content-encoding": "gzip"}
    ),
    refused(SHORT, 400, "of a length that is none")._replace(fields={"content-length": "five"}),
)


@each_policy
@rows("kind", REFUSED, ids=lambda kind: kind.name)
def test_a_body_that_is_refused_is_refused_to_all_who_ask_for_it(interface, policy, kind, limited_apps):
    names = [name for name in NAMES if takes_body(kind, name) and name not in ("a chunk", "a part", "parts")]
    wrong = []
    for variant in variants_of(interface, policy, "in the app", "in a blueprint"):
        app = limited_apps(variant)
        layers = [layer for layer in app.layers if layer == "handler" or "after" in layer]
        response = app.send(kind, dict.fromkeys(layers, names), loads=policy == "lazy")
        called = layers if policy == "lazy" else [layer for layer in layers if layer not in ("handler", "own after")]
        expected = [(layer, name, kind.read[name]) for layer in called for name in names]
        seen = [each for each in app.readings.seen if each[1] != "load"]
        wrong += differences(
            [response.status, *seen], [200 if policy == "lazy" else kind.read["body"], *expected], variant
        )
    assert not wrong


@given(data=st.data())
@settings(max_examples=2 * settings.default.max_examples)
def test_no_order_in_which_layers_read_changes_what_they_read(apps, data):
    interface = data.draw(st.sampled_from(["wsgi", "asgi", "rsgi"]))
    policy = data.draw(st.sampled_from(["load", "load first", "lazy"]))
    variant = Variant(interface, policy, *[data.draw(st.sampled_from(each)) for each in (STYLES, STYLES, [*POSITIONS])])
    kind = data.draw(st.sampled_from(KINDS))
    app = apps(variant)
    begins_at = app.layers.index(data.draw(st.sampled_from([*filter(variant.can_read_first, app.layers)])))
    orders = st.lists(st.sampled_from(NAMES), max_size=8)
    plan = {layer: data.draw(orders, label=layer) for layer in app.layers[begins_at:]}
    plan[app.layers[begins_at]].insert(0, "body")
    assert not app.wrong(kind, plan, fails="error handler" in plan, loads=policy == "lazy")


class TestUploads:
    @rows("size", [10, 600 << 10], ids=["in memory", "in a file"])
    @rows("answer", [b"whole", [b"a", b"stream"]], ids=["whole", "stream"])
    def test_are_freed_when_their_request_has_ended_but_for_those_detached(self, serving, style, size, answer):
        app, kept = App(), []

        @app.post("/")
        @style
        def handler(request):
            file = request.files["f"]
            kept.extend([file, file.detach(), request])
            return Response(answer if isinstance(answer, bytes) else iter(answer))

        form = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%b\r\n--B--' % bytes(size)
        serving(app).post("/", body=form, content_type="multipart/form-data; boundary=B")
        file, detached, request = kept
        assert file.closed
        with pytest.raises(ValueError, match="detach"):
            file.read()
        with detached:
            assert detached.read() == bytes(size)
        if size < 100:
            assert request.body == form

    @pytest.mark.parametrize("around", ["middleware", "before routing", "mount"])
    def test_can_be_read_by_what_is_around_when_the_handler_has_answered(self, serving, style, around, seen):
        inner, outer = App(), App()
        app = outer if around == "mount" else inner

        def reads(request, response):
            seen.append(request.files["f"].read())

        app.middleware(before_routing=around == "before routing")(style.around(after=reads))

        @inner.post("/")
        @style
        def handler(request):
            return str(request.files["f"].size)

        outer.mount("/in", inner)
        form = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nframes\r\n--B--'
        client = serving(outer if around == "mount" else inner)
        path = "/in/" if around == "mount" else "/"
        assert client.post(path, body=form, content_type="multipart/form-data; boundary=B").text == "6"
        assert seen == [b"frames"]
