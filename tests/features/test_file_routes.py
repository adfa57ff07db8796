"""A folder of Python files as routes: paths, handlers, modules, and errors that name the files."""

import pickle
import sys
import traceback
from importlib import import_module

import pytest

from antiphon import App, Blueprint
from antiphon.features import FileRoutes, Templates
from antiphon.testing import Client

pytestmark = pytest.mark.once

RENDER = "def render(request, **params):\n    return {'name': request.route.name} | params\n"


@pytest.fixture
def folder(tmp_path):
    """An empty folder for pages."""
    folder = tmp_path / "pages"
    folder.mkdir()
    return folder


@pytest.fixture
def save(folder):
    """Saves files in the folder: their texts by their names."""

    def save(files):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return save


@pytest.fixture
def site(folder, save):
    """An application with pages: their texts by their names."""

    def site(files, app=None):
        save(files)
        app = App() if app is None else app
        app.use(FileRoutes(folder))
        return app

    return site


FILES = [
    "index.py", "about.py", "sitemap.xml.py", "@[user].py", "über.py", "user/index.py", "user/me.py",
    "user/[id:int].py", "user/[id].py", "user/[id]/edit.py", "shop.py", "shop/[shop]/page.py",
    "shop/[year:int(min=2000, max=2099)]-[slug].py", "[lang:any(en,de)]/help.py", "files/[...rest].py",
    "files/[...rest]/history.py",
]  # fmt: skip
PATHS = [
    ("/", "index", {}),
    ("/about", "about", {}),
    ("/sitemap.xml", "sitemap.xml", {}),
    ("/@ann", "@[user]", {"user": "ann"}),
    ("/%C3%BCber", "über", {}),
    ("/user", "user/index", {}),
    ("/user/me", "user/me", {}),
    ("/user/7", "user/[id:int]", {"id": 7}),
    ("/user/ann", "user/[id]", {"id": "ann"}),
    ("/user/ann/edit", "user/[id]/edit", {"id": "ann"}),
    ("/shop", "shop", {}),
    ("/shop/tea", "shop/[shop]/page", {"shop": "tea"}),
    ("/shop/2026-green", "shop/[year:int(min=2000, max=2099)]-[slug]", {"year": 2026, "slug": "green"}),
    ("/de/help", "[lang:any(en,de)]/help", {"lang": "de"}),
    ("/files/a/b.txt", "files/[...rest]", {"rest": "a/b.txt"}),
    ("/files/a/b.txt/history", "files/[...rest]/history", {"rest": "a/b.txt"}),
]


def test_each_file_answers_the_path_that_it_is_named_after(site):
    app = site(dict.fromkeys(FILES, RENDER))
    client = Client(app)
    assert len(PATHS) == len(FILES) == len(app.routes)
    for path, name, params in PATHS:
        assert client.get(path).json == {"name": name} | params
        assert app.url_for(name, **params) == path


def test_what_is_no_page_is_neither_served_nor_imported(site):
    raising = "raise AssertionError('this was imported')"
    others = ["_helper.py", ".hidden.py", "_parts/a.py", ".git/b.py", "__pycache__/c.py", "old.py.bak", "a.pyi"]
    app = site(dict.fromkeys(others, raising) | {"index.py": RENDER, "page.html": "<p>", "my notes/a b.txt": ""})
    assert [route.pattern for route in app.routes] == ["/"]
    assert Client(app, raise_errors=False).get("/page.html").status == 404


METHODS = """
from antiphon import Response
from antiphon.features import route_options

def render(request, id):
    return f"<{id}>"

async def post(request):
    return {"id": request.path_params["id"]}, 201

def put(request) -> None: ...

def patch(request, id: int):
    yield f"{id}"

@route_options(receive="stream", deadline=3)
async def delete(request):
    return Response(request.route.receive, 202)

def query(request):
    return request.body
"""


@pytest.mark.axes("interface")
@pytest.mark.parametrize(
    ("method", "status", "body"),
    [
        ("GET", 200, "<7>"), ("HEAD", 200, ""), ("POST", 201, '{"id":7}'), ("PUT", 204, ""), ("PATCH", 200, "7"),
        ("DELETE", 202, "stream"), ("QUERY", 200, ""), ("PROPFIND", 405, None),
    ],
)  # fmt: skip
def test_a_function_answers_its_method_in_either_colour_with_any_value(site, interface, method, status, body):
    client = Client(site({"item/[id:int].py": METHODS}), interface, raise_errors=False)
    response = client.request(method, "/item/7")
    assert (response.status, response.text if body is not None else None) == (status, body)


@pytest.mark.parametrize(("prefix", "root"), [("", "/"), ("/docs", "/docs"), ("/<lang>", "/de")])
def test_a_blueprint_has_them_below_its_prefix(site, prefix, root):
    blueprint = Blueprint("docs", prefix=prefix)
    site({"index.py": RENDER, "[id:slug].py": RENDER}, blueprint)
    app = App()
    app.converter("slug", str.lower)
    app.register(blueprint)
    client = Client(app)
    assert client.get(root).json["name"] == "docs.index"
    assert client.get(f"{root.rstrip('/')}/A").json["id"] == "a"


