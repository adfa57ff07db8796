"""Views that are tested without an application, beside Pyramid."""

import warnings

import pytest
from zope.interface import Interface

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)


class Marker(Interface):
    """What some resources provide."""


@pytest.fixture(autouse=True)
def nothing_current():
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for p in (OURS, THEIRS):
            p.testing.tearDown(unhook_zca=False)


def alike(ask):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ask(OURS) == ask(THEIRS)


def test_a_request_has_the_attributes_of_the_original():
    given = [
        {}, {"params": {"a": "1"}}, {"post": {"b": "2"}, "params": {"a": "1"}}, {"path": "/x", "method": "PUT"},
        {"headers": {"H": "1"}, "cookies": {"c": "1"}, "environ": {"E": "1"}}, {"accept": "text/html"},
        {"subpath": ("a",)},
    ]  # fmt: skip
    names = [
        "method", "application_url", "host", "domain", "content_length", "query_string", "charset", "script_name",
        "environ", "headers", "params", "cookies", "matchdict", "GET", "POST", "host_url", "path_url", "url", "path",
        "path_info", "path_qs", "body", "view_name", "subpath", "traversed", "virtual_root_path", "context", "root",
        "virtual_root", "marshalled", "session", "locale_name", "identity", "is_authenticated", "authenticated_userid",
    ]  # fmt: skip

    def shown(p):
        requests = [p.testing.DummyRequest(**options) for options in given]
        return [
            [getattr(request, name) for name in names] + [str(request.accept), request.response.status]
            for request in requests
        ]

    alike(shown)


def test_a_request_has_the_registry_that_is_current():
    config = OURS.testing.setUp(hook_zca=False)
    request = OURS.testing.DummyRequest()
    assert request.registry is config.registry
    request.registry = other = object()
    assert request.registry is other
    del request.registry
    assert request.registry is config.registry
    request.accept = "text/html"
    assert request.accept.acceptable_offers(["text/html"])
    del request.accept
    assert OURS.interfaces.IRequest.providedBy(request)


def configured(p):
    """What a view finds in a configuration for tests."""
    request = p.testing.DummyRequest(path="/here")
    config = p.testing.setUp(request=request, hook_zca=False, settings={"a": "b"})
    current = p.threadlocal.get_current_request() is request
    config.add_route("home", "/{name}")
    policy = config.testing_securitypolicy(
        userid="fred", identity={"id": 1}, permissive=False, remember_result=[("X-Remember", "1")]
    )
    renderer = config.testing_add_renderer("templates/page.pt")
    resources = config.testing_resources({"/a": "the resource"})
    traversed = config.registry.getAdapter(None, p.interfaces.ITraverser)(p.testing.DummyRequest(path="/a"))
    heard = config.testing_add_subscriber()
    config.registry.notify("event")
    text = p.renderers.render("templates/page.pt", {"a": 1}, request=request)
    asserted(renderer, a=1)
    found = [
        current, config.registry.settings["a"], request.authenticated_userid, request.identity,
        bool(request.has_permission("view", None)), p.security.remember(request, "bob"), policy.remembered,
        p.security.forget(request), policy.forgotten, text, renderer.a, resources, "event" in heard,
        request.route_path("home", name="x"), p.traversal.find_resource(None, "/a"),
        traversed,
    ]  # fmt: skip
    p.testing.tearDown(unhook_zca=False)
    after = p.threadlocal.get_current_request() is None, p.threadlocal.get_current_registry() is config.registry
    return found, after, config.registry.queryUtility(p.interfaces.ISecurityPolicy)


def test_a_configuration_is_current_until_it_is_torn_down():
    alike(configured)


def test_actions_wait_unless_they_are_done_at_once():
    registry = OURS.registry.Registry("mine")
    config = OURS.testing.cleanUp(registry=registry, autocommit=False, hook_zca=False)
    config.add_route("home", "/")
    assert config.registry is registry
    assert registry.queryUtility(OURS.interfaces.IRoutesMapper) is None
    config.commit()
    assert registry.queryUtility(OURS.interfaces.IRoutesMapper).get_route("home")


def asserted(renderer, **values):
    return renderer.assert_(**values)  # noqa: PT009 - its name


def test_a_renderer_notes_its_values():
    def noted(p):
        renderer = p.testing.DummyTemplateRenderer("text")
        shown = [renderer({"a": 1}, {"b": 2}), renderer.a, renderer.b, asserted(renderer, a=1, b=2)]
        renderer.string_response = "other"
        template = renderer.implementation()
        shown += [
            renderer({}),
            template(c=3),
            template.macros["x"](d=4),
            renderer.c,
            renderer.d,
            asserted(renderer, d=4),
        ]
        for wrong in ({"a": 2}, {"missing": 1}):
            with pytest.raises(AssertionError) as info:
                asserted(renderer, **wrong)
            shown.append(str(info.value))
        with pytest.raises(AttributeError):
            _ = renderer.missing
        return shown

    alike(noted)


def test_renderers_are_found_by_their_names():
    def found(p):
        factory = p.testing.DummyRendererFactory(".pt", None)
        factory.add("shop:page.pt", "page")
        names = ["shop:page.pt", "page.pt", "other:page.pt"]
        info = p.renderers.RendererHelper
        values = [factory(info(name, registry="none")) for name in names]
        with pytest.raises(KeyError, match=r"No testing renderer registered for 'missing\.pt'"):
            factory(info("missing.pt", registry="none"))
        factory.factory = lambda info: f"made {info.name}"
        return [*values, factory(info("missing.pt", registry="none"))]

    alike(found)


def test_resources_are_put_into_each_other():
    def shown(p):
        root = p.testing.DummyResource(color="red")
        child = p.testing.DummyResource("x", root, Marker)
        root["child"] = child
        copy = root.clone("copy", color="blue")
        found = [
            root["child"] is child, child.__name__, child.__parent__ is root, Marker.providedBy(child), root.color,
            root.get("child") is child, root.get("y", 1), [*root.keys()], [*root.values()] == [child],
            len(root), "child" in root, bool(p.testing.DummyResource()), copy.__name__, copy.color,
            copy["child"] is child, [name for name, _ in root.items()], p.traversal.resource_path(child),
        ]  # fmt: skip
        del root["child"]
        return [*found, len(root), len(copy), p.testing.DummyModel is p.testing.DummyResource]

    alike(shown)
    root = OURS.testing.DummyResource()
    root["child"] = OURS.testing.DummyResource()
    assert [*root] == ["child"]


def test_a_session_keeps_nothing():
    def shown(p):
        session = p.testing.DummySession(a=1)
        session.flash("one")
        session.flash("one", allow_duplicate=False)
        found = [session.peek_flash(), session.pop_flash(), session.pop_flash(), session.get_csrf_token()]
        session.changed()
        found += [session.new_csrf_token(), dict(session), session.new, session.created]
        session.invalidate()
        return [*found, dict(session)]

    alike(shown)


def test_roots_and_skipped_tests():
    root = OURS.testing.DummyRootFactory({"bfg.routes.matchdict": {"a": 1}})
    assert (root.a, root.__parent__, root.__name__) == (1, None, None)
    assert OURS.testing.skip_on("nowhere")(len) is len
    for platform in ("posix", "nt"):
        skipped = OURS.testing.skip_on(platform)
        assert (skipped(int) is None, skipped(len) is not len) in ((True, True), (False, False))
