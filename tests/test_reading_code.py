"""Where code is read is written on one page, which says what happens if it is read wrongly: nothing that guards."""

import ast
import re
from pathlib import Path

from tests.helpers.rows import rows

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src/antiphon"
PAGE = (ROOT / "docs/maintainers/reading-code.md").read_text()
MODULES = {"ast", "dis", "opcode", "symtable", "tokenize"}
NAMES = {
    "__closure__", "cell_contents", "co_code", "co_consts", "co_freevars", "co_names", "co_positions", "co_varnames",
    "f_lasti", "getclosurevars", "get_instructions", "getsource", "getsourcelines", "gi_frame",
}  # fmt: skip
ANY = re.compile(rf"\b(?:{'|'.join(MODULES | NAMES)})\b")
KINDS = re.compile(
    r"\*(slower|an error later|a line of a document|refused)\*|the command|is not found|a test fails|ImportError"
)
USES = [tuple(cell.strip() for cell in line.split(" | ")) for line in re.findall(r"^\| (`.*) \|$", PAGE, re.MULTILINE)]


def reads_code(file):
    """Return whether a module imports what takes code apart, or names a part of it."""
    text = file.read_text()
    for node in ast.walk(ast.parse(text if ANY.search(text) else "")):
        match node:
            case ast.Import(names=names) if MODULES & {each.name for each in names}:
                return True
            case ast.ImportFrom(module=module, names=names) if module in MODULES or NAMES & {
                each.name for each in names
            }:
                return True
            case ast.Attribute(attr=name) | ast.Constant(value=str(name)) if name in NAMES:
                return True
    return False


def test_the_page_names_each_module_that_reads_code_and_no_other():
    reading = {file.relative_to(SOURCES).as_posix() for file in SOURCES.rglob("*.py") if reads_code(file)}
    named = {re.match("`(.*?)`", use[0])[1] for use in USES}
    assert {name for name in reading if not any(name.startswith(each) for each in named)} == set()
    assert {each for each in named if not any(name.startswith(each) for name in reading)} == set()


@rows("use", USES, ids=lambda use: use[0])
def test_a_wrong_reading_costs_time_or_a_line_and_guards_nothing(use):
    assert len(use) == 5
    assert KINDS.search(use[3])


@rows("line", re.findall(r"^tests.*$", (ROOT / "tests/reading.txt").read_text(), re.MULTILINE))
def test_each_test_that_is_left_out_without_reading_exists_and_says_why(line):
    name, _, why = line.partition("  ")
    file, *inside = name.split("::")
    text = (ROOT / file).read_text()
    assert all(re.search(rf"(def|class) {each}\b", text) for each in inside)
    assert re.match("speed:|an early error|a document", why)
