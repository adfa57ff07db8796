"""The page on databases: its apps, of which the others than this one run as they stand, keep what they answer."""

import re
from pathlib import Path

import pytest

from antiphon.testing import Client

PAGE = (Path(__file__).parents[2] / "docs/how-to/database.md").read_text()
ASYNC = re.findall(r"```python\n(.*?)```", PAGE.partition("\n## Async drivers\n")[2], re.DOTALL)[0]


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_the_async_app_commits_and_rolls_back(interface, tmp_path):
    pytest.importorskip("aiosqlite")
    page: dict = {"__name__": "shop"}
    exec(ASYNC, page)
    page["url"] = f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    with Client(page["app"], interface) as client:
        assert client.post("/orders", form={"name": "tea"}).json == {"id": 1}
        assert client.post("/orders", form={"name": "coffee"}).status == 409
        assert client.get("/orders/1").json == {"id": 1, "name": "tea"}
        assert client.get("/orders/2").status == 404
        assert client.get("/orders").json == {"names": ["tea"]}
