"""`antiphon compare`: runs the cases in a file with a library and its dialect, or with two programs."""

import json
import re
import subprocess
import sys
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from antiphon.cli.errors import BadCommand

PROGRAM = str(Path(__file__).with_name("compare_program.py"))
LONGEST = 120
"""The time in seconds within which a program must finish all cases."""
IGNORED = frozenset({"date", "server"})
"""Header fields that a server adds or that depend on the clock."""
UNORDERED = frozenset({"allow", "vary"})
"""Header fields whose values are sets."""
_MOST_SHOWN = 200
_SHOWN_BEFORE = 60
"""The number of characters shown before the first difference."""
_MOST_LINES = 40
_CLOCK = timedelta(seconds=5)
"""How far dates may differ, since the two programs compute them one after the other."""

Fields: TypeAlias = list[list[str]]


class Case(TypedDict):
    """A request in a file of cases. Each character stands for one byte, as in Latin-1.

    ``environ`` contains values for the WSGI environ. ``keep`` maps names to regular expressions: in place of
    ``{{name}}``, later cases send the text that an expression's group has matched in the response's body, except in a
    ``verbatim`` body.
    """

    method: str
    target: str
    fields: Fields
    body: str
    environ: NotRequired[Mapping[str, str]]
    keep: NotRequired[Mapping[str, str]]
    verbatim: NotRequired[bool]
    title: NotRequired[str]
    line: NotRequired[int]
    """The line of the file on which the request begins."""


class Outcome(TypedDict):
    """The response to a case. ``raised`` is an error that the application did not handle, or empty.

    ASGI has no reason phrases. ``log`` is what the program wrote to standard output and error during the request.
    ``kept`` are the values kept so far, and ``is_masked`` is True if the body isn't as it was sent.
    """

    status: int
    reason: NotRequired[str]
    fields: Fields
    body: str
    raised: str
    log: NotRequired[str]
    kept: NotRequired[Mapping[str, str]]
    is_masked: NotRequired[bool]


_setting_line = re.compile(r"(?:#|//)[ \t]*@(environ|keep)\b[ \t]*(\S*)[ \t]*(.*?)[ \t]*", re.ASCII).fullmatch
_used = re.compile(r"\{\{(.*?)\}\}").findall
_request_line = re.compile(r"([A-Z]+) (/\S*)(?: HTTP/1\.1)?", re.ASCII).fullmatch
_field_line = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*").fullmatch
_file_line = re.compile(r"<(@?)[ \t]+(.*?)[ \t]*").fullmatch
_BLANKS = " \t"


def parse_cases(content: bytes, file: str) -> list[Case]:
    """Return the cases in a file: requests between lines that begin with ``###``, which may contain a title.

    A request is a line such as ``POST /orders``, header fields, and after an empty line the body. Lines before it that
    begin with ``#`` or ``//`` are comments, except ``# @environ NAME VALUE`` and ``# @keep NAME PATTERN``. Host and
    Content-Length may be left out. The lines of a body end in LF, or in CRLF if the body is multipart (RFC 2046), and
    empty lines at its end are dropped. The body ``< path`` is the content of that file, relative to ``file``; with
    ``<@``, kept values replace their names in it. Raises BadCommand with the line number.
    """
    cases: list[Case] = []
    kept: set[str] = set()
    lines: list[str] = []
    first, title = 1, ""
    text = content.removeprefix(BOM_UTF8).decode("latin-1")  # each byte is sent as it is
    for number, line in enumerate([*text.replace("\r\n", "\n").split("\n"), "###"], 1):
        if not line.startswith("###"):
            lines.append(line)
            continue
        if any(each.strip(_BLANKS) and not _is_comment(each) for each in lines):
            cases.append(_case(lines, first, file, kept, title))
        lines, first, title = [], number + 1, line.strip("#" + _BLANKS)
    if not cases:
        raise BadCommand(f"{file} has no cases: write a request such as GET / between lines that begin with ###.")
    return cases


def _is_comment(line: str) -> bool:
    return line.startswith(("#", "//"))


