"""The file `.env`: a name and a value in each line, as python-dotenv and shells read them."""

import os
import re

from antiphon.explanations import explained

MOST = 1 << 20
"""The maximum size of the file, in bytes."""

_line = re.compile(
    r"""[^\S\n]*+(?>(?:
        (?:export[^\S\n]++)?([A-Za-z_][A-Za-z0-9_.-]*+)[^\S\n]*+=
        (?:[^\S\n]*+(?:'((?:[^'\\]|\\.?)*+)'|"((?:[^"\\]|\\.?)*+)")|(?![^\S\n]*+['"])([^\n]*+))
    )?)[^\S\n]*+(?:[#][^\n]*+)?(?:\n|\Z)""",
    re.DOTALL | re.VERBOSE,
).match
"""Match a line: an optional name, and its value in single quotes, in double quotes, or without quotes."""
_comment = re.compile(r"\s#")
_escaped_in_single = re.compile(r"\\(['\\])")
_escaped_in_double = re.compile(r"""\\(['"\\abfnrtv])""")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class EnvFileError(ValueError):
    """A file that can't be read, with the number of the line that is malformed.

    The message doesn't show the line, since it may contain a secret.
    """


def read_env_file(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """Read the values of a file of lines `NAME=value`; None if there is no such file.

    If a name occurs more than once, the last value is used. A value in quotes can have several lines, and a backslash
    before a quote or a backslash; in double quotes also before n, t and similar letters. Variables in values are not
    replaced. Raises EnvFileError for anything else, for more than 1 MiB, and for a file without read permission.
    """
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
        if len(data) > MOST:
            raise explained("bad-env-file", EnvFileError(f"The file {name} is larger than 1 MiB."))
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"byte {error.start} is invalid"
        raise explained("bad-env-file", EnvFileError(f"The file {name} can't be read as UTF-8: {reason}.")) from None
    return _values(text, name)


def _values(text: str, name: str) -> dict[str, str]:
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _line(text, at)
        if found is None or "\0" in found[0]:
            number = text.count("\n", 0, at) + 1
            raise explained(
                "bad-env-file",
                EnvFileError(f"{name}, line {number}: this is not NAME=value, with quotes around several lines."),
            )
        variable, *value = found.groups()
        if variable is not None:
            values[variable] = _value(*value)
        at = found.end()
    return values


def _value(single: str | None, double: str | None, plain: str | None) -> str:
    if single is not None:
        return _escaped_in_single.sub(r"\1", single)
    if double is not None:
        return _escaped_in_double.sub(lambda found: _LETTERS.get(found[1], found[1]), double)
    return _comment.split(plain or "", maxsplit=1)[0].strip()