HELPED = "from {}_kinds import SIGN, Kind\n\ndef render(request):\n    return SIGN + Kind('x').text\n"
HELPER = """
from dataclasses import dataclass
SIGN = "!"

@dataclass
class Kind:
    text: str
"""
HELPED_FILES = {
    "__init__.py": "", "_kinds.py": HELPER, "index.py": HELPED.format("."), "user.py": HELPED.format("."),
    "user/_kinds.py": HELPER.replace("!", "?"), "user/[id].py": HELPED.format("."),
    "user/[...rest].py": HELPED.format(".."), "v1.0/_kinds.py": HELPER.replace("!", "."),
    "v1.0/[id].py": HELPED.format("."),
}  # fmt: skip


@pytest.mark.parametrize("is_importable", [True, False])
def test_pages_import_what_is_beside_them(site, folder, monkeypatch, is_importable):
    if is_importable:
        monkeypatch.syspath_prepend(str(folder.parent.parent))
    app = site(HELPED_FILES)
    client = Client(app)
    answers = {"/": "!x", "/user": "!x", "/user/7": "?x", "/user/7/8": "!x", "/v1.0/7": ".x"}
    assert {path: client.get(path).text for path in answers} == answers
    modules = {route.name: sys.modules[route.handler.__module__] for route in app.routes}
    assert len({*modules.values()}) == len(answers)
    for name, module in modules.items():
        assert module.__file__ == module.render.__code__.co_filename == str(folder / f"{name}.py")
        assert pickle.loads(pickle.dumps(module.render)) is module.render
        assert pickle.loads(pickle.dumps(module.Kind("x"))) == module.Kind("x")
    if is_importable:
        assert modules["user/[id]"].__name__ == f"{folder.parent.name}.pages.user.[id]"
        assert import_module(f"{folder.parent.name}.pages._kinds").Kind is modules["index"].Kind


@pytest.mark.parametrize("is_importable", [True, False])
def test_apps_share_the_modules_of_a_folder_and_those_of_another_one_are_others(
    site, folder, tmp_path, monkeypatch, is_importable
):
    other = tmp_path / "other/pages"
    other.mkdir(parents=True)
    (other / "index.py").write_text(RENDER)
    for above in (tmp_path.parent, other.parent):
        if is_importable:
            monkeypatch.syspath_prepend(str(above))
    apps = [site({"index.py": RENDER}), site({}), App()]
    apps[2].use(FileRoutes(other))
    one, two, three = [app.routes[0].handler for app in apps]
    assert one is two is not three


def test_a_package_of_the_folders_name_is_left_alone(site, folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder.parent))
    json_folder = folder.rename(folder.with_name("json"))
    (json_folder / "decoder.py").write_text(RENDER)
    app = App()
    app.use(FileRoutes(json_folder))
    assert Client(app).get("/decoder").json == {"name": "decoder"}
    import json.decoder

    assert not hasattr(json.decoder, "render")


def no_page(text):
    return {"index.py": RENDER, "a/[id].py": text}


