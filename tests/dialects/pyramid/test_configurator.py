"""The configurator: actions and their conflicts, includes, scans, assets and introspection, beside Pyramid."""

import re
import warnings
from types import SimpleNamespace

from zope.interface import Interface

from tests.dialects.pyramid import programs, scanned
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, assert_alike
from tests.helpers.rows import rows

HERE = __name__


def plain_view(request):
    return request.registry.response_class("plain")


def other_view(request):
    return plain_view(request)


def third_view(request):
    return plain_view(request)


def outcome(facts, name):
    """What facts a function finds with a package, or the error that it meets: without packages' names."""
    package = Package(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = facts(package)
        except Exception as error:
            found = type(error).__name__, re.sub(r"0x[0-9a-f]+", "", str(error))
    return eval(re.sub(r"antiphon\.dialects\.pyramid", "pyramid", repr(found)), {})


def conflicting_views(p):
    config = p.configurator()
    config.add_route("a", "/a")
    config.add_view(plain_view, route_name="a")
    config.add_view(other_view, route_name="a")
    config.commit()


def conflicting_routes(p):
    config = p.configurator()
    config.add_route("a", "/a")
    config.add_route("a", "/b")
    config.make_wsgi_app()


def conflicting_includes(p):
    config = p.configurator()

    def first(config):
        config.add_view(plain_view)

    def second(config):
        config.add_view(other_view)

    config.include(first)
    config.include(second)
    config.commit()


def conflict_of_utilities(p):
    config = p.configurator()
    config.set_session_factory(plain_view)
    config.set_session_factory(other_view)
    config.commit()


def conflicts_in_directives(p):
    config = p.configurator()

    def add_page(config, name):
        config.add_view(plain_view, name=name)

    config.add_directive("add_page", add_page)
    config.add_page("a")
    config.add_page("a")
    config.commit()


def failing_action(p):
    config = p.configurator()
    config.action("a", lambda: 1 / 0)
    config.commit()


def unknown_route(p):
    config = p.configurator()
    config.add_view(plain_view, route_name="missing")
    config.commit()


def unknown_predicate(p):
    config = p.configurator()
    config.add_route("a", "/a", request_methods="GET")
    config.commit()


def bad_arguments(p):
    calls = [
        lambda config: config.add_view(),
        lambda config: config.add_view(plain_view, accept=["text/html"]),
        lambda config: config.add_view(plain_view, request_type=int),
        lambda config: config.add_view(plain_view, context=int, exception_only=True),
        lambda config: config.add_route("a"),
        lambda config: config.add_tween(plain_view),
        lambda config: config.add_tween("MAIN"),
        lambda config: config.add_tween(f"{HERE}.plain_view", over="INGRESS"),
        lambda config: config.add_tween(f"{HERE}.plain_view", under="MAIN"),
        lambda config: config.add_tween(f"{HERE}.plain_view", under=1),
        lambda config: config.add_notfound_view(plain_view, permission="a"),
        lambda config: config.add_forbidden_view(plain_view, context=KeyError),
        lambda config: config.add_exception_view(plain_view, context=int),
        lambda config: config.add_view_deriver(plain_view, under="VIEW"),
        lambda config: config.add_view_deriver(plain_view, over="INGRESS"),
        lambda config: config.add_view_deriver(plain_view, "VIEW"),
        lambda config: config.add_accept_view_order("text/html;a=b", weighs_more_than="text/plain"),
        lambda config: config.override_asset("tests:a", "tests:a"),
        lambda config: config.override_asset("tests:a/", "tests:a"),
        lambda config: config.override_asset("tests:a", "tests:a/"),
        lambda config: config.include("json"),
        lambda config: config.maybe_dotted("json.missing"),
        lambda config: config.no_such_directive,
        lambda config: p.view.exception_view_config(1, 2),
    ]
    return [_named(call, p) for call in calls]


def _named(call, p):
    try:
        call(p.configurator())
    except Exception as error:
        return type(error).__name__
    return None


def names_and_specs(p):
    config = p.configurator(root_package=None).with_package("tests.dialects.pyramid")
    return [
        config.package_name, config.maybe_dotted(".test_configurator:plain_view").__name__,
        config.maybe_dotted(f"{HERE}.plain_view").__name__, config.maybe_dotted(3),
        config.absolute_asset_spec("a/b"), config.absolute_asset_spec("json:a"), config.absolute_asset_spec("/a/b"),
    ]  # fmt: skip


def settings(p):
    config = p.configurator(settings={"own": 1, "debug_notfound": "yes", "pyramid.reload_all": "true"})
    config.add_settings({"more": 2}, most=3)
    return sorted(config.get_settings().items(), key=repr)


def orders(p):
    """Actions run by order, then as they came, and may add others."""
    config, done = p.configurator(), []
    config.action("late", lambda: done.append("late"), order=10)
    config.action("b", lambda: done.append("b"))
    config.action(None, lambda: done.append("none"))

    def adds():
        done.append("adds")
        config.action("added", lambda: done.append("added"))
        config.action("later", lambda: done.append("later"), order=5)

    config.action("a", adds)
    config.action("early", lambda: done.append("early"), order=-20)
    config.commit()
    config.action("a", lambda: done.append("again"))
    config.commit()
    autocommitting = p.configurator(autocommit=True)
    autocommitting.action("a", lambda: done.append("at once"), order=10)
    return done


def added_too_late(p):
    config = p.configurator()
    config.action("a", lambda: config.action("b", lambda: None, order=-20))
    config.commit()


def overriding(p):
    """The program that includes another one has the last word, whatever came first."""
    config, done = p.configurator(), []

    def inner(config):
        config.action("a", lambda: done.append("inner"))
        config.include(innermost)
        config.action("b", lambda: done.append("inner b"))

    def innermost(config):
        config.action("a", lambda: done.append("innermost"))
        config.action("c", lambda: done.append("innermost c"))

    config.include(inner)
    config.action("a", lambda: done.append("outer"))
    config.include(inner)
    config.commit()
    return done


def introspection(p):
    config = p.configurator()
    config.add_route("a", "/a/{b}", request_method="GET")
    config.add_view(plain_view, route_name="a", permission="edit", request_param="q")
    config.add_tween(f"{HERE}.tween_factory")
    config.set_session_factory(plain_view)
    config.add_subscriber(plain_view, p.events.NewRequest)
    config.commit()
    found = config.introspector
    route = found.get("routes", "a")
    (view,) = [each for each in found.get_category("views") if each["introspectable"]["route_name"] == "a"]
    intr = view["introspectable"]
    names = ("name", "route_name", "request_param", "request_methods", "attr", "accept", "xhr", "exception_only")
    return [
        found.categories(), route["pattern"], route["request_methods"], route.title, intr.title, intr.type_name,
        {name: intr[name] for name in names}, intr["callable"] is plain_view, intr.action_info.line > 0,
        sorted(str(each.category_name) for each in view["related"]), found.get("permissions", "edit")["value"],
        [each["introspectable"].title for each in found.get_category("tweens")],
        [each["introspectable"]["subscriber"] is plain_view for each in found.get_category("subscribers")],
        found.get("session factory", None) is not None, found.get("routes", route.discriminator_hash) is route,
    ]  # fmt: skip


def tween_factory(handler, registry):
    return handler


def specificity(p):
    """The order of predicates, and of tweens."""
    config = p.configurator()
    predicates = config.get_predlist("view")
    lists = [
        {}, {"xhr": True}, {"request_method": "GET"}, {"custom": p.registry.predvalseq((plain_view, other_view))},
        {"header": "a"}, {"match_param": "a=b"}, {"xhr": True, "request_method": "GET"},
        {"xhr": True, "request_param": "a", "header": "b"}, {"request_method": p.config.not_("GET")},
    ]  # fmt: skip
    made = [predicates.make(config, **values) for values in lists]
    texts = [[predicate.text() for predicate in each[1]] for each in made]
    config.add_tween(f"{HERE}.tween_factory", under=p.tweens.INGRESS)
    config.add_tween(f"{HERE}.third_view", over=p.tweens.MAIN)
    config.add_tween(f"{HERE}.other_view")
    config.add_accept_view_order("text/html", weighs_more_than="text/xml", weighs_less_than="application/xml")
    config.commit()
    preferred = [each for _, each in config.registry.getUtility(p.interfaces.IAcceptOrder).sorted()]
    tweens = config.registry.getUtility(p.interfaces.ITweens)
    hashes = [each[2] for number, each in enumerate(made) if number != 3]
    return [each[0] for each in made], texts, hashes, [name for name, _ in tweens.implicit()], preferred


def assets(p):
    config = p.configurator()
    package = "tests.dialects.pyramid.scanned"
    config.override_asset(f"{package}:assets/", f"{package}:other/")
    config.commit()
    config.begin()
    try:
        resolver = p.path.AssetResolver("tests.dialects.pyramid.scanned")
        found = []
        for spec in ("assets/a.txt", "assets/b.txt", "assets/c.txt", "other/a.txt", f"{package}:assets", "assets"):
            asset = resolver.resolve(spec)
            read = asset.stream().read() if asset.exists() and not asset.isdir() else None
            found.append((spec, asset.absspec(), asset.exists(), read, sorted(asset.listdir()) if asset.isdir() else 0))
        return found
    finally:
        config.end()


FACTS = [
    bad_arguments, names_and_specs, settings, orders, overriding, introspection, specificity, assets,
]  # fmt: skip


@rows("facts", FACTS, ids=lambda facts: facts.__name__)
def test_configuration_is_as_in_pyramid(facts):
    assert outcome(facts, DIALECT) == outcome(facts, PYRAMID)


@rows(
    "facts",
    [conflicting_views, conflicting_routes, conflicting_includes, conflict_of_utilities, conflicts_in_directives],
    ids=lambda facts: facts.__name__,
)
def test_a_conflict_names_both_places(facts):
    kind, message = outcome(facts, DIALECT)
    assert kind == "ConfigurationConflictError"
    code = facts.__code__
    places = re.findall(r"Line (\d+) of file (.*):\n +(\S.*)", message)
    assert len(places) == 2
    for line, file, source in places:
        assert file == code.co_filename
        assert "config." in source
        assert code.co_firstlineno < int(line) < code.co_firstlineno + 12
    theirs = outcome(facts, PYRAMID)[1]
    assert re.findall(r"Line \d+", message) == re.findall(r"Line \d+", theirs)


@rows("facts", [failing_action, unknown_route, unknown_predicate, added_too_late])
def test_an_action_that_fails_names_its_place(facts):
    ours, theirs = outcome(facts, DIALECT), outcome(facts, PYRAMID)
    assert ours[0] == theirs[0]
    assert __file__ in ours[1]


@rows("categories", [("pyramid",), ("pyramid", "hidden")])
def test_scanning_finds_what_is_decorated(categories):
    def program(p):
        config = p.configurator()
        config.add_route("slashed", "/slashed/")
        config.scan(scanned.decorated(p), categories=categories)
        return config.make_wsgi_app()

    asked = [
        "plain", "other", "rendered", "first", "second", "third", "class", "fails", "worse", "forbids", "nothing",
        "slashed", "own", "hidden",
    ]  # fmt: skip
    assert_alike(program, [f"/{name}" for name in asked] + [(f"/{name}", {"POST": b""}) for name in asked])


def test_what_is_registered_later_is_honoured():
    """Views, traversers and request interfaces that a program registers by zope's ways, when the app has answered."""

    def program(p):
        config = p.configurator()
        config.add_route("a", "/a")
        config.add_route("change", "/change/{what}")
        config.add_view(lambda request: programs.text(p, "first"), route_name="a")
        config.add_view(lambda context, request: programs.text(p, "plain", type(context).__name__), name="x")

        def change(request):
            registry, interfaces = request.registry, p.interfaces
            if request.matchdict["what"] == "view":
                iface = registry.getUtility(interfaces.IRouteRequest, name="a")
                view = lambda context, request: programs.text(p, "second")  # noqa: E731
                registry.registerAdapter(view, (interfaces.IViewClassifier, iface, Interface), interfaces.IView)
            elif request.matchdict["what"] == "traverser":
                registry.registerAdapter(traverser(p), (Interface,), interfaces.ITraverser)
            else:
                registry.registerHandler(lambda event: event.request.headers.update(a="b"), (interfaces.INewRequest,))
            return programs.text(p, "changed")

        config.add_view(change, route_name="change")
        return config.make_wsgi_app()

    # Pyramid keeps the first view that it has found for "/a", so nothing asks for it before.
    assert_alike(program, ["/change/view", "/a", "/change/handler", "/a", "/change/traverser", "/a", "/x"])


def traverser(p):
    class Traverser:
        def __init__(self, root):
            self.root = root

        def __call__(self, request):
            found = {"context": self, "view_name": "x", "subpath": (), "traversed": (), "virtual_root": self}
            return found | {"virtual_root_path": (), "root": self.root}

    return Traverser


def test_subscribers_may_have_predicates_and_several_arguments():
    def facts(p):
        config, heard = p.configurator(), []

        class Path:
            def __init__(self, val, info):
                self.val = val

            def text(self):
                return self.val

            phash = text

            def __call__(self, event):
                return event.request.path == self.val

        config.add_subscriber_predicate("path", Path)
        config.add_subscriber(lambda event: heard.append(event.request.path), p.events.NewRequest, path="/a")
        config.add_subscriber(lambda request, event: heard.append(request), (p.events.NewRequest, Interface))
        config.commit()
        for path in ("/a", "/b"):
            config.registry.notify(p.events.NewRequest(p.request.Request.blank(path)))
        config.registry.notify(p.events.NewRequest(1), 2)
        return len(heard), heard[0]

    assert outcome(facts, DIALECT) == outcome(facts, PYRAMID)


def test_parts_of_an_application_are_registered_by_hand():
    def facts(p):
        config, heard = p.configurator(), []
        p.events.subscriber(p.events.NewRequest).register(SimpleNamespace(config=config), "", heard.append)
        config.commit()
        request, response = p.request.Request.blank("/"), p.response.Response()
        config.registry.notify(p.events.NewRequest(request))
        p.request.add_global_response_headers(request, [("X-A", "1")])
        request._process_response_callbacks(response)
        return len(heard), response.headers["X-A"], p.asset.abspath_from_asset_spec("a:b", None)

    assert outcome(facts, DIALECT) == outcome(facts, PYRAMID)
