"""What the document says of Pyramid's own part, row by row."""

from abc import ABC

import pytest

from antiphon.dialects.pyramid import request as request_module
from antiphon.dialects.pyramid import response as response_module
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.interfaces import IRequest, IResponse
from antiphon.dialects.webob import Request as WebObRequest
from antiphon.dialects.webob import Response as WebObResponse
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Node(dict):
    __name__ = ""
    __parent__ = None


def tree(request):
    root, child = Node(), Node()
    root["a"] = child
    child.__name__, child.__parent__ = "a", root
    child["b"] = leaf = Node()
    leaf.__name__, leaf.__parent__ = "b", child
    return root


def seen(path, route=None, environ=None, *, look=lambda request: request, **options):
    """The request that the view of a path sees, after what the view does with it."""
    config = Configurator(root_factory=tree)
    for name, value in options.items():
        getattr(config, name)(value)
    found = []

    def view(context, request):
        found.append(look(request))
        found.append(request.__dict__.get("context"))
        return response_module.Response("seen")

    if route is not None:
        config.add_route("here", route)
    config.add_view(view, route_name="here" if route is not None else None)
    config.add_view(view, name="edit")
    app = config.make_wsgi_app()
    assert request_module.Request.blank(path, environ=environ).get_response(app).status_int == 200
    return found[0]


@pytest.mark.feature("pyramid-001")
def test_a_view_is_given_a_request_that_is_one_of_webob():
    request = seen("/")
    assert type(request) is request_module.Request
    assert issubclass(request_module.Request, WebObRequest)
    assert isinstance(request, WebObRequest)
    assert not issubclass(WebObRequest, request_module.Request)
    assert not {name for name in dir(WebObRequest) if name[0] != "_"} - {*dir(request_module.Request)}
    assert IRequest.providedBy(request)


@pytest.mark.feature("pyramid-001")
def test_attributes_of_a_programs_own_are_the_requests_and_not_in_its_environ():
    request = request_module.Request.blank("/")
    request.own = 1
    assert "webob.adhoc_attrs" not in request.environ
    assert not hasattr(request.copy(), "own")


@pytest.mark.feature("pyramid-001")
@rows("bases", [(WebObRequest,), (request_module.Request, WebObRequest), (WebObRequest, ABC)])
def test_both_requests_can_be_subclassed_with_others(bases):
    made = type("Own", bases, {}).blank("/?a=1")
    assert isinstance(made, WebObRequest)
    assert isinstance(made, request_module.Request) == (request_module.Request in bases)
    assert made.GET["a"] == "1"


@pytest.mark.feature("pyramid-002")
def test_a_view_may_return_a_response_of_webob():
    config = Configurator()
    config.add_view(lambda request: WebObResponse(b"plain", headerlist=[("X-Own", "1")]))
    config.add_view(lambda request: {"a": 1}, renderer="json", name="rendered")
    app = config.make_wsgi_app()
    answer = request_module.Request.blank("/").get_response(app)
    assert (answer.body, answer.headers["X-Own"]) == (b"plain", "1")
    request = request_module.Request.blank("/rendered")
    rendered = app.invoke_subrequest(request)
    assert isinstance(rendered, WebObResponse)
    assert rendered.json == {"a": 1}


@pytest.mark.feature("pyramid-020")
def test_the_context_is_what_traversal_finds():
    assert seen("/a/b", look=lambda request: request.context.__name__) == "b"


@pytest.mark.feature("pyramid-021")
def test_the_registry_is_that_of_the_application():
    config = Configurator(settings={"own": "1"})
    config.add_view(lambda request: request.registry.settings, renderer="json")
    assert request_module.Request.blank("/").get_response(config.make_wsgi_app()).json["own"] == "1"


@pytest.mark.feature("pyramid-022")
def test_the_root_is_where_traversal_starts():
    request = seen("/a/b")
    assert (request.root.__parent__, list(request.root)) == (None, ["a"])


@pytest.mark.feature("pyramid-023")
def test_the_subpath_is_what_comes_after_the_name_of_the_view():
    assert seen("/a/edit/x/y").subpath == ("x", "y")
    assert seen("/a").subpath == ()


@pytest.mark.feature("pyramid-024")
def test_traversed_are_the_names_of_resources():
    assert seen("/a/b/edit/x").traversed == ("a", "b")
    assert seen("/b/edit/x", environ={"HTTP_X_VHM_ROOT": "/a"}).traversed == ("a", "b")


@pytest.mark.feature("pyramid-025")
def test_view_name():
    assert seen("/a/edit").view_name == "edit"
    assert seen("/a").view_name == ""


@pytest.mark.feature("pyramid-026", "pyramid-027")
def test_the_virtual_root_is_that_of_the_host():
    request = seen("/b", environ={"HTTP_X_VHM_ROOT": "/a"})
    assert (request.virtual_root.__name__, request.virtual_root_path) == ("a", ("a",))
    request = seen("/a")
    assert (request.virtual_root, request.virtual_root_path) == (request.root, ())


@pytest.mark.feature("pyramid-028")
def test_the_session_is_what_its_factory_makes():
    assert seen("/", set_session_factory=lambda request: {"of": request.path}).session == {"of": "/"}
    with pytest.raises(AttributeError, match="session factory"):
        seen("/").session  # noqa: B018


@pytest.mark.feature("pyramid-029")
def test_tmpl_context_keeps_values_for_templates():
    request = seen("/")
    request.tmpl_context.title = "Lamps"
    assert request.tmpl_context.title == "Lamps"


@pytest.mark.feature("pyramid-030", "pyramid-031")
def test_a_request_has_the_route_that_matched_and_its_values():
    request = seen("/things/12", route="/things/{id}")
    assert request.matchdict == {"id": "12"}
    assert (request.matched_route.name, request.matched_route.pattern) == ("here", "/things/{id}")
    request = seen("/")
    assert (request.matchdict, request.matched_route) == (None, None)


@pytest.mark.feature("pyramid-052")
def test_the_response_is_webobs():
    assert issubclass(response_module.Response, WebObResponse)
    assert IResponse.providedBy(response_module.Response("text", status=201))


@pytest.mark.feature("pyramid-099")
def test_the_request_is_imported_from_its_module():
    request = request_module.Request.blank("/a?b=c")
    assert (request.path, request.GET["b"], request.ResponseClass) == ("/a", "c", response_module.Response)
