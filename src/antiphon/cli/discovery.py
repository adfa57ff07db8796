"""The search for an application in the current directory, by its name. It imports nothing, which could do anything."""

import re
from pathlib import Path

from antiphon.cli.errors import BadCommand
from antiphon.cli.settings import setting
from antiphon.cli.target import NAMES, Target

_NAME = rf"({'|'.join(NAMES)})\b"
_is_bound = (
    re.compile(rf"^(?:(?:async +)?def +{_NAME}|{_NAME} *(?:[,=](?!=)|:))", re.MULTILINE),
    re.compile(rf"^from +\S+ +import +(?:\([^)]*?|[^#\n(]*?)\b{_NAME}(?! +as\b)", re.MULTILINE),
)
"""Patterns for names that a module defines, and names that it imports, even if its syntax is wrong."""
_is_for_tests = re.compile(r"conftest|setup|tests?|tests?_.*|.*_tests?").fullmatch
_MOST_SHOWN = 20


def find_target(text: str | None) -> Target:
    """Return the target that was named, or that ANTIPHON_APP names, or else the one in the current directory.

    Raises `BadCommand` for a malformed target, and if the current directory has none, or several.
    """
    text = text or setting("ANTIPHON_APP")
    return Target.parse(text) if text else find()


def find() -> Target:
    """Find the only application in the modules of the current directory, or else in its packages' own modules.

    Modules that only import an application count if no module makes one. Raises `BadCommand` for none and for several.
    """
    tried: list[Path] = []
    for patterns in (("*.py", "*/__init__.py"), ("*/*.py",)):
        modules = {path: path.read_text("utf-8", "replace") for each in patterns for path in _modules(each)}
        tried += [path for path in modules if path not in tried]
        for is_bound in _is_bound:
            found = [Target(_dotted(path), name) for path, text in modules.items() if (name := _first(is_bound, text))]
            if len(found) > 1:
                raise BadCommand(f"Several applications were found, so name one: {', '.join(map(str, sorted(found)))}.")
            if found:
                return found[0]
    raise BadCommand(_nothing(tried))


def _modules(pattern: str) -> list[Path]:
    found = (path for path in sorted(Path().glob(pattern)) if path.is_file())
    return [path for path in found if not any(map(_is_for_tests, path.with_suffix("").parts)) and _dotted(path)]


def _dotted(path: Path) -> str:
    """Return the name of a module; empty if it has none, like a script `back-up.py`."""
    parts = path.with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__") if all(part.isidentifier() for part in parts) else ""


def _first(is_bound: re.Pattern[str], text: str) -> str:
    names = {name for groups in is_bound.findall(text) for name in ([groups] if isinstance(groups, str) else groups)}
    return next((name for name in NAMES if name in names), "")


def _nothing(tried: list[Path]) -> str:
    if not tried:
        return f"No application was named, and {Path.cwd()} has no modules. Name one as MODULE:APP."
    shown = [str(path) for path in tried[:_MOST_SHOWN]] + ["..."] * (len(tried) > _MOST_SHOWN)
    return (
        f"No application was named, and none was found in {Path.cwd()}. The command looked for {', '.join(NAMES)} in"
        f" {', '.join(shown)}. Name one as MODULE:APP."
    )
