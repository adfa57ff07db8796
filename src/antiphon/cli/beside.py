"""`antiphon beside`: runs the cases of a file with an original and with its dialect, and shows the differences."""

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from antiphon.cli.errors import BadCommand

PROGRAM = str(Path(__file__).with_name("beside_program.py"))
LONGEST = 120
"""The number of seconds in which a program must finish all cases."""
IGNORED = frozenset({"date", "server"})
"""Fields that are added by a server or depend on the clock."""
UNORDERED = frozenset({"allow", "vary"})
"""Fields whose values are sets."""
_MOST_SHOWN = 200

Fields: TypeAlias = list[list[str]]


class Case(TypedDict):
    """A request in a file of cases. Each character of the body is one byte, as in Latin-1.

    ``environ`` has values of the WSGI environ. ``keep`` has regular expressions by names: what the group of one matches
    in the body of the response is sent by later cases in place of ``{{name}}``.
    """

    method: str
    target: str
    fields: Fields
    body: str
    environ: NotRequired[Mapping[str, str]]
    keep: NotRequired[Mapping[str, str]]


class Answer(TypedDict):
    """The response to a case, or in ``raised`` an error that the application did not handle; otherwise empty.

    ASGI has no reason phrases.
    """

    status: int
    reason: NotRequired[str]
    fields: Fields
    body: str
    raised: str


_setting_line = re.compile(r"(?:#|//)[ \t]*@(environ|keep)\b[ \t]*(\S*)[ \t]*(.*?)[ \t]*").fullmatch
_used = re.compile(r"\{\{(.*?)\}\}").findall
_request_line = re.compile(r"([A-Z]+) (/\S*)(?: HTTP/1\.1)?").fullmatch
_field_line = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*").fullmatch


def parse_cases(text: str, file: str) -> list[Case]:
    """Return the cases of a file: requests between lines that begin with ``###``.

    Raises BadCommand, with the line number. A request is a line such as ``POST /orders``, header fields, and after an
    empty line the body. Lines before it that begin with ``#`` or ``//`` are comments, except ``# @environ NAME VALUE``
    and ``# @keep NAME PATTERN``. Host and Content-Length may be left out. The lines of a multipart body end in CRLF
    (RFC 2046).
    """
    cases: list[Case] = []
    kept: set[str] = set()
    lines: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), "###"], 1):
        if not line.startswith("###"):
            lines.append(line)
            continue
        if any(each.strip() and not _is_comment(each) for each in lines):
            cases.append(_case(lines, first, file, kept))
        lines, first = [], number + 1
    if not cases:
        raise BadCommand(f"{file} has no cases: write a request such as GET / between lines that begin with ###.")
    return cases


def _is_comment(line: str) -> bool:
    return line.startswith(("#", "//"))


def _case(lines: list[str], first: int, file: str, kept: set[str]) -> Case:
    numbered = [*enumerate(lines, first)]
    settings: dict[str, dict[str, str]] = {"environ": {}, "keep": {}}
    while not numbered[0][1].strip() or _is_comment(numbered[0][1]):
        number, line = numbered.pop(0)
        if setting := _setting_line(line):
            settings[setting[1]][setting[2]] = _setting(setting, f"{file}, line {number}")
    number, line = numbered.pop(0)
    request = _request_line(line.rstrip())
    if request is None:
        raise BadCommand(f"{file}, line {number}: a request must begin like GET /path, not {line[:80]!r}.")
    fields = _fields(numbered, file)
    for name in _used(request[2] + "".join(value for _, value in fields)):
        if name not in kept:
            missing = f"{name!r} has no value: write # @keep {name} PATTERN before an earlier request"
            raise BadCommand(f"{file}, line {number}: {missing}.")
    kept |= {*settings["keep"]}
    given = {name.lower(): value for name, value in fields}
    end = "\r\n" if given.get("content-type", "").lower().startswith("multipart/") else "\n"
    body = end.join(line for _, line in numbered[1:]).rstrip("\r\n").encode()
    return Case(
        method=request[1], target=request[2], fields=fields, body=body.decode("latin-1"),
        environ=settings["environ"], keep=settings["keep"],
    )  # fmt: skip


def _fields(numbered: list[tuple[int, str]], file: str) -> Fields:
    fields: Fields = []
    while numbered and numbered[0][1].strip():
        number, line = numbered.pop(0)
        field = _field_line(line)
        if field is None:
            raise BadCommand(f"{file}, line {number}: a header field must be like Name: value, not {line[:80]!r}.")
        fields.append([field[1], field[2]])
    return fields


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
        raise BadCommand(f"{place}: {text!r} is not a regular expression: {error}.") from None


