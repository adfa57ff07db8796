"""The files of a folder as responses: which, in which coding, for how long, and none from outside of it."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.app.static_files import CODINGS, READ_AT_ONCE, StaticFolder
from antiphon.http.errors import Forbidden, NotFound, PreconditionFailed, RangeNotSatisfiable
from antiphon.request.request import Request
from antiphon.response.files import FileBody
from antiphon.response.response import Response
from tests.helpers.processes import UNMEASURED
from tests.helpers.rows import rows

CSS = b"body { color: teal }"
LARGE = bytes(READ_AT_ONCE + 1)
SECRET = b"nobody may read this"
FOREVER = "public, max-age=31536000, immutable"
WRONG = "000000000000"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "static"
    (root / "css").mkdir(parents=True)
    write(root / "css/site.css", CSS)
    write(tmp_path / "secret.txt", SECRET)
    write(tmp_path / "static-not/secret.txt", SECRET)
    return root


@pytest.fixture
def folder(root):
    return StaticFolder(root)


def write(path, content, age=100):
    """A file that was written some seconds ago."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def ask(method="GET", **headers):
    return Request.blank("/", method, {name.replace("_", "-"): value for name, value in headers.items()})


def get(folder, name, **headers):
    return folder.response(ask(**headers), name)


def content(response):
    return response.body if isinstance(response.body, bytes) else b"".join(response.body)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:12]


def is_found(folder, name):
    try:
        return content(get(folder, name))
    except NotFound:
        return None


class TestAFile:
    def test_is_served_as_a_file_is(self, folder, root):
        response = get(folder, "css/site.css")
        assert response.body == CSS
        plain = dict(Response.file(root / "css/site.css").headers.items())
        assert int(plain.pop("content-length")) == len(CSS)  # which bytes need not declare
        assert dict(response.headers.items()) == plain | {
            "cache-control": "no-cache",
            "x-content-type-options": "nosniff",
        }

    def test_answers_conditions_and_ranges(self, folder):
        etag = get(folder, "css/site.css").headers["etag"]
        assert get(folder, "css/site.css", if_none_match=etag).status == 304
        part = get(folder, "css/site.css", range="bytes=0-3")
        assert (part.status, content(part), part.headers["content-range"]) == (206, CSS[:4], f"bytes 0-3/{len(CSS)}")
        with pytest.raises(RangeNotSatisfiable):
            get(folder, "css/site.css", range="bytes=99-")
        with pytest.raises(PreconditionFailed):
            get(folder, "css/site.css", if_match='"other"')

    @rows(
        "options, cache_control",
        ({}, "no-cache"), ({"max_age": 0}, "public, max-age=0"), ({"max_age": 3600}, "public, max-age=3600"),
        ({"public": False}, "private, no-cache"), ({"public": False, "max_age": 60}, "private, max-age=60"),
    )  # fmt: skip
    def test_is_kept_as_long_as_was_said(self, root, options, cache_control):
        assert get(StaticFolder(root, **options), "css/site.css").headers["cache-control"] == cache_control

    @rows("name", ["LICENSE", "empty", "é ü.txt", "css/a..b", "%2e%2e", "a\nb", "-", "~"])
    def test_may_have_any_harmless_name(self, folder, root, name):
        write(root / name, name.encode())
        assert is_found(folder, name) == name.encode()

    def test_that_goes_before_it_is_sent_breaks_off_its_body_if_it_is_large(self, folder, root):
        small, large = get(folder, "css/site.css"), get(folder, write(root / "large", LARGE).name)
        for name in ("css/site.css", "large"):
            (root / name).unlink()
        assert content(small) == CSS
        assert isinstance(large.body, FileBody)
        with pytest.raises(FileNotFoundError):
            content(large)

    @rows("size", [0, 1, READ_AT_ONCE, READ_AT_ONCE + 1])
    def test_is_read_at_once_if_it_is_small(self, folder, root, size):
        name = write(root / "some", bytes(size)).name
        response = get(folder, name)
        assert isinstance(response.body, bytes) is (size <= READ_AT_ONCE)
        assert len(content(response)) == size == int(response.headers.get("content-length", size))

    def test_that_is_large_has_small_parts(self, folder, root):
        part = get(folder, write(root / "large", LARGE + CSS).name, range=f"bytes={len(LARGE)}-")
        assert (part.status, part.body) == (206, CSS)

    @pytest.mark.parametrize("swap", ["link", "pipe", "nothing"])
    def test_that_is_swapped_once_it_was_looked_at_is_not_followed(self, folder, root, monkeypatch, swap):
        path = root / "css/site.css"
        look_up = folder._look_up

        def swapped(name):
            found = look_up(name)
            if found and path.exists():
                path.unlink()
                if swap == "link":
                    path.symlink_to(root.parent / "secret.txt")
                elif swap == "pipe":
                    os.mkfifo(path)
            return found

        monkeypatch.setattr(folder, "_look_up", swapped)
        with pytest.raises(NotFound):
            get(folder, "css/site.css")

    def test_has_the_time_and_size_of_what_is_sent(self, folder, root, monkeypatch):
        look_up = folder._look_up

        def changed(name):
            found = look_up(name)
            write(root / "css/site.css", CSS * 2, age=50)
            return found

        monkeypatch.setattr(folder, "_look_up", changed)
        response = get(folder, "css/site.css")
        assert response.body == CSS * 2
        assert response.headers["etag"] == Response.file(root / "css/site.css").headers["etag"]


