"""Both libraries, for examples that hold for either."""

import pytest
import werkzeug.routing

from antiphon.dialects.werkzeug import routing


@pytest.fixture(params=[werkzeug.routing, routing], ids=["werkzeug", "antiphon"])
def library(request):
    """Werkzeug's routing, which shows that the expectation is right, and the dialect's."""
    return request.param
