"""A stream in a browser: each chunk of a text is shown when it has been sent."""

from http.client import HTTPConnection

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes


def test_the_first_chunk_of_a_text_is_shown_before_the_second_is_sent(browser):
    with ServerProcess(RUN, "tests.helpers.served.text_in_two:app") as site:
        page = browser.open("about:blank")
        page.run("url => { setTimeout(() => location.href = url) }", f"http://127.0.0.1:{site.port}/text")
        page.wait_until("() => document.body.innerText === 'first'")
        connection = HTTPConnection("127.0.0.1", site.port)
        connection.request("GET", "/go-on")
        assert connection.getresponse().status == 204
        connection.close()
        page.wait_until("() => document.body.innerText === 'first second'")