HOSTILE = [
    *("", "/", ".", "..", "./", "../", "../secret.txt", "css/../../secret.txt", "css/..", "css/../css/site.css"),
    *("../static-not/secret.txt", "../static/css/site.css", "./css/site.css", "css//site.css", "/css/site.css"),
    *("css/site.css/", "css/site.css/..", "css/site.css/x", "css", "css/", "missing", "missing/../css/site.css"),
    *("..\\secret.txt", "css\\site.css", "css\\..\\..\\secret.txt", "\\secret.txt", "C:\\secret.txt", "C:secret.txt"),
    *("C:/secret.txt", "\\\\host\\secret.txt", "//host/secret.txt", "css/site.css::$DATA", "css/site.css:x"),
    *("%2e%2e/secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt", "%252e%252e/secret.txt"),
    *("..\u2215secret.txt", "\uff0e\uff0e/secret.txt", "..\uff0fsecret.txt", "\u2025/secret.txt"),
    *("css/site.css\0", "\0", "css/site.css\0.png", "../secret.txt\0.css", "\ud800", "..\udc2fsecret.txt"),
    *(".. /secret.txt", "... /secret.txt", ". ./secret.txt", "..;/secret.txt", "..\n/secret.txt", "~/secret.txt"),
    *("~root/secret.txt", "file:///etc/passwd", "css/site.css?x", "css/site.css#x", "css/site.css ", "css/site.css\n"),
    *("n" * 256, "n" * 5000, "n/" * 2000 + "n", "css/" + "../" * 400 + "secret.txt", "\U0001f600" * 300),
    *(f"../secret.{digest(SECRET)}.txt", f"css/../../secret.{digest(SECRET)}.txt", f".{WRONG}.css"),
    *("/etc/passwd", "etc/passwd", "/proc/self/environ", "/dev/zero"),
]


