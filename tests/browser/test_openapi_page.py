"""The page of an OpenAPI document in a browser."""

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at

pytestmark = [pytest.mark.once, pytest.mark.processes]

COMMAND = ("-m", "antiphon", "run", "{app}", "--port", "{port}")


def test_everybody_can_read_it(page):
    with ServerProcess(COMMAND, "tests.features.openapi.shop:make_app") as process:
        page.go(f"http://127.0.0.1:{process.port}/api/docs")
        assert page.run("() => getComputedStyle(document.querySelector('section')).borderTopWidth") == "1px"
        look_at(page, "docs", [(390, 800, "light"), (390, 800, "dark"), (1280, 800, "light"), (1280, 800, "dark")])
