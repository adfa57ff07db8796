"""The file `.env`: read as python-dotenv reads it, but strictly, and in bounded size."""

import pytest

from antiphon.environment import MOST, EnvFileError, read_env_file
from tests.helpers.rows import rows


@rows(
    "text, values",
    ("", {}),
    ("A=1\r\n\n  # a comment\nexport B = two words  # a comment\n", {"A": "1", "B": "two words"}),
    ("export\tA=1\nexport=2\rA.b-c=3", {"A": "1", "export": "2", "A.b-c": "3"}),
    ("A=\nB=''\nC=a#b\nD= # nothing\nE=#e\nF==f", {"A": "", "B": "", "C": "a#b", "D": "", "E": "#e", "F": "=f"}),
    ('A=it\'s "so" # ...\nB=C:\\new', {"A": 'it\'s "so"', "B": "C:\\new"}),
    ("A='it # is $B\\n'  # ...\nB='it\\'s \\\\'#...", {"A": "it # is $B\\n", "B": "it's \\"}),
    ('A="one\\ntwo \\"x\\" \\\\ \\$ \\t\\\'"', {"A": 'one\ntwo "x" \\ \\$ \t\''}),
    ('KEY="-----BEGIN\nabc=\n-----END"\nB=2', {"KEY": "-----BEGIN\nabc=\n-----END", "B": "2"}),
    ("A='one\r\ntwo'", {"A": "one\ntwo"}),
    ("A=1\nA=2", {"A": "2"}),
    ("\ufeffA=1", {"A": "1"}),
    ("A=" + " " * (MOST - 4) + "#x", {"A": ""}),
    ("A='" + "\\'" * (MOST // 2 - 2) + "'", {"A": "'" * (MOST // 2 - 2)}),
    ids=lambda value: repr(value)[:30],
)
def test_a_line_has_a_name_and_a_value(tmp_path, text, values):
    (tmp_path / ".env").write_text(text, "utf-8", newline="")
    assert read_env_file(tmp_path / ".env") == values


@rows(
    "data, words",
    (b"A=1\nB", "line 2"),
    (b"A=1\nexport B", "line 2"),
    (b"\n\n1A=1", "line 3"),
    (b"A='s3cret' y", "line 1"),
    (b'A=1\nB="s3cret\nC=2\n', "line 2"),
    (b"A=1\nB=s3\0cret", "line 2"),
    (b"A=\xff", "UTF-8"),
    (b"#" * (MOST + 1), "larger than 1 MiB"),
)
def test_a_line_that_has_none_is_named_and_not_shown(tmp_path, data, words):
    (tmp_path / ".env").write_bytes(data)
    with pytest.raises(EnvFileError, match=r"\.env") as error:
        read_env_file(tmp_path / ".env")
    assert words in str(error.value)
    assert "cret" not in str(error.value)


def test_there_may_be_no_file(tmp_path):
    (tmp_path / "venv" / ".env").mkdir(parents=True)  # a virtual environment may have that name
    assert read_env_file(tmp_path / ".env") is None
    assert read_env_file(tmp_path / "venv" / ".env") is None
