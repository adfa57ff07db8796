"""`antiphon doctor` without a URL: the installed versions, and whether each extra is complete.

All of it is read from the metadata of distributions, so that it works if one is missing, or fails when imported.
"""

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from itertools import takewhile
from types import MappingProxyType
from typing import Any, NamedTuple

from antiphon.cli.errors import Refused
from antiphon.speedups import IS_COMPILED

SERVERS = ("granian", "uvicorn", "hypercorn", "gunicorn", "waitress", "gevent")
_REQUIREMENT = re.compile(r"([\w.-]+)\s*([^;\s]*)[^;]*;?(.*)")
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)\s*([\w.]+)")
_CLAUSE = re.compile(r"(\w+)\s*(>=|<=|==|!=|<|>)\s*['\"]([^'\"]*)")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">=": operator.ge, ">": operator.gt}
)


class Requirement(NamedTuple):
    """A distribution that Antiphon requires: always, or for an extra."""

    name: str
    bounds: str
    """The versions that will do, such as ">=1.9"; all if it is empty."""
    extra: str
    """The extra that needs it; empty if it is always needed."""
    installed: str | None
    """The installed version; None without one."""

    @property
    def is_met(self) -> bool:
        """True if a version within the bounds is installed."""
        if self.installed is None:
            return False
        number = _number(self.installed)
        return all(_OPERATORS[sign](number, _number(bound)) for sign, bound in _BOUND.findall(self.bounds))

    def __str__(self) -> str:
        if self.installed is None:
            return self.name
        return f"{self.name} {self.installed}" + ("" if self.is_met else f" (not {self.bounds})")


def requirements(lines: list[str]) -> Iterator[Requirement]:
    """Yield the requirements of metadata that apply to this Python and this system."""
    for line in lines:
        if found := _REQUIREMENT.match(line):
            name, bounds, marker = found.groups()
            clauses = _CLAUSE.findall(marker)
            extra = next((value for variable, _, value in clauses if variable == "extra"), "")
            if all(_holds(*clause) for clause in clauses):
                yield Requirement(name, bounds, extra, _installed(name))


def report() -> tuple[list[str], bool]:
    """Return lines about this installation, and True if no dependency is missing or outside its bounds.

    Raises Refused if Antiphon has no metadata.
    """
    if _installed("antiphon") is None:
        raise Refused("Antiphon was copied, and not installed, so nothing tells what it requires. Install it with pip.")
    required = list(requirements(requires("antiphon") or []))
    always = [each for each in required if not each.extra]
    servers = [f"{name} {found}" for name in SERVERS if (found := _installed(name)) is not None]
    told = [
        ("antiphon", version("antiphon"), _extension()),
        ("python", platform.python_version(), f"{platform.python_implementation()} on {sys.platform}"),
        *((each.name, each.installed or "missing", "" if each.is_met else f"needed: {each.bounds}") for each in always),
    ]
    told.append(("servers", ", ".join(servers) or "none", ""))
    lines = [f"{name:13} {found:8} {remark}".rstrip() for name, found, remark in told]
    lines += ["", *(f"{state:9} {extra:13} {packages}" for state, extra, packages in _extras(required))]
    return lines, all(each.is_met for each in always)


def _extras(required: list[Requirement]) -> Iterator[tuple[str, str, str]]:
    for extra in sorted({each.extra for each in required} - {""}):
        packages = [each for each in required if each.extra == extra]
        if lacking := [each for each in packages if not each.is_met]:
            yield "missing", extra, f"{', '.join(map(str, lacking))}: pip install 'antiphon[{extra}]'"
        else:
            yield "complete", extra, ", ".join(map(str, packages))


def _extension() -> str:
    if IS_COMPILED:
        return "with its extension in C"
    if find_spec("antiphon.speedups._speedups") is None:
        return "in Python alone, since its extension in C was not compiled"
    why = "since ANTIPHON_PURE is 1" if os.environ.get("ANTIPHON_PURE") == "1" else "since it can't be imported"
    return f"in Python alone: its extension in C was compiled, but is not in use, {why}"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _holds(variable: str, sign: str, value: str) -> bool:
    """Return True if a clause of a marker (PEP 508) holds. One about another variable is taken to hold."""
    if variable == "python_version":
        return _OPERATORS[sign](sys.version_info[:2], _number(value))
    return variable != "sys_platform" or _OPERATORS[sign](sys.platform, value)


def _number(text: str) -> tuple[int, ...]:
    """Return the release of a version without zeros at its end: 8.0 equals 8.0.0, and 3.0rc1 counts as 3.0."""
    parts = [re.match(r"\d*", part)[0] for part in text.split(".")]  # type: ignore[index]  # it always matches
    release = list(map(int, takewhile(bool, parts)))
    while release and not release[-1]:
        release.pop()
    return tuple(release)
