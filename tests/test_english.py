"""Docs, messages and docstrings have none of the words and shapes that MAINTAINING.md lists."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/antiphon"
CODE = [*PACKAGE.rglob("*.py"), *(ROOT / "packages").rglob("*.py")]
ROOT_PAGES = ("README", "CONTRIBUTING", "MAINTAINING", "CHANGELOG", "SECURITY", "CODE_OF_CONDUCT", "benchmarks/README")
PAGES = [
    *(ROOT / f"{name}.md" for name in ROOT_PAGES),
    PACKAGE / "explanations/errors.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_BE = "(?:is|are|was|were)"
_NEVER = "(?!such|longer|more|one|way|need|place|reason|room|matter|news|use|part|different|better|bound|limit|other)"
_ANSWERED = (
    "(?:an?|the|each|every|any|all|its|these|those|with|by|for|over|only|without|early|requests?|errors?|clients?"
    "|programs?|GET|HEAD|POST|OPTIONS|[1-5]\\d\\d)"
)
_SECOND_VERB = "(?:return|wait|record|raise|call|close|store|send|end)"
_OBJECT = "(?:it|them|its|that|the [a-z]+)"
SHAPES = {
    "none as a predicate": rf"\b(?:what|that|which|it|who) {_BE} none\b(?! of)",
    "no as a predicate": rf"\b(?:that|which|it) {_BE} no {_NEVER}[a-z]+\b",
    "another as a predicate": rf"\b{_BE} another(?: one)?(?=[.,;:)]| than\b| after\b| in each\b)",
    "nobody for anonymous or none": r"\b(?:for|to) nobody\b",
    "whoever": r"(?i)\bwhoever\b",
    "who without its noun": r"[;:] who (?:has|asks|reads|sends|wants|must|only|takes|says|writes|streams)\b",
    "his for anybody's": r"\b(?:his|him)\b",
    "becomes of": r"(?i)\bwhat (?:\w+ )?becomes? of\b",
    "from then on": r"(?i)\bfrom (?:then|there|here) on\b",
    "of several": r"(?:^|[.:;] )Of (?:several|two|those|many)\b",
    "saves you": r"\bsaves? you\b",
    "altogether": r"\baltogether\b",
    "came there": r"\bhow (?:it|they) came (?:there|here)\b",
    "that are there": rf"\b(?:that|which) {_BE} there\b(?! for)",
    "not there": rf"\b{_BE} not there\b",
    "that there are": r"\bthat there (?:is|are)(?=[.,;:]|$)",
    "why it is so": r"(?i)\bwhy it is so\b",
    "no type can say": r"\bno type can\b",
    "so does": r"[,;:] (?:and )?so (?:does|do|has|have|is|are|was|were) (?!that\b|not\b|them\b|it\b)\w",
    "so does, first": r"(?:^|[.:] )So (?:does|do|is|are) \w",
    "led": rf"\b{_BE} led (?:back )?(?:to|there|here)\b",
    "nothing of": r"\b(?:says?|tells?|knows?|learns?) (?:nothing|anything|more) of\b",
    "anew": r"\banew\b",
    "meanwhile": r"\bmeanwhile\b",
    "tells of": r"\btells? of\b",
    "which names, of an error": r"(?:Error|Content|Server)(?: \(\d\d\d\))?, which names?\b",
    "the most for the maximum": r"(?:^|[.:] )The (?:most|least) (?:bytes|lines|characters|seconds|responses|number)\b",
    "comma before a second verb": rf"(?:^|[.] )[A-Z][a-z]+ [^,;:.()]+, and {_SECOND_VERB} {_OBJECT}[.]",
    "looked at for checked": rf"\b{_BE} looked at\b",
    "what is inside": r"\bwhat is (?:around|inside|there)\b",
    "answer for handle or respond": rf"\b(?i:answer)(?:s|ed|ing)? {_ANSWERED}\b(?! questions?\b)",
    "answered for handled": r"\b(?:is|are|was|were|be|been|being) answered\b",
    "the answer for the response": r"\banswer is (?:an? |the )?[1-5]\d\d\b",
    "texts": r"(?<![.#\w])texts\b|\bTexts (?:are|come|from|in|that|by|with)\b",
    "says so": r"\bsays? so\b",
    "per cent": r"\bper cent\b",
    "breaks off": r"\b(?:breaks?|broke|broken) off\b",
    "mend": r"\bmend(?:s|ed|ing)?\b",
    "also for even or including": r"\balso (?:if|when)\b",
    "word for a name": r"\b(?:our|your) words? (?:and|for)\b",
}


def table() -> list[tuple[str, str]]:
    """Return the rows of the table in MAINTAINING.md: what not to write, and what to write."""
    section = (ROOT / "MAINTAINING.md").read_text().partition("## English")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+)` \| (?!write)(.+) \|$", section, re.MULTILINE)


def prose(page: str) -> str:
    """Return the text of a page, without its code."""
    text = re.sub(r"^( *)(```+).*?^ *\2$", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]+`", "`x`", text)


def texts(module: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and the messages of a module, with their lines."""
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, re.sub(r"``[^`]+``", "``x``", node.value)


