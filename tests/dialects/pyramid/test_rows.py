"""What the document says of Pyramid's own part, row by row."""

import pytest

from antiphon.dialects.pyramid import request as request_module
from antiphon.dialects.pyramid import response as response_module
from antiphon.dialects.pyramid.config import Configurator


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
def test_attributes_of_a_programs_own_are_the_requests_and_not_in_its_environ():
    request = request_module.Request.blank("/")
    request.own = 1
    assert "webob.adhoc_attrs" not in request.environ
    assert not hasattr(request.copy(), "own")


@pytest.mark.feature("pyramid-028")
def test_the_session_is_what_its_factory_makes():
    assert seen("/", set_session_factory=lambda request: {"of": request.path}).session == {"of": "/"}
    with pytest.raises(AttributeError, match="session factory"):
        seen("/").session  # noqa: B018
