"""`webob.static`: files and folders, beside those of WebOb."""

import gc
import os
from pathlib import Path

import pytest

from antiphon.dialects.webob import static as dialect
from tests.dialects.webob.original import static as original
from tests.dialects.werkzeug.environs import called, environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    site = root / "site"
    for place in (site, site / "with", site / "without", root / "site-beside"):
        place.mkdir()
    for name in ("index.html", "a.txt", "b.js", "c.ico", "d.txt.gz", "with/index.html", "without/x.png", "../secret"):
        (site / name).write_bytes(b"0123456789" + name.encode())
        os.utime(site / name, (783_072_000.75, 783_072_000.75))
    (root / "site-beside" / "index.html").write_text("beside")
    return site


PATHS = ["/", "/a.txt", "/b.js", "/c.ico", "/d.txt.gz", "/with", "/with/", "/without/", "/without", "/without/x.png"]
PATHS += ["/../secret", "//a.txt", "/with/../a.txt", "/a.txt/", "/with/index.html", "", "/index.html/", "/no"]
ASKED = [{}, {"REQUEST_METHOD": "HEAD"}, {"QUERY_STRING": ""}, {"HTTP_RANGE": "bytes=2-4"}, {"HTTP_RANGE": "bytes=99-"}]
ASKED += [{"REQUEST_METHOD": "POST"}, {"HTTP_IF_MODIFIED_SINCE": "Fri, 25 Oct 1994 08:00:00 GMT"}]
KEYWORDS = [{}, {"index_page": "a.txt"}, {"hide_index_with_redirect": True, "cache_control": "public"}]


def facts(answer):
    """The answer, without the places on the server that WebOb tells in comments."""
    status, lines, body = answer
    if status[0] != "2":
        body, lines = b"", [line for line in lines if line[0] not in ("Content-Length", "Allow")]
    return status, sorted(lines), body


@rows("path", PATHS)
@rows("keywords", KEYWORDS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # WebOb leaves files open
def test_a_folder(folder, path, keywords):
    def answers(library):
        application = library.DirectoryApp(str(folder), **keywords)
        found = [called(application, environ(PATH_INFO=path, HTTP_ACCEPT="text/html", **keys)) for keys in ASKED]
        gc.collect()
        return [facts(answer) for answer in found]

    same(outcome(answers, original), outcome(answers, dialect))


def test_no_folder(tmp_path):
    with pytest.raises(OSError, match="not directory"):
        dialect.DirectoryApp(str(tmp_path / "missing"))


@rows("path", ["/../site-beside/", "/../site-beside/index.html", "/..", "/%2e%2e/\0", "/\0", "/\xe9"])
def test_nothing_outside_of_a_folder_is_sent(folder, path):
    """WebOb sends the index page of any folder on the server."""
    status, _, body = called(dialect.DirectoryApp(str(folder)), environ(PATH_INFO=path))
    assert status[:3] in ("403", "404")
    assert b"beside" not in body


def test_no_place_on_the_server_is_told(folder):
    for application in (dialect.DirectoryApp(str(folder)), dialect.FileApp(str(folder / "missing"))):
        status, _, body = called(application, environ(PATH_INFO="/missing", HTTP_ACCEPT="text/html"))
        assert (status, str(folder).encode() in body) == ("404 Not Found", False)


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    application = dialect.FileApp(str(folder / "a.txt"))

    def refuse(*arguments):
        raise PermissionError

    application._open = refuse
    assert called(application, environ())[0] == "403 Forbidden"


def test_a_file_is_closed_where_nothing_of_it_is_sent(folder):
    """WebOb leaves it to the garbage collector."""
    opened = []
    application = dialect.FileApp(str(folder / "a.txt"))

    def note(*arguments):
        opened.append(Path(arguments[0]).open("rb"))  # noqa: SIM115 - the application closes it
        return opened[-1]

    application._open = note
    for keys in ASKED[:5]:
        called(application, environ(**keys))
    assert [file.closed for file in opened] == [True] * 5
