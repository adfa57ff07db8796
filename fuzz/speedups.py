"""`python -m fuzz.speedups --count 1000000`: functions in C, beside their twins in Python, with generated arguments.

Both give the same, or raise the same. What fails is printed with the seed that makes it again.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections import OrderedDict
from collections.abc import Callable, Sequence
from random import Random, SystemRandom
from types import SimpleNamespace
from typing import Any, TypeAlias

from jinja2 import Environment
from markupsafe import Markup

from tests.helpers.twins import NOT_BUILT, attributes_of, compiled, extension, look_up, outcome, pure

Arguments: TypeAlias = Sequence[object]

PERCENTS = b"&|&|=|=|%|%|+|%41|%c3|%A4|%E2%82|%AC|\xe2|\x82|a|0|%00|%0|%3D|%26|%25|\0|\r\n|name=value|%ff|\xff".split(
    b"|"
)
SIGNS = ["=", ";", "; ", " ", "\t", '"', "\\", "a", "b=c", "\0", "ä", "\xc3\xa4", "\u20ac", "\ud800", "\U0001f600"]
BRACKETS = [b"[", b"]", b"{", b"}", b"[]", b'"', b"\\", b'\\"', b"x", b"\0", b"\xff", b'"a":']
EXPONENTS = [
    b"e",
    b"E",
    b"+",
    b"-",
    b"1",
    b"100",
    b"1e308",
    b'"1e308"',
    b" " * 63,
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u0000",
]
DISPOSITION = b'\r\nContent-Disposition: form-data; name="'
NAME = ["a", "X-", "-", "0", "Host", "~", "\0", "ä", "\ud800"]
VALUE = ["a", " ", "\t", "\r", "~", "\x7f", "ä", "\xff", "\u20ac", "\ud800"]
LOGGED = ["/", "a", "7", "<int:id>", "%", '"', "\\", "null", " ", "\n", "\x7f", "é", "\ud800"]
TEXT_NAMES = ["host", "x-1", "X-1", "ä", "\ud800", ""]
FORM = [b"\r\n--b", b"--", b"\r\n", b"\r", b"x", DISPOSITION + b'"\r\n\r\n', DISPOSITION + b'a"; filename="b"\r\n\r\n1']
NAMES = [
    b"host", b"cookie", b"set-cookie", b"content-length", b"content-encoding", b"transfer-encoding", b"", b"a", b"\0",
    b"Host",
]  # fmt: skip
TARGETS = ["/", "/a", "/ä", "a", "http://a/b", "", "\ud800", None]
VERSIONS = ["1.1", "1.0", "2", "", 2, None]
MARKS = ["<", ">", "&", "'", '"', "a", " ", ";", "&amp;", "\0", "ä", "\u20ac", "\ud800", "\U0001f600", "=", "?", "!"]
ENVIRONMENT = Environment()
CELLS = 40
ODD = [
    None,
    -1,
    1 << 62,
    1 << 64,
    1.5,
    "",
    "a=%41",
    b"",
    bytearray(b"a"),
    memoryview(b"abcd")[::2],
    [],
    (),
    (b"a", b"b"),
]


def main() -> int:
    if extension is None:
        print(NOT_BUILT)
        return 1
    options = parse_options()
    first = SystemRandom().getrandbits(32) if options.seed is None else options.seed
    failed = 0
    for seed in range(first, first + options.count):
        name, arguments = make(Random(seed), options.only or sorted(MAKERS))
        in_python, in_c = (outcome(function, *arguments) for function in functions(name))
        if in_python != in_c:
            failed += 1
            print(f"seed {seed}: {name}{arguments!r:.500} is {in_python!r:.500} in Python, and {in_c!r:.500} in C")
    print(f"{options.count} calls from seed {first} on, {failed} failures")
    return 1 if failed else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m fuzz.speedups", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many calls to compare")
    parser.add_argument("--only", action="append", choices=sorted(MAKERS), help="call only this function (repeatable)")
    parser.add_argument("--seed", type=int, help="begin with the arguments of this seed")
    return parser.parse_args()


def functions(name: str) -> tuple[Callable[..., object], Callable[..., object]]:
    if name == "look_up":  # two functions, with what one makes for the other
        return lambda *given: look_up(pure, *given), lambda *given: look_up(compiled, *given)
    if name in ("add_to_cell", "count_exchange"):  # which change theirs
        return lambda *given: cells_after(pure(name), *given), lambda *given: cells_after(compiled(name), *given)
    if name in ("ASGIHead", "WSGIHead"):  # whose heads are other objects
        return lambda *given: attributes_of(pure(name), *given), lambda *given: attributes_of(compiled(name), *given)
    if name == "put":  # which changes its argument
        return lambda lines, *rest: put(pure, [*lines], *rest), lambda lines, *rest: put(compiled, [*lines], *rest)
    if name == "escape_text":  # which may give a plain string or a Markup
        return lambda *given: str(pure(name)(*given)), lambda *given: str(compiled(name)(*given))
    if name == "escape":
        return lambda *given: str(Markup.escape(*given)), lambda *given: str(compiled("escape_text")(Markup, *given))
    return pure(name), compiled(name)


def cells_after(function: Callable[..., object], *given: object) -> object:
    cells = memoryview(bytearray(8 * CELLS)).cast("q")
    cells[0] = 7
    function(cells if given and given[0] == "cells" else given[0] if given else None, *given[1:])
    return cells.tolist()


def put(twin: Callable[[str], Callable[..., object]], lines: list[tuple[str, str]], line: object) -> object:
    twin("put_line")(lines, line)
    return lines


def make(random: Random, names: Sequence[str]) -> tuple[str, Arguments]:
    """Return one of the names of functions, and arguments for it."""
    name = random.choice(names)
    arguments = MAKERS[name](random)
    if random.random() < 0.02 and name != "escape":  # whose name is in the errors of a wrong call
        odd = random.choice(ODD)
        arguments = random.choice([(odd, *arguments[1:]), (*arguments[:-1], odd), (*arguments, odd), arguments[1:]])
        if name == "look_up":  # what is looked up is always text
            arguments = (odd, *TEXT_NAMES)
    return name, arguments


def some_of(random: Random, **values: Sequence[object]) -> dict[str, object]:
    """Return a dictionary with most of these names, each with one of its values."""
    return {name: random.choice(some) for name, some in values.items() if random.random() < 0.8}


def joined(random: Random, bits: Sequence[Any]) -> Any:
    """Return some of the bits in any order: mostly few, at times thousands, and at times one of them over and over."""
    size = random.choice([0, 1, 2, 5, 10, 20, 40, 80, 600]) if random.random() < 0.999 else 20_000
    chosen = random.choices(bits, k=random.choice([1, 2, 5, len(bits)]))
    return type(bits[0])().join(random.choices(chosen, k=random.randint(0, size)))


def logged(random: Random) -> Arguments:
    """Return the time and the attributes of a request that is logged."""
    return (
        random.uniform(0, random.choice([2e9, 5e9, 3e11])),
        random.choice(["GET", "POST", joined(random, NAME)]),
        joined(random, LOGGED[: random.choice([4, 99])]),
        joined(random, LOGGED[: random.choice([4, 99])]),
        random.choice([200, 404, random.randrange(1000)]),
        random.randrange(1 << random.choice([4, 20, 70])),
        random.choice([random.random(), random.randrange(10**6) / 2e6, random.random() * 1e8]),
        random.choice(["0123456789abcdef" * 2, "-", joined(random, LOGGED)]),
        random.random() < 0.1,
    )


def raw(random: Random) -> bytes:
    return random.randbytes(random.choice([0, 1, 3, 10, 100, 511, 512, 513]))


def data(random: Random, bits: Sequence[bytes]) -> bytes:
    found: bytes = raw(random) if random.random() < 0.1 else joined(random, bits)
    return found


def lines(random: Random) -> list[tuple[bytes, bytes]]:
    names = [random.choice(NAMES) if random.random() < 0.3 else b"x-%d" % each for each in range(random.randrange(50))]
    return [(name, random.choice([b"7", raw(random)[:5]])) for name in names]


def text_lines(random: Random) -> list[tuple[str, str]]:
    return [(random.choice(TEXT_NAMES), "b") for _ in range(random.randrange(5))]


class Shown:
    """An object with a text, and with HTML unless that is None."""

    def __init__(self, text: object, html: object) -> None:
        self.text, self.html = text, html

    def __str__(self) -> Any:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name == "__html__" and self.html is not None:
            return lambda: self.html
        raise (KeyError if name == "key" else AttributeError)(name)


class Text(str):
    """A string with a type of its own."""

    __slots__ = ()


def shown(random: Random) -> object:
    """Return a value that a template may write: mostly a string."""
    text = joined(random, MARKS)
    number = random.choice([0, 1, -1, 1 << 70, 1.5, True, None, 2j])
    others = [Markup(text), Text(text), [text], {text: text}, text.encode("utf-8", "replace"), number]
    html = random.choice([None, text, *others])
    return random.choice([*[text] * 10, *others, Shown(random.choice([text, *others[:2], number]), html)])


def nested(random: Random, depth: int) -> object:
    """Return a value with lists and dicts in it, so many levels deep at most."""
    if not depth:
        return random.choice([None, 1, "a", 2j, Text("a")])
    parts = [nested(random, depth - 1), *(nested(random, 0) for _ in range(random.randrange(3)))]
    return random.choice([parts, tuple(parts[::-1]), dict(enumerate(parts)), parts[0]])


def attributed(random: Random) -> object:
    """Return an object that has an attribute or an item of some names."""
    names = dict.fromkeys(random.choices(["name", "key", "gone"], k=random.randrange(4)), shown(random))
    kinds = [dict, OrderedDict, lambda found: SimpleNamespace(**found), lambda found: Shown(*[*found, 1, None][:2])]
    return random.choice([*kinds, list, lambda _: None, lambda _: shown(random)])(names)


MAKERS: dict[str, Callable[[Random], Arguments]] = {
    "add_to_cell": lambda random: ("cells", random.randint(-2, CELLS + 1), random.choice([0, 1, -1, 1 << 54, 1 << 64])),
    "count_exchange": lambda random: (
        "cells",
        random.randint(-2, CELLS + 1),
        random.randint(-1, CELLS),
        random.choice([0, 0.0, 0.005, 0.0050001, 1.0, 10.0, 11.5, 1e10, -1.0, random.random()]),
        random.choice([0, 100, 101, 10**8, 10**9, 1 << 62, -1]),
        random.choice([0, 99, 10**7 + 1, True]),
    ),
    "ASGIHead": lambda random: (
        some_of(
            random, method=["GET"], path=TARGETS, headers=[lines(random)], root_path=TARGETS, http_version=VERSIONS
        ),
        "receive",
        "send",
    ),
    "WSGIHead": lambda random: (
        some_of(
            random,
            REQUEST_METHOD=["GET"],
            PATH_INFO=TARGETS,
            HTTP_HOST=TEXT_NAMES,
            RAW_URI=TARGETS,
            REQUEST_URI=TARGETS,
            SERVER_PROTOCOL=[f"HTTP/{each}" for each in VERSIONS],
            CONTENT_LENGTH=["", "7", None],
            HTTP_TRANSFER_ENCODING=["chunked"],
        ),
    ),
    "parse_fields": lambda random: (data(random, PERCENTS),),
    "split_cookies": lambda random: (joined(random, SIGNS[: random.choice([10, 15])]),),
    "crossed_bounds": lambda random: (
        data(random, BRACKETS + EXPONENTS[: random.choice([0, 99])]),
        random.choice([0, 1, 2, 5, 50]),
        random.choice([0, 1, 2, 5]),
        random.choice([0, 1, 2, 5]),
    ),
    "split_usual_form": lambda random: (
        b"--b" + data(random, FORM),
        b"\r\n--b",
        random.choice([0, 1, 5, 1000]),
        random.choice([50, 1024]),
    ),
    "like": lambda random: (random.choice([Namespace(), SimpleNamespace(), {}, None]),),
    "text_content": lambda random: (
        random.choice([tuple, list])(
            [joined(random, VALUE), random.choice([200, 404, True, "1"]), dict(text_lines(random))]
        ),
        tuple(text_lines(random)),
    ),
    "checked_fields": lambda random: (
        random.choice([tuple, list, dict])(
            [
                (joined(random, NAME), joined(random, VALUE[: random.choice([2, 10])]))
                for _ in range(random.randrange(4))
            ]
        ),
        tuple(text_lines(random)),
    ),
    "declared": lambda random: (
        {joined(random, NAME): joined(random, VALUE[: random.choice([2, 10])]) for _ in range(random.randrange(4))},
        tuple(text_lines(random)),
    ),
    "set_defaults": lambda random: (nested(random, random.choice([0, 1, 3, 60])),),
    "request_as_text": logged,
    "request_as_json": logged,
    "message_of": lambda random: (
        random.choice([b"", b"abc", []]),
        [
            (
                random.choice(["content-length", "cache-control", "a"]),
                random.choice(["private", joined(random, VALUE[:2])]),
            )
            for _ in range(random.randrange(3))
        ],
        random.choice([None, 200, 204, 205, 304, 404]),
        random.choice(["GET", "HEAD"]),
    ),
    "encode_fields": lambda random: (
        [(joined(random, SIGNS), joined(random, SIGNS[:12])) for _ in range(random.randrange(4))],
    ),
    "field_line": lambda random: (joined(random, NAME), joined(random, VALUE)),
    "escape": lambda random: (shown(random),),
    "escape_text": lambda random: (random.choice([Markup, Markup, object]), shown(random)),
    "read_attribute": lambda random: (ENVIRONMENT, attributed(random), random.choice(["name", "key", "gone", "title"])),
    "put": lambda random: (text_lines(random), (random.choice(TEXT_NAMES), "a")),
    "look_up": lambda random: (lines(random), *(name.decode() for name in NAMES), *TEXT_NAMES, "x-0", "x-31"),
}


if __name__ == "__main__":
    sys.exit(main())
