"""What a client sees of WebOb's document: over each interface, as on WebOb itself."""

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects import webob
from antiphon.dialects.webob import dec
from tests.dialects.exchanges import ORIGINAL, check, each, serving
from tests.dialects.webob import original
from tests.dialects.webob.served_requests import DROPPED, REQUESTS, answered
from tests.dialects.webob.served_responses import RESPONSES

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # of WebOb


def program(w, wsgify):
    views = {exchange.path: exchange.view for exchange in (*REQUESTS, *RESPONSES, *DROPPED) if exchange.view}
    return wsgify(lambda request: answered(w, views[request.path](w, request)))


@pytest.fixture(scope="module")
def servers():
    with serving(
        lambda: BridgedApplication(program(webob, dec.wsgify)), lambda: program(original.webob, original.dec.wsgify)
    ) as addresses:
        yield addresses


@each([*REQUESTS, *RESPONSES])
def test_a_client_sees_the_answer_of_webob(servers, exchange):
    check(servers, exchange)


@each(DROPPED)
def test_a_client_sees_what_webob_had(servers, exchange):
    check({name: address for name, address in servers.items() if name != ORIGINAL}, exchange)
