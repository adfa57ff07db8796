"""A handler from a seed: the source of an application with one route, and the requests that choose its paths."""

import itertools
import re
import textwrap
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.random_handlers import parts
from tests.random_handlers.parts import TABLES

HEADER = Path(__file__).with_name("header.txt").read_text("utf-8")
"""The imports of each program, and its application."""
STATUSES = ["200", "201", "202", "203", "206", "226", "400", "404", "409", "410", "418", "STATUS"]
ERRORS = ["400", "403", "404", "409", "410", "418", "422", "451", "503", "GONE"]
_odd = re.compile(
    r"exec|eval|attr|class |lambda|map\(|functools|operator|globals|vars|STATE|Box|Proxy|__|itertools|collections|heapq"
    r"|bisect|random|copy|types\.|msgspec|partial|typing|contextlib|type\(|abort =|global |after_re|locals|Swallow"
    r"|mapped"
)
"""What plain programs mostly leave out, so that more of them are wholly known to a reader."""
_PLAIN_CONDITIONS = 13
"""How many of the first conditions are plain."""
_returns = re.compile(r"\breturn (?!abort)(?!\$R)")
_hole = re.compile(r"\$([A-Za-z1-9])")


class Input(NamedTuple):
    """A part of a request that a handler may read, with the values that are sent; None leaves it out."""

    place: str
    name: str
    values: tuple[object, ...]


class Program(NamedTuple):
    """The source of an application, and what its requests may have."""

    source: str
    method: str
    inputs: tuple[Input, ...]

    def requests(self, most: int = 12) -> list[tuple[object, ...]]:
        """Return the values of requests: all that differ in one input from the first, then others."""
        first = tuple([each.values[0] for each in self.inputs])
        near = [
            (*first[:at], value, *first[at + 1 :]) for at, each in enumerate(self.inputs) for value in each.values[1:]
        ]
        random = Random(len(self.source))
        far = [tuple([random.choice(each.values) for each in self.inputs]) for _ in range(most)]
        different = {repr(each): each for each in [first, *near, *far]}
        return [*different.values()][: max(most, len(near) + 1)]


def program_of(seed: int) -> Program:
    """Return the program of a seed, the same one on every machine."""
    return Maker(Random(seed)).program()


