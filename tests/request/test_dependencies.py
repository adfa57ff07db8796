import inspect

import pytest

from antiphon import Request
from antiphon.request.dependencies import Dependency
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Route:
    """The route of an application in which each dependency reads as its name, numbered."""

    name = ""
    app = None

    def __init__(self):
        self.dependencies = self
        self.read_dependencies = []

    def read(self, dependency, request):
        assert isinstance(request, Request)
        self.read_dependencies.append(dependency)
        return f"{dependency.name} {len(self.read_dependencies)}"


def routed(kind=Request):
    request = kind.blank()
    request.route = Route()
    return request


Tenant = Dependency[str]("tenant", fix="app.use(Tenants())")


class WithSession(Request):
    session = Dependency[str]("session", fix="app.use(Sessions())")


class TestADependency:
    def test_is_computed_on_first_read_and_kept(self):
        request = routed()
        assert request.route.read_dependencies == []
        assert [request[Tenant], request[Tenant]] == ["tenant 1", "tenant 1"]
        assert request.route.read_dependencies == [Tenant]

    def test_tells_whether_it_was_read_or_set(self):
        request = routed()
        assert Tenant not in request
        assert request[Tenant]
        assert Tenant in request
        other = routed()
        other[Tenant] = "set"
        assert Tenant in other
        assert other.route.read_dependencies == []

    def test_an_unread_one_leaves_nothing_on_the_request(self):
        request = routed()
        before = dict(vars(request))
        assert Tenant not in request
        assert vars(request) == before

    def test_may_be_set_before_and_after_it_is_read(self):
        request = routed()
        request[Tenant] = "first"
        assert request[Tenant] == "first"
        request[Tenant] = "second"
        assert request[Tenant] == "second"
        assert request.route.read_dependencies == []

    def test_has_no_name_that_is_in_the_way_of_an_attribute(self):
        request = routed()
        request[Dependency[str]("method")] = "set"
        assert request.method == "GET"

    def test_that_nothing_fills_is_an_error_with_its_name_and_the_fix(self):
        with pytest.raises(RuntimeError, match=r"no application.*'tenant'.*app\.use\(Tenants\(\)\)") as refused:
            Request.blank()[Tenant]
        assert refused.value.__context__ is None
        assert "app.use(Tenants())" in str(Tenant.not_provided())
        assert "'tenant'" in str(Tenant.not_provided())
        assert "app.provide" in str(Dependency[str]("other").not_provided())

    def test_says_its_name(self):
        assert repr(Tenant) == "<Dependency 'tenant'>"


class TestAsAnAttribute:
    def test_is_what_its_dependency_is(self):
        request = routed(WithSession)
        request.session = "set"
        assert request.session == request[WithSession.session] == "set"
        request[WithSession.session] = "again"
        assert request.session == "again"
        assert WithSession.session in request

    def test_is_the_dependency_on_the_class(self):
        assert isinstance(WithSession.session, Dependency)
        assert WithSession.session.name == "session"

    def test_that_nothing_fills_is_no_missing_attribute(self):
        with pytest.raises(RuntimeError, match=r"'session'.*app\.use\(Sessions\(\)\)"):
            hasattr(WithSession.blank(), "session")


class TestARequest:
    @rows("key", ["tenant", 0, None], ids=repr)
    def test_has_nothing_but_dependencies(self, key):
        with pytest.raises(TypeError, match="needs a dependency"):
            routed()[key]
        with pytest.raises(TypeError, match=r"needs a dependency, not .*: make one, .* or set .* request\.g"):
            routed()[key] = 1

    def test_is_not_iterable(self):
        with pytest.raises(TypeError, match="not iterable"):
            iter(routed())


@rows("name, text", [("user", "The user whose"), ("session", "The visitor's data")])
def test_help_shows_the_text_of_an_attribute_not_that_of_its_class(name, text):
    assert inspect.getdoc(getattr(Request, name)).startswith(text)
