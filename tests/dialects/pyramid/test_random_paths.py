"""Random paths to static files, routes and resources: the answers of Pyramid, and nothing from outside of a folder."""

from random import Random

import pytest

from antiphon.cli.compare import differences
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, answer

pytestmark = pytest.mark.filterwarnings("ignore")

PARTS = [
    "a.txt", "sub", "b.txt", "secret.txt", "..", ".", "", "%2e%2e", "%2e.", "..%2f", "%2f", "%5c", "..%5c", "\\", "%00",
    "%252e%252e", "%c3%a4", "%ff", "~", "a.txt%20", " ", ".hidden", "link", "static", "@@edit", "C:", "a;b", "a:b", "*",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    (root / "secret.txt").write_text("the secret")
    (root / "public-other").mkdir()
    (root / "public-other" / "secret.txt").write_text("the secret")
    public = root / "public"
    (public / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.txt", "sub/index.html", ".hidden"):
        (public / name).write_text(f"public {name}")
    return public


class Resource(dict):
    pass


def program(p, folder):
    def told(context, request):
        return {
            "name": request.view_name,
            "subpath": request.subpath,
            "traversed": request.traversed,
            "matchdict": request.matchdict,
        }

    tree = Resource(sub=Resource(), a=Resource(b=Resource()))
    with p.configurator(root_factory=lambda request: tree) as config:
        config.add_static_view("static", str(folder))
        config.add_static_view("static/sub2", f"{folder}/sub/")
        config.add_route("rest", "/rest/*rest")
        config.add_route("one", "/one/{x}/{y:[a-z.]+}")
        config.add_route("traversed", "/t/{x}/*traverse")
        for route in ("rest", "one", "traversed"):
            config.add_view(told, route_name=route, renderer="json")
        config.add_view(told, context=Resource, renderer="json")
        config.add_view(told, context=Resource, name="edit", renderer="json")
        return config.make_wsgi_app()


def paths():
    random = Random(56)
    for _ in range(1000):
        start = random.choice(["/static", "/static", "/static/sub2", "/rest", "/one", "/t", "", "/sub", "/a"])
        yield start + "".join(
            random.choice(["/", "/", "//"]) + part for part in random.choices(PARTS, k=random.randint(0, 4))
        )


def test_random_paths_lead_where_they_lead_in_pyramid(folder):
    our_app, their_app = (program(Package(name), folder) for name in (DIALECT, PYRAMID))
    statuses = set()
    for path in paths():
        found, expected = answer(our_app, path), answer(their_app, path)
        assert "the secret" not in str(found), path
        if expected["raised"].startswith("URLDecodeError"):
            assert found["status"] == 400, path
            continue
        statuses.add(expected["status"])
        differing = differences(expected, found)
        if found["status"] == 404:  # whose text names a URL or says that it is out of bounds
            differing = [each for each in differing if each.part == "status"]
        assert not differing, path
    assert {200, 301, 404} <= statuses