class Maker:
    """What is chosen for one program."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._top: list[str] = []
        self._count = itertools.count(1)
        self._names = {"d": list[str](), "l": list[str](), "x": list[str]()}
        self._inputs: dict[tuple[str, str], Input] = {}
        self._queries = random.randint(1, 3)
        self._is_async = random.random() < 0.25
        self._typed: tuple[str, list[str]] | None = None
        self._is_outside = False
        self._is_plain = random.random() < 0.5

    def program(self) -> Program:
        """Choose a program."""
        random = self._random
        method = random.choice(["get", "get", "get", "post", "put", "delete"])
        annotation = ""
        if random.random() < 0.3:
            self._typed = random.choice(parts.TYPED)
            annotation = f" -> {self._typed[0]}"
        lines: list[str] = []
        pattern, parameter = "/h", ""
        extra: list[str] = []
        if random.random() < 0.12:
            pattern, parameter = "/h/<int:number>", ", number"
            self._add_input("path", "number", ("1", "2", "3", "9"))
            extra.append(self._statement("paths"))
        if method in ("post", "put") and random.random() < 0.5:
            extra.append(self._statement("bodies"))
        if random.random() < 0.07:
            extra.append(self._statement("queries"))
            self._add_input("query", "q", ("x", None, ""))
            self._add_input("query", "size", (None, "small", "huge"))
        if random.random() < 0.12:
            extra.append(self._statement("used"))
        count = random.choice([1, 2, 3, 4, 5, 6] if self._is_plain else [0, 1, 1, 2, 2, 3, 4])
        lines += [self._statement("statements") for _ in range(count)]
        lines[:0] = extra
        random.shuffle(lines)
        lines = [each for text in lines for each in text.split("\n")]
        lines += self._return(3).split("\n")
        around = self._around(random.choice([0, 0, 0, 0, 1, 1, 2]))
        decorators = self._decorators() if not self._is_async and random.random() < 0.12 else []
        guard = ""
        if random.random() < 0.06:
            guard = f", {self._fill_outside(random.choice(TABLES['guards']))}"
        body = textwrap.indent("\n".join([*self._defined(), *lines]), "    ")
        color = "async " if self._is_async else ""
        handler = f"{color}def h(request: Request{parameter}){annotation}:\n{body}"
        route = f'@app.{method}("{pattern}"{guard})'
        future = "from __future__ import annotations\n" if random.random() < 0.15 else ""
        features = ""
        if "idempotent" in guard:
            features = "app.use(IdempotentWrites(MemoryStore()))\n"
        made = "".join([*self._top, *around, guard, handler, *decorators])
        if ("request.user" in made or "login_required" in made) and "Users(" not in made:
            features += 'app.use(Users(Bearer({"k7Qz": "ada"}.get)))\n'
        routed = "\n".join([route, *decorators, handler])
        if not decorators and random.random() < 0.2:
            routed = self._registered(random.choice(TABLES["registered"]), route, handler)
        source = "\n\n".join([future + HEADER + features, *self._top, *around, routed, ""])
        if "if_match" in source or "if-match" in source or "precondition" in source or "conditional" in source:
            self._add_input("header", "if-match", (None, '"a"', '"b"'))
        if "if-none-match" in source or "precondition" in source or "conditional" in source:
            self._add_input("header", "if-none-match", (None, "a", '"a"'))
        if "Users(" in source:
            self._add_input("header", "authorization", (None, "Bearer k7Qz"))
        if "x-refuse" in source or "@refused" in source:
            self._add_input("header", "x-refuse", (None, "1"))
        if "request.values_as" in source or "request.patched" in source:
            self._add_input("body", "", (*BODIES, *ROWS_AND_PATCHES))
        elif (
            "request.json" in source or "request.form" in source or "request.body" in source or "request.text" in source
        ):
            self._add_input("body", "", BODIES)
        return Program(source, method.upper(), tuple(self._inputs.values()))

    def _registered(self, form: str, route: str, handler: str) -> str:
        """Return a handler that is registered in another way than by a decorator."""
        inner = textwrap.indent(handler, "    ")
        method = inner.replace("def h(request", "def h(self, request", 1)
        made = form.replace("$route", route[1:]).replace("$blue", route[1:].replace("app.", "blue.", 1))
        return made.replace("$handler", handler).replace("$inner", inner).replace("$method", method)

    # Names

    def _name(self, kind: str = "n") -> str:
        return f"{kind}{next(self._count)}"

    def _add_input(self, place: str, name: str, values: tuple[object, ...]) -> None:
        self._inputs.setdefault((place, name), Input(place, name, values))

    def _defined(self) -> list[str]:
        """Return the statements that define the variables of the handler, before any others."""
        made = []
        random = self._random
        while any(self._names.values()):
            for kind, names in self._names.items():
                for name in [*names]:
                    names.remove(name)
                    table = {"d": "dicts", "l": "lists", "x": "scalars"}[kind]
                    simple = {
                        "d": ['{"a": 1, "b": "s"}', '{"a": 1}', "{}"],
                        "l": ['[{"a": 1}]', '[{"a": 1}, {"b": "s"}]'],
                        "x": ["1", "None"],
                    }
                    value = random.choice(simple[kind]) if random.random() < 0.7 else self._fill(self._pick(table), 1)
                    made.insert(0, f"{name} = {value}")
        return made

    # Holes

    def _statement(self, table: str, depth: int = 2) -> str:
        return self._fill(self._pick(table), depth)

    def _pick(self, table: str) -> str:
        while True:
            part = self._random.choice(TABLES[table])
            if "await: " in part and not self._is_async:
                continue
            if self._is_plain and _odd.search(part) and self._random.random() < 0.95:
                continue
            if self._typed is not None and _returns.search(part) and "def " not in part:
                continue  # its type is not that of the annotation
            return part

    def _fill(self, part: str, depth: int) -> str:
        """Fill the holes of a part, and add what stands at the level of the module."""
        names: dict[str, str] = {}
        if "---" in part:
            top, _, part = part.partition("---\n")
            is_outside, self._is_outside = self._is_outside, True
            self._top.append(self._filled(top.strip("\n"), depth, names))
            self._is_outside = is_outside
        return self._filled(part.replace("await: ", ""), depth, names)

    def _filled(self, part: str, depth: int, names: dict[str, str]) -> str:
        random = self._random

        def fill(found: re.Match[str]) -> str:
            hole = found[1]
            if hole.isdigit():
                return names.setdefault(hole, self._name())
            if hole == "K":
                return names.setdefault(hole, random.choice(parts.KEYS))
            if hole in self._names:
                return names.setdefault(hole, self._variable(hole))
            return self._hole(hole, depth - 1)

        lines = []
        for line in part.split("\n"):
            stripped = line.lstrip()
            indent = line[: len(line) - len(stripped)]
            made = _hole.sub(fill, stripped)
            lines += [indent + each for each in made.split("\n")]
        return "\n".join(lines)

    def _fill_outside(self, part: str) -> str:
        is_outside, self._is_outside = self._is_outside, True
        made = self._fill(part, 2)
        self._is_outside = is_outside
        return made

    def _hole(self, hole: str, depth: int) -> str:
        random = self._random
        match hole:
            case "Q":
                return f"q{random.randint(1, self._queries)}"
            case "c":
                return self._condition(depth)
            case "v":
                return self._value("scalars", depth, ["1", '"s"', "None", "True", "2.5"])
            case "w":
                return random.choice(["1", '"s"', "None", "True", "2.5", "[1]"])
            case "W":
                return random.choice(['{"a": 1}', '{"b": "s"}', '{"a": 1, "b": None}', '{"c": {"d": 1}}', "{}"])
            case "k":
                return random.choice(parts.KEYS)
            case "V":
                table = random.choice(["scalars", "scalars", "dicts", "lists", "objects"])
                return self._value(table, depth, ["1", '"s"', "None", '{"a": 1}', "[1]"])
            case "D":
                return self._value("dicts", depth, ['{"a": 1}', '{"b": "s"}', "{}"])
            case "L":
                return self._value("lists", depth, ['[{"a": 1}]', "[1]", "[]"])
            case "O":
                return self._value("objects", depth, ['Lamp(1, "a")', 'Book("t")'])
            case "t":
                return self._value("texts", depth, ['"x"'])
            case "S":
                return random.choice(STATUSES)
            case "E":
                return random.choice(ERRORS)
            case "H":
                return random.choice(parts.HEADERS_GIVEN)
            case "F":
                return random.choice(parts.CAUGHT)
            case "P":
                return self._filled(random.choice(TABLES["errors_raised"]), 0, {})
            case "X":
                return self._fill(random.choice(TABLES["failing"]), depth)
            case "A":
                return self._fill(random.choice(TABLES["ending"]), depth)
            case "R":
                return self._return(depth)
            case "B":
                return "\n".join(self._statement("statements", depth) for _ in range(random.choice([1, 1, 2])))
        raise ValueError(hole)

    def _value(self, table: str, depth: int, leaves: list[str]) -> str:
        if depth <= 0 or self._random.random() < 0.3:
            return self._random.choice(leaves)
        while "\n" in (made := self._fill(self._pick(table), depth)):
            pass
        return made

    def _condition(self, depth: int) -> str:
        table = TABLES["conditions"]
        if self._is_plain and self._random.random() < 0.95:
            table = table[:_PLAIN_CONDITIONS]
        part = self._random.choice(table)
        while depth <= 0 and "$c" in part:
            part = self._random.choice(table)
        made = self._filled(part, depth, {})
        for name in re.findall(r"\bq[1-9]\b", made):
            self._note_input(made, name)
        return made

    def _note_input(self, made: str, name: str) -> None:
        values: tuple[object, ...] = (None, "a", "2")
        if f'headers.get("x-{name}"' in made or f'"x-{name}"' in made or f'"X-{name}"' in made:
            self._add_input("header", f"x-{name}", values)
        elif "cookies" in made:
            self._add_input("cookie", name, values)
        self._add_input("query", name, values)

    def _variable(self, hole: str) -> str:
        names = self._names[hole]
        if self._is_outside:
            return {"d": "STATE", "l": "[STATE]", "x": "STATE"}[hole]
        if not names or (len(names) < 2 and self._random.random() < 0.2):
            names.append(self._name(hole))
        return self._random.choice(names)

    def _return(self, depth: int) -> str:
        if self._is_outside:
            return self._fill("return $W", depth)
        if self._typed is not None:
            return f"return {self._fill(self._random.choice(self._typed[1]), depth)}"
        return self._fill(self._pick("answers"), depth)

    # Around the handler

    def _around(self, count: int) -> list[str]:
        chosen: dict[str, str] = {}  # one of a kind, since an error has one handler
        for each in self._random.sample(TABLES["around"], count):
            chosen.setdefault(each.partition("\n")[0] if "errorhandler" in each else each, each)
        return [self._fill_outside(each) for each in chosen.values()]

    def _decorators(self) -> list[str]:
        return [self._fill_outside(self._random.choice(TABLES["decorators"]))]


BODIES: tuple[object, ...] = (
    ("json", {"title": "x", "pages": 1}), ("json", {"id": 1, "name": "x"}), ("json", {"b": "x"}), ("json", [{"a": 1}]),
    ("json", {"a": 1}), ("json", 7), ("form", {"a": "x", "q": "x"}), ("raw", b"{"), None,
)  # fmt: skip
ROWS_AND_PATCHES = (
    ("application/json", b'[{"title": "x"}]'), ("text/csv", b"title,b\nx,1\n"), ("text/csv", b"a,a\n1,2\n"),
    ("application/x-ndjson", b'{"title": "x"}\n{"a": 1}\n'), ("application/merge-patch+json", b'{"pages": 2}'),
    ("application/merge-patch+json", b'{"b": 1}'),
    ("application/json-patch+json", b'[{"op": "test", "path": "/title", "value": "y"}]'),
    ("application/json-patch+json", b'[{"op": "copy", "from": "/pages", "path": "/b"}]'),
)  # fmt: skip