class TestWhatIsNotInTheFolder:
    @rows("dotfiles", [False, True])
    def test_is_not_found(self, root, dotfiles):
        assert [name for name in HOSTILE if is_found(StaticFolder(root, dotfiles=dotfiles), name) is not None] == []

    @pytest.mark.parametrize(
        "target", ["../secret.txt", "../static-not/secret.txt", "{outside}/secret.txt", "/etc/hostname"]
    )
    @pytest.mark.parametrize("name", ["link.txt", "css/link.txt"])
    def test_is_not_found_through_a_link(self, folder, root, target, name):
        above = "../" if "/" in name and target[0] == "." else ""
        (root / name).symlink_to(above + target.format(outside=root.parent))
        assert (root / name).exists()
        assert is_found(folder, name) is None
        assert folder.hashed(name) == name
        assert is_found(folder, name.replace(".txt", f".{digest(SECRET)}.txt")) is None

    @pytest.mark.parametrize("target", ["..", "/", "../static-not", "css/../.."])
    def test_is_not_found_through_a_link_to_a_folder(self, folder, root, target):
        (root / "link").symlink_to(target)
        for name in ("link/secret.txt", "link/static/css/site.css", "link/etc/hostname", f"link{root}/css/site.css"):
            inside = (root / name).resolve().is_relative_to(root)
            assert is_found(folder, name) == (CSS if inside and (root / name).exists() else None)

    def test_is_not_found_as_a_precompressed_sibling(self, folder, root):
        (root / "css/site.css.gz").symlink_to(root.parent / "secret.txt")
        os.utime(root / "css/site.css.gz")
        response = get(folder, "css/site.css", accept_encoding="gzip")
        assert content(response) == CSS
        assert {"content-encoding", "vary"}.isdisjoint(response.headers)

    def test_is_no_device_pipe_or_loop(self, folder, root):
        os.mkfifo(root / "pipe")
        (root / "loop").symlink_to("loop")
        (root / "zero").symlink_to("/dev/zero")
        (root / "dangling").symlink_to("missing")
        for name in ("pipe", "loop", "loop/x", "zero", "dangling"):
            assert is_found(folder, name) is None
            assert folder.hashed(name) == name
            assert is_found(folder, f"{name}.{WRONG}") is None

    @rows("name", [".env", ".git/config", "css/.env", "css/.git/config"])
    def test_may_be_hidden_in_it(self, root, name):
        write(root / name, b"PASSWORD=1")
        assert is_found(StaticFolder(root), name) is None
        assert is_found(StaticFolder(root), f"{name}.{digest(b'PASSWORD=1')}") is None
        assert is_found(StaticFolder(root, dotfiles=True), name) == b"PASSWORD=1"

    @pytest.mark.processes
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_and_what_may_not_be_read_is_told_apart(self):
        code = (
            "import os, sys; from pathlib import Path; from antiphon import Request\n"
            "from antiphon.app.static_files import StaticFolder; import antiphon.handler.errors\n"
            "folder = StaticFolder(sys.argv[1]); folder.response(Request.blank('/'), 'open')\n"
            "os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)\n"
            "for name in ('closed', 'shut/file'):\n"
            "    assert folder.hashed(name) == name\n"
            "    try: folder.response(Request.blank('/'), name)\n"
            "    except Exception as error: print(type(error).__name__)"
        )
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            os.chmod(folder, 0o755)
            root = Path(folder)
            write(root / "open", b"")
            write(root / "closed", b"").chmod(0)
            write(root / "shut/file", b"")
            (root / "shut").chmod(0)
            command = [sys.executable, "-c", code, folder]
            run = subprocess.run(command, env=UNMEASURED, check=False, capture_output=True, text=True)
        assert (run.stdout, run.stderr) == (f"{Forbidden.__name__}\n" * 2, "")


class TestALink:
    def test_within_the_folder_is_followed(self, folder, root):
        (root / "latest.css").symlink_to("css/site.css")
        (root / "styles").symlink_to(root / "css")
        (root / "css/up").symlink_to("..")
        for name in ("latest.css", "styles/site.css", "css/up/css/site.css", "css/up/css/up/latest.css"):
            assert is_found(folder, name) == CSS
            assert is_found(folder, folder.hashed(name)) == CSS

    def test_has_the_type_that_its_name_tells(self, folder, root):
        write(root / "blob", b"<svg/>")
        (root / "logo.svg").symlink_to("blob")
        assert get(folder, "logo.svg").content_type == "image/svg+xml"

    def test_may_be_the_folder_itself(self, root):
        link = root.parent / "link"
        link.symlink_to(root)
        (root / "latest.css").symlink_to(link / "css/site.css")
        assert is_found(StaticFolder(link), "css/site.css") == CSS
        assert is_found(StaticFolder(link), "latest.css") == CSS

    def test_that_was_changed_is_followed_anew(self, folder, root):
        (root / "current").symlink_to("css")
        assert is_found(folder, "current/site.css") == CSS
        (root / "current").unlink()
        (root / "current").symlink_to("../static-not")
        assert is_found(folder, "current/secret.txt") is None


CHUNKS = [
    *("..", ".", "", "css", "site.css", "secret.txt", "in", "out", "up", "file", "abs", "static", "static-not", ".env"),
    *("\\", "C:", "%2e%2e", "%2f", "\0", " ", "\n", "\ud800", "é", "~", f".{digest(SECRET)}", digest(SECRET), ".gz"),
]