def answers(python: str, target: str, cases: list[Case], dialects: Collection[str] = ()) -> list[Answer]:
    """Return an application's responses, computed in a separate process. Raises BadCommand if that fails."""
    command = [python, PROGRAM, target, *dialects]
    try:
        finished = subprocess.run(  # noqa: S603 - the Python that the command names
            command, input=json.dumps(cases), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except OSError as error:
        raise BadCommand(f"{python} can't be run: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise BadCommand(f"{target} did not finish within {LONGEST} seconds, run by {python}.") from None
    if finished.returncode:
        raise BadCommand(f"{target} can't be run by {python}:\n{finished.stderr.strip()}")
    found: list[Answer] = json.loads(finished.stdout)
    return found


class Difference(NamedTuple):
    """A part of a response that differs: its name, and its values in the original and the dialect."""

    part: str
    original: str
    dialect: str

    def __str__(self) -> str:
        return f"  {self.part}\n    original: {self.original}\n    dialect:  {self.dialect}"


def differences(original: Answer, dialect: Answer, ignored: Collection[str] = IGNORED) -> list[Difference]:
    """Return the parts of two responses that differ, except ignored fields; ``reason`` ignores the reason phrase."""
    if original["raised"] or dialect["raised"]:
        mine, theirs = (each["raised"] or "none" for each in (original, dialect))
        return [] if mine == theirs else [Difference("error", mine, theirs)]
    found = []
    if original["status"] != dialect["status"]:
        found.append(Difference("status", str(original["status"]), str(dialect["status"])))
    reasons = [each.get("reason", "") for each in (original, dialect)]
    if all(reasons) and reasons[0] != reasons[1] and not found and "reason" not in ignored:
        found.append(Difference("reason", *reasons))
    found += _differing_fields(original["fields"], dialect["fields"], ignored)
    if original["body"] != dialect["body"]:
        found.append(Difference("body", _shown(original["body"]), _shown(dialect["body"])))
    return found


def _differing_fields(original: Fields, dialect: Fields, ignored: Collection[str]) -> Iterator[Difference]:
    names = dict.fromkeys(name for name, _ in (*original, *dialect) if name not in ignored)
    for name in names:
        lists = [_values(name, fields) for fields in (original, dialect)]
        for mine, theirs in zip_longest(*lists):
            if mine != theirs and (name != "set-cookie" or _cookie(mine) != _cookie(theirs)):
                yield Difference(name, _shown(mine), _shown(theirs))


def _values(name: str, fields: Fields) -> list[str]:
    values = [value for key, value in fields if key == name]
    if name not in UNORDERED:
        return values
    parts = {part.strip() for value in values for part in value.split(",")}
    return sorted({part.lower() for part in parts} if name == "vary" else parts)


def _cookie(field: str | None) -> object:
    """Return the parts of a Set-Cookie that browsers read: its attributes can have any order and case, and "" can be
    quoted.
    """
    pair, *attributes = [part.strip() for part in (field or "").split(";")]
    names = {each[:5].lower() + each[5:] if each[:5].lower() == "path=" else each.lower() for each in attributes}
    return field is None, pair.removesuffix('""'), names


def _shown(value: object) -> str:
    if value is None:
        return "none"
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}... ({len(text)} characters)"


def masked(answer: Answer, patterns: Collection[re.Pattern[str]]) -> Answer:
    """Return a response without what the patterns match in its body and in the values of its fields."""
    body, fields = answer["body"], answer["fields"]
    for pattern in patterns:
        body, fields = pattern.sub("", body), [[name, pattern.sub("", value)] for name, value in fields]
    return {**answer, "body": body, "fields": fields}


def compare(
    original: str, target: str, file: Path, dialects: Collection[str], ignored: Collection[str], masks: Collection[str]
) -> tuple[list[str], bool]:
    """Return lines about the cases of a file, and True if the original and the dialect respond identically."""
    cases = parse_cases(file.read_text(), str(file))
    skipped, patterns = IGNORED | {name.lower() for name in ignored}, [_pattern(each, "--mask") for each in masks]
    pairs = zip(answers(original, target, cases), answers(sys.executable, target, cases, dialects), strict=True)
    lines, alike = [], 0
    for case, pair in zip(cases, pairs, strict=True):
        mine, theirs = (masked(each, patterns) for each in pair)
        found = differences(mine, theirs, skipped)
        if case["method"] == "HEAD":  # a server does not send the body
            found = [each for each in found if each.part != "body"]
        alike += not found
        lines += [f"{case['method']} {case['target']}", *map(str, found)] if found else []
    return [*lines, f"{alike} of {len(cases)} cases have the same answer."], alike == len(cases)
