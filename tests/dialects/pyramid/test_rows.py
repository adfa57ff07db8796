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


@pytest.mark.feature("pyramid-028")
def test_the_session_is_what_its_factory_makes():
    assert seen("/", set_session_factory=lambda request: {"of": request.path}).session == {"of": "/"}
    with pytest.raises(AttributeError, match="session factory"):
        seen("/").session  # noqa: B018


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
