from posixpath import splitext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.app.static_files import HASH_DIGITS, LONGEST_NAME, served_names, with_hash, without_hash
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HASH = "0f3a9c1d2b4e"
OTHER = "0123456789ab"

hashes = st.text("0123456789abcdef", min_size=HASH_DIGITS, max_size=HASH_DIGITS)
chunks = st.sampled_from(["a", "b", ".", "/", "é", " ", "\n", HASH, OTHER, f".{HASH}"])
names = st.lists(chunks, min_size=1).map("".join)


@rows(
    "name, hashed",
    ("site.css", f"site.{HASH}.css"), ("css/site.css", f"css/site.{HASH}.css"),
    ("v1.2/site.min.css", f"v1.2/site.min.{HASH}.css"), ("a.tar.gz", f"a.tar.{HASH}.gz"),
    ("LICENSE", f"LICENSE.{HASH}"), ("v1.2/LICENSE", f"v1.2/LICENSE.{HASH}"), (".htaccess", f".htaccess.{HASH}"),
    (f".{OTHER}", f".{OTHER}.{HASH}"), (f"a.{OTHER}", f"a.{HASH}.{OTHER}"),
    (f"a.{OTHER}.css", f"a.{OTHER}.{HASH}.css"), ("a.", f"a.{HASH}."),
)  # fmt: skip
def test_a_hash_stands_before_the_suffix(name, hashed):
    assert with_hash(name, HASH) == hashed
    assert without_hash(hashed) == (name, HASH)


@rows(
    "name",
    "", "site.css", HASH, f".{HASH}.css", f"css/.{HASH}.css", f"site.css.{HASH}", f"site.{HASH}/a",
    f"site.{HASH[:-1]}.css", f"site.{HASH}0.css", f"site.{HASH.upper()}.css", f"site.{HASH}\n.css", f"site-{HASH}.css",
)  # fmt: skip
def test_a_name_that_was_not_made_of_another_has_no_hash(name):
    assert without_hash(name) is None


@given(names, hashes)
@example("..a", HASH)
def test_the_name_and_the_hash_come_back(name, digits):
    if name.rpartition("/")[2].strip("."):
        assert without_hash(with_hash(name, digits)) == (name, digits)


@given(names)
def test_what_is_taken_apart_is_put_together_again(name):
    found = without_hash(name)
    if found is not None:
        assert with_hash(*found) == name
        assert splitext(found[0])[1] == splitext(name)[1] or not splitext(found[0])[1]


@rows("name", ["a", "css/site.css", "a b", "é/ü", "a..b", "a.", "a...", "%2e%2e", "a\nb", "~", "-rf"])
def test_a_relative_name_is_served(name):
    assert served_names(False)(name)
    assert served_names(True)(name)


@rows(
    "name",
    *("", "/", "/a", "a/", "a//b", "//a", "\n/../a"),
    *(".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "...", ".. ", ". .", "a/.. /b", " ", "a/ /b"),
    *("a\0", "\0", "..\\a", "a\\b", "\\a", "\\\\host\\share", "C:", "C:a", "C:/a", "a:b", "\ud800"),
    "n" * (LONGEST_NAME + 1),
    ids=lambda name: ascii(name)[:20],
)
def test_a_name_that_may_lead_elsewhere_is_not(name):
    assert not served_names(False)(name)
    assert not served_names(True)(name)


@rows("name", [".env", ".git/config", "a/.env", "a/.git/config", ".a", "..a", ".well-known", ".well-known-not/a"])
def test_a_hidden_name_is_served_when_it_is_asked_for(name):
    assert not served_names(False)(name)
    assert served_names(True)(name)


def test_well_known_names_are_not_hidden():
    assert served_names(False)(".well-known/security.txt")
    assert served_names(False)("a/.well-known/change-password")
    assert not served_names(False)(".well-known/.env")


@given(st.text(st.sampled_from([*"a./\\: \0\n"])))
def test_no_served_name_leaves_the_folder(name):
    if served_names(True)(name):
        segments = name.split("/")
        assert not {"", ".", ".."}.intersection(segments)
        assert not {"\\", ":", "\0"}.intersection(name)
