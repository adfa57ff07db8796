"""Templates made at random, of all that Asok's have, over the names of `template_table`."""

from random import Random


def _words(text: str) -> list[str]:
    return text.split()


ATOMS = _words("""
    text number nothing truth items empty person key unknown html printed moment thing people tags
    person.name person['age'] items[0] items[1:] thing.name people[0].name person[key] unknown.x tags.a
    person.nick text[0] text.nope 1 2.5 'a' True none '<'
""")
FILTERS = _words("""
    upper lower title capitalize length first last default('d') default string safe truncate(3) join('-')
    join tojson striptags replace('a','b') date pluralize pluralize('y','ies') filesize intcomma
    duration dictsort abs epoch display time_ago selectattr('name','Bo')
""")
TESTS = _words("""
    defined none odd even string number sequence mapping iterable lower upper true false boolean
    integer float undefined
""")
OPERATORS = ["==", "!=", "and", "or", "in", "not in", "~"]
COLLECTIONS = ["items", "people", "empty", "unknown", "person", "range(2)", "text[:2]", "items if truth else empty"]


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def template(self) -> str:
        return self._body(2)

    def _one(self, choices):
        return self.random.choice(choices)

    def _expression(self, depth: int) -> str:
        kind = self.random.randrange(8)
        if depth == 0 or kind < 3:
            return self._one(ATOMS)
        if kind == 3:
            return f"{self._one(ATOMS)} {self._one(OPERATORS)} {self._one(ATOMS)}"
        if kind == 4:
            return f"{self._one(ATOMS)} if {self._one(ATOMS)} else {self._one(ATOMS)}"
        if kind == 5:
            return f"not {self._one(ATOMS)}"
        if kind == 6:
            return f"({self._expression(depth - 1)})"
        return f"{self._one(['len', 'str', 'double'])}({self._one(ATOMS)})"

    def _print(self) -> str:
        filters = [f" | {self._one(FILTERS)}" for _ in range(self._one([0, 0, 1, 1, 2]))]
        return f"{{{{ {self._expression(2)}{''.join(filters)} }}}}"

    def _condition(self) -> str:
        name = self._one(ATOMS[:15])
        return self._one([
            self._one(ATOMS), f"not {self._one(ATOMS)}", f"{name} | length > 1",
            f"{name} is {self._one(['', 'not '])}{self._one(TESTS)}", f"{self._one(ATOMS)} == {self._one(ATOMS)}",
        ])  # fmt: skip

    def _statement(self, depth: int) -> str:
        kind = self.random.randrange(8)
        if depth == 0 or kind < 3:
            return self._print()
        if kind == 3:
            other = self._one(["", f"{{% else %}}{self._body(depth - 1)}", f"{{% elif {self._condition()} %}}e"])
            return f"{{% if {self._condition()} %}}{self._body(depth - 1)}{other}{{% endif %}}"
        if kind == 4:
            head = f"{{% for v in {self._one(COLLECTIONS)} %}}{{{{ loop.index }}}}{{{{ v }}}}"
            return f"{head}{self._body(depth - 1)}{{% endfor %}}"
        name = self._one(["s1", "s2"])
        if kind == 5:
            return f"{{% set {name} = {self._expression(1)} %}}{{{{ {name} }}}}"
        if kind == 6:
            return f"{{% with {name} = {self._expression(1)} %}}{{{{ {name} }}}}{self._body(depth - 1)}{{% endwith %}}"
        return f"{{% macro m(a, b='q') %}}({{{{ a }}}}{{{{ b }}}}){{% endmacro %}}{{{{ m({self._one(ATOMS)}) }}}}"

    def _body(self, depth: int) -> str:
        return "".join([self._statement(depth) for _ in range(self._one([1, 1, 2]))])


GENERATED = [Maker(seed).template() for seed in range(400)]
