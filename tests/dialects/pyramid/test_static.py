"""Static files of directories and packages, and their URLs, beside Pyramid."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from antiphon.dialects.pyramid.asset import asset_spec_from_abspath
from tests.dialects.pyramid.beside import DIALECT, Package, assert_alike
from tests.helpers.rows import rows

OURS = Package(DIALECT)
CONTENT = {
    "a.txt": b"some text, some text, some text", "a.txt.gz": b"short", "b.css": b"css",
    "b.css.gz": b"longer than the original", "folder/index.html": b"the index", "folder/c.unknown": b"c",
    ".hidden": b"hidden", "name with ä.txt": b"named", "empty/x": b"",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "secret.txt").write_bytes(b"secret")
    for name, content in CONTENT.items():
        path = root / "shop_with_files" / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (root / "shop_with_files" / "__init__.py").write_text("")
    (root / "shop_with_files" / "secret.txt").write_bytes(b"secret")
    (root / "shop_with_files" / "other.txt").write_bytes(b"another text")
    os.utime(root / "shop_with_files" / "other.txt", (1_700_000_000, 1_700_000_000))
    sys.path.insert(0, str(root))
    yield root / "shop_with_files" / "files"
    sys.path.remove(str(root))
    sys.modules.pop("shop_with_files", None)


def program(spec, override=False, **options):
    def make(p):
        with p.configurator() as config:
            config.add_static_view("static", spec, **options)
            if override:
                config.override_asset("shop_with_files:files/a.txt", "shop_with_files:other.txt")
            return config.make_wsgi_app()

    return make


NAMES = [
    "a.txt", "b.css", "missing", "folder", "folder/", "folder?a=1", "folder/c.unknown", "folder/index.html", ".hidden",
    "name%20with%20%C3%A4.txt", "", "empty/", "a.txt/", "a.txt/x", "../secret.txt", "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "folder/../a.txt", "folder/../../secret.txt", "//a.txt", "./a.txt", "a.txt%00", "%2fetc%2fpasswd", "/etc/passwd",
    "folder%2fc.unknown",
]  # fmt: skip


@rows("kind", ["package", "path"])
@pytest.mark.filterwarnings("ignore")
def test_files_are_sent_as_by_pyramid(folder, kind):
    make = program("shop_with_files:files" if kind == "package" else str(folder))
    others = [
        ("/static/a.txt", {"method": "HEAD"}),
        ("/static/a.txt", {"headers": {"If-Modified-Since": "Wed, 15 Nov 2023 00:00:00 GMT"}}),
        ("/static/a.txt", {"headers": {"Range": "bytes=1-3"}}),
    ]
    assert_alike(make, [*(f"/static/{name}" for name in NAMES), *others])


@rows("accepted", ["gzip", "gzip;q=0", "*", "identity", "br", ""])
@pytest.mark.filterwarnings("ignore")
def test_the_shortest_of_the_codings_that_a_client_accepts_is_sent(folder, accepted):
    make = program("shop_with_files:files", content_encodings=["gzip"])
    headers = {"headers": {"Accept-Encoding": accepted}} if accepted else {}
    assert_alike(make, [(f"/static/{name}", headers) for name in ("a.txt", "b.css", "folder/c.unknown", "missing")])


@pytest.mark.filterwarnings("ignore")
def test_other_assets_stand_for_files(folder):
    assert_alike(program("shop_with_files:files", override=True), ["/static/a.txt", "/static/b.css"])


@rows(
    "segments",
    [("..", "secret.txt"), ("a/../../secret.txt",), ("",), (".",), ("a\0",), ("c:\\a",), ("..\\secret.txt",)],
)
def test_no_path_leads_out_of_the_directory(folder, segments):
    request = OURS.request.Request.blank("/")
    request.subpath = segments
    for root in (str(folder), "shop_with_files:files"):
        with pytest.raises(OURS.httpexceptions.HTTPNotFound):
            OURS.static.static_view(root, use_subpath=True)(None, request)


def test_a_view_takes_the_whole_path(folder):
    view = OURS.static.static_view(str(folder), index="c.unknown")
    response = view(None, OURS.request.Request.blank("/folder/"))
    assert response.cache_control.max_age == 3600
    assert response.body == b"c"
    assert response.content_type == "application/octet-stream"


def test_a_package_that_is_not_there_is_told():
    with pytest.warns(DeprecationWarning, match="referencing a package 'shop_without_files' that does not exist"):
        OURS.static.static_view("shop_without_files:files")


def test_urls_change_with_the_files(folder, tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"a.txt": "a-1.txt"}))

    def make(p):
        with p.configurator() as config:
            spec = "shop_with_files:files/"
            config.add_static_view("plain", f"{spec}empty/")
            config.add_static_view("constant", f"{spec}folder/")
            config.add_static_view("manifest", spec)
            config.add_static_view("https://example.com/there", "shop_with_files:there/")
            config.add_cache_buster(f"{spec}folder/", p.static.QueryStringConstantCacheBuster("1", param="v"))
            config.add_cache_buster(spec, p.static.ManifestCacheBuster(str(manifest)))

            def view(request):
                made = [
                    request.static_url(f"{spec}a.txt"), request.static_url(f"{spec}b.css"),
                    request.static_path(f"{spec}folder/c.unknown"), request.static_url("shop_with_files:there/x"),
                    request.static_url(f"{spec}folder/c", _query={"a": "b"}, _anchor="c"),
                    request.static_url(f"{spec}folder/c", _query=[("a", "b")]), request.static_path(f"{spec}empty/x"),
                ]  # fmt: skip
                return p.response.Response("\n".join(made))

            config.add_view(view)
            return config.make_wsgi_app()

    assert_alike(make, ["/"])


def test_a_manifest_is_read_again_when_it_has_changed(tmp_path):
    path = tmp_path / "manifest.json"
    buster = OURS.static.ManifestCacheBuster(str(path), reload=True)
    assert buster(None, "a", {}) == ("a", {})
    for time_of_change, name in ((1000, "b"), (1000, "b"), (2000, "c")):
        path.write_text(json.dumps({"a": name}))
        os.utime(path, (time_of_change, time_of_change))
        assert buster(None, "a", {}) == (name, {})
    with pytest.raises(OSError, match="missing"):
        OURS.static.ManifestCacheBuster(str(tmp_path / "missing"))


def test_the_package_of_an_asset_can_be_anything_with_a_modules_name():
    package = SimpleNamespace(__name__="json")
    folder = Path(json.__file__).parent
    assert asset_spec_from_abspath(f"{folder}/tool.py", package) == "json:tool.py"