def _case(lines: list[str], first: int, file: str, kept: set[str], title: str) -> Case:
    numbered = [*enumerate(lines, first)]
    settings: dict[str, dict[str, str]] = {"environ": {}, "keep": {}}
    while not numbered[0][1].strip(_BLANKS) or _is_comment(numbered[0][1]):
        number, line = numbered.pop(0)
        if setting := _setting_line(line):
            settings[setting[1]][setting[2]] = _setting(setting, f"{file}, line {number}")
    number, line = numbered.pop(0)
    request = _request_line(line.rstrip(_BLANKS))
    if request is None:
        raise BadCommand(f"{file}, line {number}: a request must begin like GET /path, not {_quoted(line)}.")
    fields = _fields(numbered, file)
    for name in _used(request[2] + "".join(value for _, value in fields)):
        if name not in kept:
            missing = f"{name!r} has no value: write # @keep {name} PATTERN before an earlier request"
            raise BadCommand(f"{file}, line {number}: {missing}.")
    kept |= {*settings["keep"]}
    given = {name.lower(): value for name, value in fields}
    end = "\r\n" if given.get("content-type", "").lower().startswith("multipart/") else "\n"
    body, is_verbatim = _body(numbered[1:], file, end)
    return Case(
        method=request[1], target=request[2], fields=fields, body=body, environ=settings["environ"],
        keep=settings["keep"], verbatim=is_verbatim, title=title, line=number,
    )  # fmt: skip


def _fields(numbered: list[tuple[int, str]], file: str) -> Fields:
    fields: Fields = []
    while numbered and numbered[0][1].strip(_BLANKS):
        number, line = numbered.pop(0)
        field = _field_line(line)
        if field is None:
            raise BadCommand(f"{file}, line {number}: a header field must be like Name: value, not {_quoted(line)}.")
        fields.append([field[1], field[2]])
    return fields


def _body(numbered: list[tuple[int, str]], file: str, end: str) -> tuple[str, bool]:
    """Return a body, and True if it must be sent unchanged, without kept values."""
    body = end.join(line for _, line in numbered).rstrip("\r\n")
    named = _file_line(body)
    if named is None:
        return body, False
    path = Path(file).parent / readable(named[2])
    try:
        return path.read_bytes().decode("latin-1"), not named[1]
    except (OSError, ValueError) as error:  # a null character in the path
        reason = getattr(error, "strerror", None) or error
        number = next(number for number, line in numbered if line)
        raise BadCommand(f"{file}, line {number}: {path} can't be read: {reason}.") from None


def _setting(found: re.Match[str], place: str) -> str:
    kind, name, value = found.groups()
    if kind == "environ" and not name:
        raise BadCommand(f"{place}: write # @environ NAME VALUE, such as # @environ REMOTE_USER ada.")
    if kind == "keep" and _pattern(value, place).groups != 1:
        raise BadCommand(f"{place}: write # @keep NAME PATTERN, a regular expression with one group for the value.")
    return str(value)


