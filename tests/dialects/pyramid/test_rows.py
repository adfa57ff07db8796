"""What the document says of Pyramid's own part, where no client sees it."""

import pytest

from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.request import Request


@pytest.mark.feature("pyramid-001")
def test_attributes_of_a_programs_own_are_the_requests_and_not_in_its_environ():
    request = Request.blank("/")
    request.own = 1
    assert "webob.adhoc_attrs" not in request.environ
    assert not hasattr(request.copy(), "own")


@pytest.mark.feature("pyramid-028")
def test_the_session_is_what_its_factory_makes():
    sessions = []
    with Configurator() as config:
        config.set_session_factory(lambda request: {"of": request.path})
        config.add_view(lambda request: sessions.append(request.session) or request.response)
    assert Request.blank("/").get_response(config.make_wsgi_app()).status_int == 200
    assert sessions == [{"of": "/"}]
    with Configurator() as config:
        config.add_view(lambda request: request.session)
    with pytest.raises(AttributeError, match="session factory"):
        Request.blank("/").get_response(config.make_wsgi_app())
