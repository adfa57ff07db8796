"""What renderers make of values, beside Pyramid."""

from decimal import Decimal

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, assert_alike
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)


class Point:
    """A type with a JSON of its own."""

    def __json__(self, request):
        return {"x": 1, "path": request and request.path}


class Sized:
    """A type that has none."""

    def __repr__(self):
        return "<Sized>"


def plain(text):
    def factory(info):
        return lambda value, system: f"{text} {info.name} {info.type} {value} {sorted(system)}"

    return factory


VALUES = {
    "dict": {"a": [1, 2.5, None, "ä☃", True]},
    "point": [Point()],
    "decimal": Decimal("1.5"),
    "unknown": Sized(),
    "none": None,
    "text": "some text",
    "number": 5,
}


def program(p):
    jsons = p.renderers.JSON(indent=2, sort_keys=True)
    jsons.add_adapter(Decimal, lambda value, request: [str(value), request.method])
    made = {
        "json": None,
        "string": None,
        "adapted": jsons,
        "given": p.renderers.JSON(adapters=[(Decimal, lambda value, _: str(value))]),
        "other": p.renderers.JSON(lambda value, default, **kw: f"{value!r} {default(Point())} {kw}", a=1),
        "jsonp": p.renderers.JSONP(param_name="f"),
        ".page": plain("page"),
        "bytes": lambda info: lambda value, system: b"bytes",
        "chunks": lambda info: lambda value, system: iter([b"chunk ", b"s"]),
        "nothing": lambda info: lambda value, system: None,
    }

    def view(request):
        request.response.headers["X-View"] = "1"
        if "type" in request.GET:
            request.response.content_type = request.GET["type"]
        if "override" in request.GET:
            request.override_renderer = "string"
        return VALUES[request.GET["value"]]

    with p.configurator() as config:
        for name, factory in made.items():
            if factory is not None:
                config.add_renderer(name, factory)
            renderer = "a/b.page" if name == ".page" else name
            config.add_view(view, name=name.strip("."), renderer=renderer)
        config.add_subscriber(lambda event: event.update(added=1), p.events.BeforeRender)
        return config.make_wsgi_app()


@rows("renderer", ["json", "string", "adapted", "given", "other", "page"])
def test_values_are_rendered_as_by_pyramid(renderer):
    assert_alike(
        program, [f"/{renderer}?value={value}" for value in VALUES if value != "point" or renderer != "string"]
    )


def test_renderers_set_the_response_as_in_pyramid():
    others = [f"/{renderer}?value=text" for renderer in ("bytes", "chunks", "nothing")]
    types = [f"/{name}?value=number&type=application/x" for name in ("json", "string", "jsonp")]
    calls = [
        f"/jsonp?value=dict&f={name}" for name in ("", "f", "fn", "a.b[0]", "$x_1", "alert(1)", "a.", "1a", "a%0Ab")
    ]
    assert_alike(program, [*others, *types, *calls, "/jsonp?value=dict", "/json?value=dict&override"])


def request_of(p):
    with p.configurator() as config:
        config.add_renderer(".page", plain("page"))
        config.commit()
        request = p.request.Request.blank("/here")
        request.registry = config.registry
    return request


@rows("name", ["json", "string", "a.page"])
def test_programs_render_by_themselves(name):
    def rendered(p):
        request = request_of(p)
        request.response.status = 201
        text = p.renderers.render(name, {"a": 1}, request=request)
        made = p.renderers.render_to_response(name, {"a": 1}, request=request)
        given = p.response.Response(status=202)
        assert p.renderers.render_to_response(name, {"a": 1}, request=request, response=given) is given
        info = p.renderers.RendererHelper(name, registry=request.registry)
        system = {"request": None, "view": None}
        direct = p.renderers.get_renderer(name, registry=request.registry)({"a": 1}, system)
        return (
            text, made.status, made.content_type, made.text, given.status, given.content_type, direct, info.type,
            request.response.status, request.response.content_type,
        )  # fmt: skip

    assert rendered(OURS) == rendered(THEIRS)


def test_a_renderer_needs_a_factory():
    registry = request_of(OURS).registry
    helper = OURS.renderers.RendererHelper("x.unknown", registry=registry)
    with pytest.raises(ValueError, match=r"No such renderer factory \.unknown"):
        helper.get_renderer()
    copy = helper.clone(name="json")
    assert (copy.name, copy.registry, copy.get_renderer()({"a": 1}, {})) == ("json", registry, '{"a": 1}')
    assert copy.settings is registry.settings


def test_the_null_renderer_does_nothing():
    null = OURS.renderers.null_renderer
    value = object()
    assert null.clone() is null
    assert null.settings == {}
    results = (
        null.render_view(None, value, None, None),
        null.render(value, None),
        null.render_to_response(value, None),
    )
    assert all(result is value for result in results)


def test_without_a_request_the_current_registry_renders():
    registry = request_of(OURS).registry
    OURS.threadlocal.manager.push({"registry": registry, "request": None})
    try:
        assert OURS.renderers.render("json", [1]) == "[1]"
        assert OURS.renderers.render_to_response("json", [1]).text == "[1]"
    finally:
        OURS.threadlocal.manager.pop()