def _pattern(text: str, place: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BadCommand(f"{place}: {readable(text)!r} is not a regular expression: {error}.") from None


def readable(text: str) -> str:
    """Return the UTF-8 text whose bytes are these characters. Invalid bytes are escaped."""
    try:
        return text.encode("latin-1").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # from an application that doesn't write bytes as Latin-1
        return text


def _quoted(line: str) -> str:
    return repr(readable(line)[:80])


def outcomes(python: str, target: str, cases: list[Case], dialects: Collection[str] = ()) -> list[Outcome]:
    """Return an application's responses, computed in a separate process, which runs in the folder before the last slash
    of the target, if there is one. Raises BadCommand if that fails.
    """
    folder, _, name = target.rpartition("/")
    command = [python, PROGRAM, name, *dialects]
    with TemporaryFile() as log:
        try:
            finished = subprocess.run(  # noqa: S603 - the Python that the command names
                command, input=json.dumps(cases).encode(), stdout=subprocess.PIPE, stderr=log, timeout=LONGEST,
                check=False, cwd=folder or None,
            )  # fmt: skip
        except OSError as error:
            raise BadCommand(f"{error.filename or python} can't be run: {error.strerror}.") from None
        except subprocess.TimeoutExpired:
            raise BadCommand(f"{target} did not finish within {LONGEST} seconds, run by {python}.") from None
        log.seek(0)
        if finished.returncode:
            said = log.read().decode("utf-8", "backslashreplace").strip()
            raise BadCommand(f"{target} can't be run by {python}:\n{said}")
    found: list[Outcome] = json.loads(finished.stdout)
    return found


Names: TypeAlias = tuple[str, str]
"""How the two programs are called in the output."""


class Difference(NamedTuple):
    """A part of a response that differs: its name, and its value from the original and from the dialect."""

    part: str
    original: str
    dialect: str

    def shown(self, names: Names) -> str:
        """Return the part with both values."""
        width = max(map(len, names)) + 1
        lines = [f"    {name + ':':{width}} {value}" for name, value in zip(names, self[1:], strict=True)]
        return "\n".join([f"  {self.part}", *lines])


def differences(original: Outcome, dialect: Outcome, ignored: Collection[str] = IGNORED) -> list[Difference]:
    """Return the parts of two responses that differ, except ignored header fields; ``reason`` ignores the reason
    phrase.
    """
    if original["raised"] or dialect["raised"]:
        mine, theirs = (each["raised"] or "none" for each in (original, dialect))
        return [] if mine == theirs else [Difference("error", mine, theirs)]
    found = []
    if original["status"] != dialect["status"]:
        found.append(Difference("status", str(original["status"]), str(dialect["status"])))
    reasons = [each.get("reason", "") for each in (original, dialect)]
    if all(reasons) and reasons[0] != reasons[1] and not found and "reason" not in ignored:
        found.append(Difference("reason", *reasons))
    if original.get("is_masked") or dialect.get("is_masked"):
        ignored = {*ignored, "content-length"}
    found += _differing_fields(original["fields"], dialect["fields"], ignored)
    if original["body"] != dialect["body"]:
        found.append(Difference("body", *_around(original["body"], dialect["body"])))
    return found


def _differing_fields(original: Fields, dialect: Fields, ignored: Collection[str]) -> Iterator[Difference]:
    names = dict.fromkeys(name for name, _ in (*original, *dialect) if name not in ignored)
    for name in names:
        lists = [_values(name, fields, ignored) for fields in (original, dialect)]
        for mine, theirs in zip_longest(*lists):
            if mine != theirs and not (name == "set-cookie" and mine and theirs and _is_same_cookie(mine, theirs)):
                yield Difference(name, _shown(mine), _shown(theirs))


def _values(name: str, fields: Fields, ignored: Collection[str]) -> list[str]:
    values = [value for key, value in fields if key == name]
    if name == "set-cookie":
        return [each for each in values if f"{name}:{each.partition('=')[0].strip().lower()}" not in ignored]
    if name not in UNORDERED:
        return values
    parts = {part.strip() for value in values for part in value.split(",")}
    return sorted({part.lower() for part in parts} if name == "vary" else parts)


def _is_same_cookie(mine: str, theirs: str) -> bool:
    """Return True if two Set-Cookie fields mean the same to browsers, except for a few seconds in Expires.

    Attributes may be in any order and case, and an empty value may be quoted.
    """
    (pair, attributes, expiry), (other, others, end) = map(_cookie, (mine, theirs))
    return (pair, attributes) == (other, others) and (expiry == end or _is_close(expiry, end))


def _is_close(mine: str, theirs: str) -> bool:
    try:
        return abs(parsedate_to_datetime(mine) - parsedate_to_datetime(theirs)) <= _CLOCK
    except (ValueError, TypeError):  # not dates, or with and without a zone
        return False


def _cookie(field: str) -> tuple[str, set[str], str]:
    """Return a Set-Cookie's name and value, its attributes, and separately its Expires; empty if it has none."""
    pair, *attributes = [part.strip() for part in field.split(";")]
    names = {each[:5].lower() + each[5:] if each[:5].lower() == "path=" else each.lower() for each in attributes}
    expiry = next((each for each in names if each.startswith("expires=")), "")
    return pair.removesuffix('""'), names - {expiry}, expiry.removeprefix("expires=")


def _shown(value: str | None) -> str:
    if value is None:
        return "none"
    text = repr(readable(value))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}... ({len(text)} characters)"