STATES_A_RULE = re.compile(r"\b(?:is|are)\b[^:;]*, not ")
"""A message that states a rule as a fact, "X is A, not B", in place of "X must be A, not B"."""

FACTS = {
    "{} is an attribute, not a method": "an attribute that was called",
    "response.json is an attribute, not a method": "an attribute that was called",
    "{} is an instance, not a class": "an instance that was given in place of a class",
    "{} is a hook, not a decorator": "a hook that was used as a decorator",
    "is of type {}, not a": "the type that a name was found to have",
    "is antiphon.{}, not an application": "an object that was found to be something else",
    "is a function without arguments, not an application": "an object that was found to be something else",
    "is for a whole application, not for the blueprint": "the scope of a feature",
    "the status is {}, not 200": "the status of a response that was received",
    "it is always {}, not {}": "the value that a route gives to its parameter",
}
"""What messages state because it is so: no caller can change it."""


def raised(module: str) -> Iterator[tuple[int, str]]:
    """Yield the messages that a module raises, with their lines. What f-strings insert is ``{}``."""
    raises = [node.exc for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Raise) and node.exc]
    nodes = [node for exception in raises for node in ast.walk(exception)]
    inner = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join([str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts])
        if id(node) not in inner and " " in text:
            yield node.lineno, text


def found(text: str, shapes: Mapping[str, str]) -> list[str]:
    """Return the shapes in a text, each with the words around it."""
    line = " ".join(text.split())
    hits = [(name, hit) for name, shape in shapes.items() for hit in re.finditer(shape, line)]
    return [f"{name}: ...{line[max(0, hit.start() - 40) : hit.end() + 40]}..." for name, hit in hits]


def states_a_rule(said: str) -> bool:
    """Return True for a message that says what is, of what must be."""
    return bool(STATES_A_RULE.search(said)) and not any(fact in said for fact in FACTS)


@rows("wrong, right", table())
def test_the_table_and_the_shapes_agree(wrong, right):
    assert found(wrong, SHAPES)
    assert not found(right, SHAPES)


@rows("name, shape", [*SHAPES.items()])
def test_each_shape_is_in_the_table(name, shape):
    assert any(re.search(shape, wrong) for wrong, right in table())


@rows("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_none_of_them(page):
    assert found(prose(page.read_text()), SHAPES) == []


@rows("folder", sorted({path.parent for path in CODE}), ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_and_docstrings_have_none_of_them(folder):
    hits = [
        f"{path.relative_to(ROOT)}:{line}: {hit}"
        for path in sorted(folder.glob("*.py"))
        for line, text in texts(path.read_text())
        for hit in found(text, SHAPES)
    ]
    assert hits == []


@rows("said, is_a_rule", [
    ("a name is a token, not {}", True),
    ("headers are a list, not {}", True),
    ("a name must be a token, not {}", False),
    ("response.json is an attribute, not a method: leave out the ()", False),
])  # fmt: skip
def test_a_rule_says_must(said, is_a_rule):
    assert states_a_rule(said) == is_a_rule


def test_messages_say_what_must_be():
    """A raised message of the shape "X is A, not B" says "X must be A, not B", unless it is one of the facts."""
    modules = sorted(CODE)
    hits = [(path, line, said) for path in modules for line, said in raised(path.read_text()) if states_a_rule(said)]
    assert [f"{path.relative_to(ROOT)}:{line}: {said}" for path, line, said in hits] == []


def test_pages_have_no_control_characters():
    assert [page.name for page in PAGES if any(each < " " and each not in "\n\t" for each in page.read_text())] == []
