"""Forms with files that are too large, over sockets: the form is shown again, with the error in place."""

import http.client
from contextlib import suppress

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.features.forms.markup import parsed
from tests.helpers.rows import rows
from tests.helpers.served.form_pages import LIMIT

pytestmark = [pytest.mark.once, pytest.mark.processes]

NAMES = "Granian, ASGI", "Granian, RSGI", "Gunicorn, gthread"


def form_data(size: int) -> tuple[bytes, dict[str, str]]:
    part = 'Content-Disposition: form-data; name="{}"'
    parts = [part.format("title") + "\r\n\r\nTea", part.format("terms") + "\r\n\r\ntrue"]
    parts += [part.format("file") + '; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + "x" * size]
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return body.encode(), {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module", params=NAMES)
def port(request):
    with ServerProcess(server(request.param).command, "tests.helpers.served.form_pages:app") as process:
        yield process.port


def send(port: int, path: str, size: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body, headers = form_data(size)
    try:
        with suppress(ConnectionError):  # the server has answered already
            connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@rows("path", ["/def/picture", "/async/picture", "/handled/picture"])
def test_a_form_that_is_too_large_is_shown_again_with_the_error(port, path):
    assert send(port, path, 1000) == (200, "Tea: 1000 bytes")
    status, page = send(port, path, LIMIT)
    assert status == 413
    (alert,) = [element for element in parsed(page).all() if element.get("role") == "alert"]
    assert "This was too large to receive: the limit is 200 kB in total." in alert.text
    assert parsed(page).by_id("picture-title").get("value") is None