def _around(original: str, dialect: str) -> Iterator[str]:
    """Yield the parts of two bodies around the first difference."""
    bodies = readable(original), readable(dialect)
    pairs = enumerate(zip(*bodies, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(map(len, bodies)))
    start = max(0, same - _SHOWN_BEFORE) if max(map(len, bodies)) > _MOST_SHOWN else 0
    for body in bodies:
        end = start + _MOST_SHOWN
        left_out = f"... ({len(body)} characters)" if len(body) > end else ""
        yield f"{'...' if start else ''}{body[start:end]!r}{left_out}"


def masked(outcome: Outcome, patterns: Collection[re.Pattern[str]]) -> Outcome:
    """Return a response without what the patterns match in its body and its field values."""
    body, fields = outcome["body"], outcome["fields"]
    for pattern in patterns:
        body, fields = pattern.sub("", body), [[name, pattern.sub("", value)] for name, value in fields]
    is_masked = outcome.get("is_masked", False) or body != outcome["body"]
    return {**outcome, "body": body, "fields": fields, "is_masked": is_masked}


def _named(outcome: Outcome, other: Outcome) -> Outcome:
    """Return a response with names also in place of what the other program has kept, which masks each value twice."""
    body, fields = outcome["body"], outcome["fields"]
    for name, value in other.get("kept", {}).items():
        body = body.replace(value, f"{{{{{name}}}}}")
        fields = [[field, text.replace(value, f"{{{{{name}}}}}")] for field, text in fields]
    return {**outcome, "body": body, "fields": fields}


def compare(
    original: str,
    target: str,
    file: Path,
    dialects: Collection[str],
    ignored: Collection[str],
    masks: Collection[str],
    before: str | None = None,
) -> tuple[list[str], bool]:
    """Return lines that describe a file's cases, and True if both programs respond identically: an original and its
    dialect, or the program ``before``, which may be in another folder, and the target.
    """
    cases = parse_cases(file.read_bytes(), str(file))
    names = ("program before", "program after") if before else ("original", "dialect")
    skipped, patterns = IGNORED | {name.lower() for name in ignored}, [_mask(each) for each in masks]
    theirs = outcomes(sys.executable, target, cases, dialects)  # first, since its errors are more helpful
    lines, alike = [], 0
    for case, *pair in zip(cases, outcomes(original, before or target, cases), theirs, strict=True):
        mine, other = (masked(_named(*both), patterns) for both in (pair, reversed(pair)))
        found = differences(mine, other, skipped)
        if case["method"] == "HEAD":  # a server does not send the body
            found = [each for each in found if each.part != "body"]
        alike += not found
        lines += [_heading(case), *(each.shown(names) for each in found), *_logged(names, pair)] if found else []
    return [*lines, f"{alike} of {len(cases)} cases have the same response."], alike == len(cases)


def _mask(text: str) -> re.Pattern[str]:
    return _pattern(text.encode().decode("latin-1"), "--mask")


def _heading(case: Case) -> str:
    title = f", {readable(title)}" if (title := case.get("title")) else ""
    return f"{case['method']} {readable(case['target'])} (line {case.get('line', 0)}{title})"


def _logged(names: Names, pair: list[Outcome]) -> Iterator[str]:
    """Yield the last lines that a failing program wrote, such as a traceback."""
    for name, outcome in zip(names, pair, strict=True):
        lines = outcome.get("log", "").splitlines()
        if lines and (outcome["raised"] or outcome["status"] >= 500):
            yield f"  logged by the {name}"
            yield from (f"    {line}" for line in lines[-_MOST_LINES:])
