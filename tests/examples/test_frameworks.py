"""The application of the README answers as the same one does that is written with another framework."""

from importlib import import_module
from urllib.parse import urlsplit

import pytest

from antiphon.testing import Client

pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore"),
]  # the other frameworks use what newer Pythons deprecate

FRAMEWORKS = {"antiphon": "asgi", "flask": "wsgi", "starlette": "asgi", "fastapi": "asgi"}
LAMP = {"name": "Lamp", "price": 20}
PICTURE = {"picture": ("lamp.jpg", b"\xff\xd8\xff")}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_app_answers_like_the_others(framework):
    pytest.importorskip(framework)
    module = import_module(f"examples.frameworks.{framework}_app")
    module.lamps.clear()
    client = Client(module.app, FRAMEWORKS[framework], follow_redirects=False)
    page = client.get("/")
    assert (page.status, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert page.text.count("<input") == 3
    missing = client.get("/lamps/1")
    assert missing.status == 404
    assert "There is no lamp 1." in missing.text
    added = client.post("/lamps", form={"name": "Lamp", "price": "20"}, files=PICTURE)
    assert (added.status, urlsplit(added.headers["location"]).path) == (303, "/lamps/1")
    assert client.get("/lamps/1").json == LAMP
    assert (module.pictures / "1.jpg").read_bytes() == b"\xff\xd8\xff"
    assert client.put("/lamps/1", json={"name": "Shade", "price": 45}).json == {"name": "Shade", "price": 45}
    assert client.get("/lamps/1").json == {"name": "Shade", "price": 45}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_is_wrong_is_named(framework):
    pytest.importorskip(framework)
    module = import_module(f"examples.frameworks.{framework}_app")
    client = Client(module.app, FRAMEWORKS[framework])
    for response in (
        client.put("/lamps/1", json={"name": "Shade", "price": "much"}),
        client.post("/lamps", form={"name": "Lamp"}, files=PICTURE),
    ):
        assert response.status == 422
        assert "price" in response.text
