import pytest

from antiphon.http.urls.path import is_misleading
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows("path", ["", "/", "/a", "/a/", "/a b", "/é/ü", "/a.b", "/...", "/.a", "/a:80", "/@"])
def test_a_path_that_means_what_it_says_is_not_misleading(path):
    assert not is_misleading(path)


@rows(
    "path",
        "//", "//evil.example", "/a//b", "/a//", "/\\evil.example", "\\\\evil.example", "/a\\b", "/..", "/.", "/a/../b",
        "/a/./b", "/a/..", "/\t/evil.example", "/a\nb", "/a\r", "/a\x00", "/\x7f",
)  # fmt: skip
def test_what_browsers_read_otherwise_is(path):
    assert is_misleading(path)
