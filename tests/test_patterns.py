"""Regular expressions mean the same on every Python.

CPython before 3.11.5 goes on after the part that matched where a possessive repetition of a group fails half-way, or
a lookahead in it (https://github.com/python/cpython/issues/106052): ``(?:-[a-z]++)*+`` takes the hyphen of "-1".
Debian 12 has 3.11.2. Such a repetition is written as an atomic group, ``(?>(?:-[a-z]++)*)``, or so that it can't fail
after its first item.
"""

import subprocess
import sys
from re import _constants, _parser
from textwrap import dedent

import pytest

from tests.helpers.rows import rows

RECORDING = dedent("""
    import re, sys
    patterns = set()
    compile_ = re._compile

    def record(pattern, flags):
        if isinstance(pattern, (str, bytes)):
            patterns.add((pattern, int(flags)))
        return compile_(pattern, flags)

    re._compile = record
    from importlib import import_module
    from pathlib import Path
    import antiphon.lazy
    antiphon.lazy.compiled_late = re.compile
    root = Path(antiphon.__file__).parent
    for path in sorted(root.rglob("*.py")):
        name = ".".join(("antiphon", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        if not name.endswith("__main__"):
            try:
                import_module(name)
            except Exception as error:  # for lack of a package, or of an application
                print(name, repr(error), file=sys.stderr)
    print(patterns)
""")
REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


"""The operators that repeat."""


def may_fail_half_way(items):
    """Tell if a sequence can match something, and then fail."""
    has_matched = False
    for operator, argument in items:
        is_optional = can_match_nothing(operator, argument)
        if (has_matched and not is_optional) or operator in {_constants.ASSERT, _constants.ASSERT_NOT}:
            return True
        if operator is _constants.BRANCH and any(may_fail_half_way(branch) for branch in argument[1]):
            return True
        if operator is _constants.SUBPATTERN and may_fail_half_way(argument[-1]):
            return True
        if operator in REPEATS and not is_single(argument[2]) and may_fail_half_way(argument[2]):
            return operator is not _constants.POSSESSIVE_REPEAT or not is_optional
        has_matched = has_matched or operator is not _constants.AT
    return False


def can_match_nothing(operator, argument):
    if operator is _constants.ATOMIC_GROUP:
        return all(can_match_nothing(*item) for item in argument)
    return operator in REPEATS and argument[0] == 0


def is_single(items):
    return len(items) == 1 and items.getwidth() == (1, 1)


def wrong_repetitions(items):
    """Give the bodies of possessive repetitions that may fail half-way, at any depth."""
    for operator, argument in items:
        parts = argument if isinstance(argument, tuple | list) else [argument]
        for part in parts:
            for each in part if isinstance(part, list) else [part]:
                if isinstance(each, _parser.SubPattern):
                    yield from wrong_repetitions(each)
        if operator is _constants.POSSESSIVE_REPEAT and not is_single(argument[2]) and may_fail_half_way(argument[2]):
            yield argument[2]


@pytest.mark.processes
def test_no_possessive_repetition_of_a_group_can_fail_half_way():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", RECORDING], capture_output=True, text=True, check=True)
    patterns = eval(done.stdout)
    assert len(patterns) > 200
    wrong = [pattern for pattern, flags in patterns if any(wrong_repetitions(_parser.parse(pattern, flags)))]
    assert not wrong, "\n".join(map(repr, wrong))


@rows(
    "pattern, is_wrong",
    (r"(?:-[a-z]++)*+", True),
    (r"(?>(?:-[a-z]++)*)", False),
    (r"(?:-[a-z]++)*", False),
    (r'"(?:[^"\\]++|\\.)*+"', True),
    (r'"(?:[^"\\]++|\\.?)*+"', False),
    (r"(?:/(?!\.))*+", True),
    (r"(?:(?!/\.)/)*+", True),
    (r"(?:[a-z]++)?+", False),
    (r"x(a(?:bc)?+)", True),
    (r"[a-z]*+", False),
)
def test_a_repetition_that_can_fail_after_its_first_item_is_found(pattern, is_wrong):
    assert any(wrong_repetitions(_parser.parse(pattern))) == is_wrong
