"""Each option of a public function has an example in a page, whose snippets the tests run; old gaps are listed."""

import ast
import inspect
from collections import defaultdict
from pathlib import Path
from typing import is_typeddict

import pytest

from tests.helpers.public_members import public_functions, public_objects
from tests.helpers.snippets import snippets_of

ROOT = Path(__file__).parents[2]
GAPS = Path(__file__).with_name("options_without_example.txt")
"""The options without an example, after the name of their function. No new one may come in: write its example."""


def options():
    """Yield each function with an option: its name, the names by which it is called, and the option's place in a call.

    The options of several functions, which a TypedDict has, have no place, and may be passed to any of them.
    """
    called = defaultdict(set)
    for name, function in public_functions().items():
        called[function].add(name.rpartition(".")[2])
    for function, names in called.items():
        title = function.__qualname__.removesuffix(".__init__").removesuffix(".__new__")
        parameters = [
            each for each in inspect.signature(function).parameters.values() if each.name not in ("self", "cls")
        ]
        for place, each in enumerate(parameters):
            if each.kind is each.KEYWORD_ONLY or each.default is not each.empty:
                yield title, names, each.name, place if each.kind is each.POSITIONAL_OR_KEYWORD else None
    for name, value in public_objects().items():
        for option in value.__annotations__ if is_typeddict(value) else ():
            yield name.rpartition(".")[2], None, option, None


def shown():
    """Return the names of what snippets call with each keyword, and the most arguments without one by that name."""
    keywords, places = defaultdict(set), defaultdict(int)
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        text = page.read_text()
        for _, code, _ in () if "<!-- Written by" in text else snippets_of(text):  # those are not always there
            for call in [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Call)]:
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                places[name] = max(places[name], len(call.args))
                for keyword in call.keywords:
                    keywords[keyword.arg].add(name)
    return keywords, places


@pytest.mark.once
def test_each_option_has_an_example_that_is_run():
    (keywords, places), lacking = shown(), defaultdict(set)
    for function, names, option, place in options():
        by_name = keywords[option] if names is None else keywords[option] & names
        if not by_name and (place is None or all(places[name] <= place for name in names)):
            lacking[function].add(option)
    found = [f"{function}: {' '.join(sorted(few))}" for function, few in sorted(lacking.items())]
    assert found == GAPS.read_text().splitlines(), "write an example in a page below docs/, or take the line out"
