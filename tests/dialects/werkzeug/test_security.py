"""Password hashes that both libraries read, and paths that don't leave a folder."""

import hashlib

import pytest
import werkzeug.security

from antiphon.dialects.werkzeug import security, utils
from tests.helpers.rows import rows

QUICK = ("scrypt:1024:8:1", "pbkdf2:sha256:2", "pbkdf2:sha512:3", "pbkdf2:sha1:1")


@rows("method", QUICK)
@rows("makes, checks", [(security, werkzeug.security), (werkzeug.security, security), (security, security)])
def test_a_hash_is_known_by_either(makes, checks, method):
    stored = makes.generate_password_hash("pässword", method)
    assert stored.startswith(f"{method}$")
    assert checks.check_password_hash(stored, "pässword")
    assert not checks.check_password_hash(stored, "password")


def test_salts_are_random_and_as_long_as_wanted():
    first, second = (security.generate_password_hash("x", QUICK[1], salt_length=8).split("$")[1] for _ in range(2))
    assert first != second
    assert len(first) == len(second) == 8
    assert set(security.gen_salt(500)) <= set(security.SALT_CHARS)
    with pytest.raises(ValueError, match="at least 1"):
        security.gen_salt(0)


@rows("stored", ["", "x", "a$b", "plain$$x", "md5$a$b", "scrypt:1$a$b", "pbkdf2:a:1:2$a$b"])
def test_what_is_no_hash_is_refused_alike(stored):
    def checked(library):
        try:
            return library.check_password_hash(stored, "x")
        except ValueError:
            return "ValueError"

    assert checked(security) == checked(werkzeug.security)


@rows(
    "names, joined",
    (("a", "b/c"), "base/a/b/c"), (("a/../b",), "base/b"), (("",), "base"), (("./a",), "base/a"), (("..",), None),
    (("a", "../b"), None), (("a/../../b",), None), (("/etc/passwd",), None), (("//x",), None),
)  # fmt: skip
def test_a_path_stays_in_its_folder(names, joined):
    assert security.safe_join("base", *names) == werkzeug.security.safe_join("base", *names) == joined


@rows("name", ["CON", "a/nul.txt", "COM1", "x/lpt² .y", "aux:stream", "a\\b"])
def test_windows_devices_are_no_files(monkeypatch, name):
    monkeypatch.setattr(utils.os, "name", "nt")
    monkeypatch.setattr(utils, "_OTHER_SEPARATORS", ["\\"])
    assert security.safe_join("base", name) is None
    assert security.safe_join("base", "console") == "base/console"


def test_a_password_that_no_keyboard_writes_is_wrong():
    """JSON may have half of a character."""
    hashed = security.generate_password_hash("oboe", "pbkdf2:sha256:10")
    assert not security.check_password_hash(hashed, "\ud800")


def test_older_names_are_there():
    assert security.safe_str_cmp("ä", "ä".encode())
    assert not security.safe_str_cmp("a", "ab")
    assert not security.safe_str_cmp("\ud800", "é")
    key = hashlib.pbkdf2_hmac("sha1", b"data", b"salt", 2, 10)
    assert security.pbkdf2_bin("data", "salt", 2, 10, hashlib.sha1) == key
    assert security.pbkdf2_hex(b"data", b"salt", 2, 10, "sha1") == key.hex()