WRONG = {
    "no handler": (no_page("X = 1"), ValueError, r"/pages/a/\[id\]\.py has no handler.*render.*underscore"),
    "render and get": (no_page("def render(r): ...\ndef get(r): ..."), ValueError, r"/\[id\]\.py.*both render and get"),
    "a value": (no_page("post = 1"), TypeError, r"/a/\[id\]\.py.*post"),
    "an imported function": (
        no_page("from shutil import copy as delete\n" + RENDER), TypeError, r"/a/\[id\]\.py.*delete.*shutil",
    ),
    "an argument that is no parameter": (
        no_page("def render(request, number): ..."), TypeError, r"/a/\[id\]\.py:1\) takes 'number'",
    ),
    "an unknown option": (
        no_page("from antiphon.features import route_options as o\n@o(color=1)\n" + RENDER), TypeError, "color",
    ),
    "a bracket": ({"a/[id.py": RENDER}, ValueError, r"/pages/a/\[id\.py.*'\[id'"),
    "a bracket in a folder": ({"[a/id.py": RENDER}, ValueError, r"/pages/\[a/id\.py.*'\[a'"),
    "a number as name": ({"[1x].py": RENDER}, ValueError, r"\[1x\]\.py"),
    "a space": ({"our team.py": RENDER}, ValueError, r"our team\.py"),
    "a percent sign": ({"a%20b.py": RENDER}, ValueError, r"a%20b\.py"),
    "an angle": ({"<id>.py": RENDER}, ValueError, r"<id>\.py"),
    "an unknown converter": ({"[id:number].py": RENDER}, ValueError, r"/\[id:number\]\.py.*no converter 'number'"),
    "a path in a segment": ({"a[...rest].py": RENDER}, ValueError, r"a\[\.\.\.rest\]\.py.*whole segments"),
    "a path with a converter": ({"[...rest:int].py": RENDER}, ValueError, r"\[\.\.\.rest:int\]\.py"),
    "a name twice": ({"[id]/[id].py": RENDER}, ValueError, r"/\[id\]/\[id\]\.py.*several parameters named id"),
    "a file and a folder": ({"a.py": RENDER, "a/index.py": RENDER}, ValueError, r"/pages/a\.py and .*/a/index\.py"),
    "two indexes": ({"a/page.py": RENDER, "a/index.py": RENDER}, ValueError, r"/a/index\.py and .*/a/page\.py"),
    "two modules": (
        dict.fromkeys(["a.py", "a/__init__.py", "a/b.py"], RENDER), ValueError, r"/a\.py and .*/a/__init__\.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_an_error_at_start_that_names_the_file(site, case):
    files, kind, message = WRONG[case]
    with pytest.raises(kind, match=message):
        site(files)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["user/[id].py", "user/[name].py"], r"name their parameters alike.*/\[id\]\.py:1\) and .*/\[name\]\.py:1\)"),
        (["user/[id].py", "user/[id:str].py"], r"handled by both.*/\[id:str\]\.py:1\) and .*/\[id\]\.py:1\)"),
        (["about.py"], r"GET /about is handled by both .*test_file_routes\.py.*/pages/about\.py:1\)"),
    ],
)
def test_two_answers_to_one_request_are_an_error_that_names_both_files(site, files, message):
    app = App()
    app.get("/about")(lambda request: "x")
    site(dict.fromkeys(files, RENDER), app)
    with pytest.raises(ValueError, match=message):
        app._freeze()


@pytest.mark.parametrize(
    ("text", "kind", "line"), [("def render(:", SyntaxError, 1), ("\n1 / 0", ZeroDivisionError, 2)]
)
def test_an_error_in_a_page_has_its_file_and_the_page_is_imported_anew_afterwards(site, folder, text, kind, line):
    with pytest.raises(kind) as error:
        site({"a/[id].py": text})
    frame = traceback.extract_tb(error.value.__traceback__)[-1]
    place = (error.value.filename, error.value.lineno) if kind is SyntaxError else (frame.filename, frame.lineno)
    assert place == (str(folder / "a/[id].py"), line)
    assert Client(site({"a/[id].py": RENDER + "# mended"})).get("/a/7").json["id"] == "7"


@pytest.mark.parametrize("name", ["about.py", "about"])
def test_no_link_leads_out_of_the_folder(site, folder, tmp_path, name):
    outside = tmp_path / f"outside-{name}"
    if name == "about":
        outside.mkdir()
    else:
        outside.write_text("raise AssertionError('this was imported')")
    (folder / name).symlink_to(outside)
    with pytest.raises(ValueError, match=rf"/pages/{name} is a link"):
        site({"index.py": RENDER})


def test_a_link_to_a_file_in_the_folder_is_a_page_of_its_own(site, folder):
    (folder / "home.py").symlink_to("index.py")
    assert Client(site({"index.py": RENDER})).get("/home").json == {"name": "home"}


def test_the_folder_is_there_and_beside_the_file_that_names_it(site, folder):
    with pytest.raises(ValueError, match=r"there is no folder '.*/tests/features/nowhere'"):
        FileRoutes("nowhere")
    made = {"__file__": str(folder.parent / "app.py")}
    site({"index.py": RENDER})
    exec(
        "from antiphon import App\nfrom antiphon.features import FileRoutes\napp = App()\napp.use(FileRoutes('pages'))",
        made,
    )
    assert Client(made["app"]).get("/").json == {"name": "index"}


PAGE = """
from antiphon.features import Page

def render(request, id):
    return Page("user/[id].html", id=id)
"""


def test_templates_may_stand_beside_their_pages(site, folder):
    app = App()
    app.use(Templates(folder))
    site({"user/[id].py": PAGE, "user/[id].html": "<b>{{ id }}</b>"}, app)
    assert Client(app).get("/user/7").text == "<b>7</b>"


class PagesOfText(FileRoutes):
    """Pages of which text files are some, too: each answers GET with what it says."""

    suffixes = (".py", ".txt")

    def handlers(self, page):
        if page.path.endswith(".py"):
            return [(("GET", "POST"), self.load(page).render)]
        with open(page.path) as file:
            text = file.read()
        return [(("GET",), lambda request: text)]


def test_a_subclass_has_other_files_and_other_handlers(folder, save):
    save({"a.txt": "text", "b/page.txt": "unused", "b/page.py": RENDER, "_c.txt": "", "d.md": ""})
    app = App()
    app.use(PagesOfText(folder))
    client = Client(app)
    assert client.get("/a").text == "text"
    assert client.post("/b").json == {"name": "b/page"}
    assert [route.pattern for route in app.routes] == ["/a", "/b"]