@pytest.fixture(scope="module")
def trap(tmp_path_factory):
    """A folder with links of all kinds; each file in it says that it is one of these, and none outside does."""
    above = tmp_path_factory.mktemp("trap")
    root = above / "static"
    for name in ("css/site.css", "css/secret.txt", "file", "css/.env"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write(root / name, b"inside")
    for name in ("secret.txt", "static-not/secret.txt", "site.css", "file"):
        write(above / name, SECRET)
    for name, target in (
        ("in", "css"), ("out", ".."), ("up", "../static-not"), ("abs", "/"), ("css/up", ".."), ("css/out", "../.."),
        ("css/secret.txt.gz", "../../secret.txt"), ("css/site.css.gz", "../up/secret.txt"),
    ):  # fmt: skip
        (root / name).symlink_to(target)
    return StaticFolder(root, dotfiles=True)


@given(
    st.lists(st.sampled_from(CHUNKS), max_size=8).map("/".join) | st.lists(st.sampled_from([*CHUNKS, "/"])).map("".join)
)
@example("in/site.css")
@example("css/up/in/up/css/site.css")
@example("out/secret.txt")
@example("css/secret.txt")
def test_no_name_gives_a_byte_from_outside(trap, name):
    for accepted in ("identity", "gzip"):
        with suppress(NotFound):
            assert content(get(trap, name, accept_encoding=accepted)) == b"inside"


class TestAPrecompressedSibling:
    @pytest.fixture
    def coded(self, root):
        """What each coding is, in so many bytes that their tags differ by the coding alone."""
        codings = {"br": b"BR", "zstd": b"ZS", "gzip": b"GZ"}
        for (coding, body), suffix in zip(codings.items(), (".br", ".zst", ".gz"), strict=True):
            write(root / f"css/site.css{suffix}", body)
            os.utime(root / f"css/site.css{suffix}", ns=(0, (root / "css/site.css").stat().st_mtime_ns))
            assert coding
        return codings | {None: CSS}

    @pytest.mark.parametrize("name", ["site.css", "css/site.css"])
    @pytest.mark.parametrize("how", ["write", "rename", "link"])
    def test_is_found_once_it_is_there(self, folder, root, name, how):
        path = write(root / name, CSS)
        os.utime(path.parent, (time.time() - 100,) * 2)
        for _ in range(2):
            assert "vary" not in get(folder, name, accept_encoding="br").headers
        sibling = path.with_name("site.css.br")
        if how == "write":
            write(sibling, b"br")
        else:
            other = write(root.parent / "static-not/site.css.br" if how == "rename" else root / "other/real", b"br")
            other.rename(sibling) if how == "rename" else sibling.symlink_to(other)
        response = get(folder, name, accept_encoding="br")
        assert (response.body, response.headers["vary"]) == (b"br", "accept-encoding")

    def test_that_is_a_link_is_found_once_it_leads_somewhere(self, folder, root):
        (root / "css/site.css.br").symlink_to(root / "later")
        os.utime(root / "css", (time.time() - 100,) * 2)
        assert "vary" not in get(folder, "css/site.css").headers
        write(root / "later", b"br")
        assert get(folder, "css/site.css", accept_encoding="br").body == b"br"

    def test_is_not_looked_for_again_while_its_folder_stays_as_it_is(self, folder, root, monkeypatch):
        asked = []
        lstat = os.lstat
        monkeypatch.setattr(os, "lstat", lambda path: asked.append(path) or lstat(path))

        def asked_for_siblings():
            asked.clear()
            get(folder, "css/site.css")
            return [path for path in asked if path.endswith(tuple(CODINGS.values()))]

        os.utime(root / "css", (time.time() - 100,) * 2)
        assert len(asked_for_siblings()) >= len(CODINGS)
        assert asked_for_siblings() == []
        os.utime(root / "css")  # just now: the next change may have the same time
        assert len(asked_for_siblings()) == len(CODINGS)
        assert len(asked_for_siblings()) == len(CODINGS)

    @rows(
        "accepted, coding",
        ("gzip", "gzip"), ("x-gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "zstd"),
        ("br;q=0.5, gzip;q=0.8", "gzip"), ("br;q=0, *", "zstd"), ("*", "br"), ("identity, gzip;q=0.9", None),
        ("identity", None), ("deflate", None), ("", None), (None, None), ("gzip;q=0", None), ("identity;q=0", None),
    )  # fmt: skip
    def test_is_chosen_by_quality(self, folder, coded, accepted, coding):
        response = get(folder, "css/site.css", **({} if accepted is None else {"accept_encoding": accepted}))
        assert content(response) == coded[coding]
        assert response.headers.get("content-encoding") == coding
        assert response.content_type == "text/css; charset=utf-8"
        assert response.headers["vary"] == "accept-encoding"
        assert response.headers["cache-control"] == "no-cache"

    def test_has_a_tag_of_its_own(self, folder, coded):
        accepted = ["br", "zstd", "gzip", "identity"]
        tags = [get(folder, "css/site.css", accept_encoding=each).headers["etag"] for each in accepted]
        assert len({*tags}) == 4
        assert all(re.fullmatch('"[0-9a-z-]+"', tag) for tag in tags)
        for each, tag in zip(accepted, tags, strict=True):
            unchanged = get(folder, "css/site.css", accept_encoding=each, if_none_match=tag)
            assert (unchanged.status, unchanged.headers["etag"], unchanged.headers["vary"]) == (
                304, tag, "accept-encoding",
            )  # fmt: skip
        assert get(folder, "css/site.css", accept_encoding="br", if_none_match=tags[2]).status == 200

    def test_has_a_weak_tag_while_it_is_new(self, folder, root):
        write(root / "css/site.css.br", b"BR", age=0)
        assert re.fullmatch('W/"[0-9a-f-]+-br"', get(folder, "css/site.css", accept_encoding="br").headers["etag"])

    def test_is_sent_in_parts(self, folder, coded):
        part = get(folder, "css/site.css", accept_encoding="br", range="bytes=1-")
        assert (part.status, content(part), part.headers["content-encoding"]) == (206, b"R", "br")

    def test_is_not_sent_when_it_is_older(self, folder, root):
        write(root / "css/site.css.br", b"BR", age=101)
        write(root / "css/site.css.gz", b"GZ", age=99)
        response = get(folder, "css/site.css", accept_encoding="br, gzip")
        assert content(response) == b"GZ"

    def test_is_no_folder(self, folder, root):
        (root / "css/site.css.gz").mkdir()
        response = get(folder, "css/site.css", accept_encoding="gzip")
        assert (content(response), response.headers.get("content-encoding")) == (CSS, None)

    def test_is_not_looked_for_when_that_is_not_wanted(self, root, coded):
        response = get(StaticFolder(root, precompressed=False), "css/site.css", accept_encoding="br")
        assert content(response) == CSS
        assert "vary" not in response.headers

    def test_is_a_file_of_its_own_by_its_own_name(self, folder, coded):
        response = get(folder, "css/site.css.gz", accept_encoding="gzip")
        assert (content(response), response.content_type) == (b"GZ", "application/gzip")
        assert {"content-encoding", "vary"}.isdisjoint(response.headers)

    def test_is_sent_for_a_name_with_a_hash(self, folder, coded):
        response = get(folder, folder.hashed("css/site.css"), accept_encoding="br")
        assert (content(response), response.headers["cache-control"]) == (b"BR", FOREVER)
        assert response.content_type == "text/css; charset=utf-8"


class TestANameWithAHash:
    def test_is_the_file_and_is_kept_forever(self, folder):
        response = get(folder, f"css/site.{digest(CSS)}.css")
        assert (content(response), response.headers["cache-control"]) == (CSS, FOREVER)
        assert response.content_type == "text/css; charset=utf-8"
        unchanged = get(folder, f"css/site.{digest(CSS)}.css", if_none_match=response.headers["etag"])
        assert (unchanged.status, unchanged.headers["cache-control"]) == (304, FOREVER)

    def test_of_another_version_is_the_present_one_and_is_not_kept(self, root):
        for options in ({}, {"max_age": 3600}):
            response = get(StaticFolder(root, **options), f"css/site.{WRONG}.css")
            assert (content(response), response.headers["cache-control"]) == (CSS, "no-cache")

    def test_changes_with_the_content(self, folder, root):
        old = folder.hashed("css/site.css")
        assert get(folder, old).headers["cache-control"] == FOREVER
        write(root / "css/site.css", b"p { color: plum } ..", age=50)
        assert folder.hashed("css/site.css") == f"css/site.{digest(b'p { color: plum } ..')}.css"
        assert get(folder, old).headers["cache-control"] == "no-cache"

    def test_changes_with_the_content_though_the_clock_hides_it(self, folder, root):
        path = write(root / "css/site.css", b"1", age=0)
        state = path.stat()
        assert folder.hashed("css/site.css") == f"css/site.{digest(b'1')}.css"
        path.write_bytes(b"2")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert folder.hashed("css/site.css") == f"css/site.{digest(b'2')}.css"

    @rows("age", [100, -10_000], ids=["old", "from the future"])
    def test_is_not_computed_each_time(self, folder, root, age):
        path = write(root / "css/site.css", b"1", age)
        state = path.stat()
        hashed = folder.hashed("css/site.css")
        path.write_bytes(b"2")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert folder.hashed("css/site.css") == hashed

    def test_is_computed_for_any_number_of_files(self, folder, root, monkeypatch):
        monkeypatch.setattr("antiphon.app.static_files._MOST_KNOWN", 3)
        for number in range(10):
            write(root / f"{number}.txt", str(number).encode())
        for _ in range(2):
            for number in range(10):
                assert folder.hashed(f"{number}.txt") == f"{number}.{digest(str(number).encode())}.txt"
            assert len(folder._digests) <= 3

    def test_that_a_file_really_has_is_that_file(self, folder, root):
        write(root / f"css/site.{WRONG}.css", b"real")
        response = get(folder, f"css/site.{WRONG}.css")
        assert (content(response), response.headers["cache-control"]) == (b"real", "no-cache")
        assert folder.hashed(f"css/site.{WRONG}.css") == f"css/site.{WRONG}.{digest(b'real')}.css"
        assert is_found(folder, folder.hashed(f"css/site.{WRONG}.css")) == b"real"

    def test_that_a_directory_has_is_still_that_of_the_file(self, folder, root):
        (root / f"css/site.{WRONG}.css").mkdir()
        assert is_found(folder, f"css/site.{WRONG}.css") == CSS

    @rows("name", ["missing.css", "css", "missing/a.css", "n" * 300])
    def test_is_not_made_for_what_is_not_there(self, folder, name):
        assert folder.hashed(name) == name

    def test_is_neither_made_nor_known_when_that_is_not_wanted(self, root):
        folder = StaticFolder(root, hashes=False)
        assert folder.hashed("css/site.css") == "css/site.css"
        assert is_found(folder, f"css/site.{digest(CSS)}.css") is None

    def test_by_another_tool_is_kept_forever(self, root):
        folder = StaticFolder(root, immutable=re.compile(r"-[\w-]{8}\.\w+\Z").search, max_age=60)
        write(root / "index-BkC3_x9Q.js", b"1")
        assert get(folder, "index-BkC3_x9Q.js").headers["cache-control"] == FOREVER
        assert folder.hashed("index-BkC3_x9Q.js") == "index-BkC3_x9Q.js"
        assert get(folder, "css/site.css").headers["cache-control"] == "public, max-age=60"
        assert folder.hashed("css/site.css") == f"css/site.{digest(CSS)}.css"

    def test_is_not_kept_by_shared_caches_unless_it_is_public(self, root):
        folder = StaticFolder(root, public=False)
        cache_control = get(folder, folder.hashed("css/site.css")).headers["cache-control"]
        assert cache_control == "private, max-age=31536000, immutable"


class TestAFolder:
    @rows("path", ["static", "./static", "../static", "", Path("static")])
    def test_that_is_relative_is_an_error(self, path):
        with pytest.raises(ValueError, match="is a relative path, and it is not clear what it is relative to"):
            StaticFolder(path)

    def test_that_is_not_there_is_an_error(self, root):
        for path in (root / "missing", root / "css/site.css", f"{root}/\0"):
            with pytest.raises(ValueError, match="no folder"):
                StaticFolder(path)

    @rows("path", [b"/tmp", None, 3])
    def test_is_a_path(self, path):
        with pytest.raises(TypeError):
            StaticFolder(path)

    @rows("max_age", [-1, 1.5, True, 2**31 + 1, "60"])
    def test_has_an_age_in_seconds(self, root, max_age):
        with pytest.raises(ValueError, match="max_age"):
            StaticFolder(root, max_age=max_age)

    def test_has_a_function_for_what_is_immutable(self, root):
        with pytest.raises(TypeError, match="immutable"):
            StaticFolder(root, immutable=re.compile("x"))

    def test_may_be_the_root(self, root):
        (root / "latest.css").symlink_to("css/site.css")
        for name in ("css/site.css", "latest.css"):
            assert is_found(StaticFolder("/"), f"{root}/{name}"[1:]) == CSS
