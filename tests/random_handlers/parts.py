"""The parts of which random handlers are made, as text with holes.

A part is the text of a statement or an expression. ``---`` separates what stands at the level of the module from it.
Each hole is filled at random:

- ``$c`` a condition, which a request chooses; ``$v`` a scalar, ``$V`` any value, ``$D`` a dict, ``$L`` a list, ``$t``
  text, ``$k`` a key, ``$O`` an object of a type
- ``$w`` and ``$W`` a scalar and a dict that need no request, for the level of the module
- ``$S`` a status, ``$E`` the status of an error, ``$H`` headers, ``$X`` an expression that raises
- ``$d``, ``$l``, ``$x`` a variable that holds a dict, a list of dicts, any value
- ``$K`` one key for the whole part, ``$F`` a class of errors, ``$P`` an error, ``$Q`` a name of the query
- ``$1`` to ``$9`` a new name; ``$B`` statements; ``$A`` a statement that ends the handler by an error; ``$R`` a return

``await:`` begins a line that only stands in coroutine functions. A choice of lines, of which each makes another part,
begins with ``|``; ``&`` begins the further lines of one that has several.
"""

import re
from pathlib import Path

_choice = re.compile(r"^ *\| .*(?:\n *[|&] .*)*", re.MULTILINE)
_mark = re.compile(r"^( *)[|&] ", re.MULTILINE)


def _parts_of(text: str) -> list[str]:
    """Return the parts of a table: each line before the first empty one, and what stands between empty lines after
    it.
    """
    lines, blocks = ("", text) if text.startswith("\n") else text.partition("\n\n")[::2]
    return [part for each in (*lines.split("\n"), *blocks.strip("\n").split("\n\n")) if each for part in _chosen(each)]


def _chosen(text: str) -> list[str]:
    """Return the parts that a block makes: one for each line, or lines, of its choice."""
    if (found := _choice.search(text)) is None:
        return [text]
    lines = [_mark.sub(r"\1", each) for each in re.split(r"\n(?= *\|)", found[0])]
    return [text[: found.start()] + each + text[found.end() :] for each in lines]


TABLES = {
    each.stem: _parts_of(each.read_text("utf-8")) for each in sorted(Path(__file__).with_name("tables").iterdir())
}
TABLES["statements"] += TABLES.pop("blocks")
TABLES["answers"] += TABLES.pop("endings")

KEYS = ["a", "b", "c", "name"]

CAUGHT = ["KeyError", "ValueError", "LookupError", "Exception", "HTTPError", "Failure", "Sold", "NotFound",
          "AttributeError", "AssertionError", "BadRequest", "StopIteration", "(KeyError, HTTPError)"]  # fmt: skip

TYPED = [
    ("Lamp", ['Lamp(1, "a")', 'same(Lamp(1, "a"))', 'first([Lamp(1, "a")])']),
    ("Bright", ["made(Bright)", 'first([Bright(1, "a")])', 'Bright(1, "a"), $S']),
    ("Book", ['Book("t")', 'msgspec.convert({"title": "x"}, Book)', 'Book("t"), $S']),
    ("Room", ['Room("r")', 'Room("r", [Lamp(1, "a")])', 'Room("r", price=Decimal("1.5"))']),
    ("Tagged", ['Tagged("x")']), ("Quiet", ['Quiet("x")', 'Quiet("x", 2)']),
    ("Row", ['{"b": "x"}', '{"a": 1, "b": "x"}', 'Row(b="x")']),
    ("Entry", ['{"a": 1}', '{"a": 1, "c": "x"}', "Entry(a=1)"]),
    ("list[Row]", ['[{"b": "x"}, {"a": 1, "b": "x"}]', "[]"]),
    ("list[Lamp]", ['[Lamp(1, "a")]', "[]"]),
    ("list[Lamp | Book]", ['[Lamp(1, "a"), Book("t")]', '[Book("t")]']),
    ("Page[Lamp]", ['Page([Lamp(1, "a")], 1)', "Page([], 0)"]),
    ("Page[Row]", ['Page([{"b": "x"}], 1)']), ("dict[str, int]", ['{"a": 1}', "dict(b=2)", "{}"]),
    ("dict[str, Any]", ["$D", "$d", '{"a": $V}']), ("dict", ["$D", "$d"]),
    ("list[dict[str, Any]]", ["[$D, *[$D]]", "[$D]"]), ("list[Any]", ["$L", "$l"]), ("str", ['"x"', "$t"]),
    ("bytes", ['b"x"']), ("Any", ["$D", "$O", "$t", "$D, $S"]), ("object", ["$D", "$d, $S", "$L"]),
    ("Response", ["Response.json($D)", "Response.json($D, $S)", 'Response("x", $S)', 'Response.html("x")']),
    ("Response | dict[str, Any]", ["Response.json($D, $S)", "$D"]),
    ("Response | str", ['Response.redirect("/x")', '"x"']),
    ("Response | None", ["None", 'Response("x", $S)']), ("Lamp | Book", ['Lamp(1, "a")', 'Book("t")']),
    ("Lamp | str", ['Lamp(1, "a")', '"x"']),
    ("Lamp | tuple[Book, int]", ['Lamp(1, "a")', '(Book("t"), $S)']),
    ("tuple[Lamp, Literal[201]]", ['(Lamp(1, "a"), 201)']),
    ("tuple[Lamp, int]", ['(Lamp(1, "a"), $S)', '(Lamp(1, "a"), $S if $c else $S)']),
    ("tuple[dict[str, Any], int]", ["($D, $S)", "($d, $S)"]),
    ("tuple[str, int, dict[str, str]]", ['("x", $S, $H)', '("x", $S, {"content-type": "text/csv"})']),
    ("tuple[bytes, dict[str, str]]", ['(b"x", {"content-type": "image/png"})', '(b"x", $H)']),
    ("tuple[Lamp, dict[str, str]]", ['(Lamp(1, "a"), {"x-a": "b"})', '(Lamp(1, "a"), $H)']),
    ("ResponseLike", ["$D", "$t", "$D, $S", 'b"x"', "Response.json($D, $S)"]),
    ("Iterator[str]", ['iter(["a"])', '(each for each in "ab")']),
    ("Mapping[str, Any]", ["$D", "types.MappingProxyType($D)"]),
    ("Enveloped", ['Enveloped("x", Lamp(1, "a"))', 'Enveloped("x")']),
    ("TypeAliased", ['{"k": [1, 2]}', "{}"]),
]  # fmt: skip

HEADERS_GIVEN = [
    '{"x-a": "b"}', '[("x-a", "b")]', '{"location": "/x"}', '{"Content-Type": "text/csv"}', "{}", "dict(etag='\"a\"')",
    '{"content-language": "en", **{"x-a": "b"}}', '{"x-" + "a": "b"}',
]  # fmt: skip
