"""`python -m fuzz.speedups --count 1000000`: functions in C, beside their twins in Python, with generated arguments.

Both give the same, or raise the same. What fails is printed with the seed that makes it again.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from random import Random, SystemRandom
from typing import Any, TypeAlias

from tests.helpers.twins import NOT_BUILT, compiled, extension, look_up, outcome, pure

Arguments: TypeAlias = Sequence[object]

PERCENTS = b"&|&|=|=|%|%|+|%41|%c3|%A4|%E2%82|%AC|\xe2|\x82|a|0|%00|%0|%3D|%26|%25|\0|\r\n|name=value|%ff|\xff".split(
    b"|"
)
SIGNS = ["=", ";", "; ", " ", "\t", '"', "\\", "a", "b=c", "\0", "ä", "\xc3\xa4", "\u20ac", "\ud800", "\U0001f600"]
BRACKETS = [b"[", b"]", b"{", b"}", b"[]", b'"', b"\\", b'\\"', b"x", b"\0", b"\xff", b'"a":']
DISPOSITION = b'\r\nContent-Disposition: form-data; name="'
HEADS = [
    DISPOSITION,
    b'"',
    b'"; filename="',
    b"\r\nContent-Type: ",
    b"\r\n\r\n",
    b"text/plain",
    b" ",
    b"%",
    b"\\",
    b"\0",
]
NAME = ["a", "X-", "-", "0", "Host", "~", "\0", "ä", "\ud800"]
VALUE = ["a", " ", "\t", "\r", "~", "\x7f", "ä", "\xff", "\u20ac", "\ud800"]
TEXT_NAMES = ["host", "x-1", "X-1", "ä", "\ud800", ""]
FORM = [b"\r\n--b", b"--", b"\r\n", b"\r", b"x", DISPOSITION + b'"\r\n\r\n', DISPOSITION + b'a"; filename="b"\r\n\r\n1']
NAMES = [
    b"host",
    b"cookie",
    b"set-cookie",
    b"content-length",
    b"content-encoding",
    b"transfer-encoding",
    b"",
    b"a",
    b"\0",
    b"Host",
]
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
        name, arguments = make(Random(seed))
        in_python, in_c = (outcome(function, *arguments) for function in functions(name))
        if in_python != in_c:
            failed += 1
            print(f"seed {seed}: {name}{arguments!r:.500} is {in_python!r:.500} in Python, and {in_c!r:.500} in C")
    print(f"{options.count} calls from seed {first} on, {failed} failures")
    return 1 if failed else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m fuzz.speedups", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many calls to compare")
    parser.add_argument("--seed", type=int, help="begin with the arguments of this seed")
    return parser.parse_args()


def functions(name: str) -> tuple[Callable[..., object], Callable[..., object]]:
    if name == "look_up":  # two functions, with what one makes for the other
        return lambda *given: look_up(pure, *given), lambda *given: look_up(compiled, *given)
    if name == "put":  # which changes its argument
        return lambda lines, *rest: put(pure, [*lines], *rest), lambda lines, *rest: put(compiled, [*lines], *rest)
    return pure(name), compiled(name)


def put(twin: Callable[[str], Callable[..., object]], lines: list[tuple[str, str]], line: object) -> object:
    twin("put_line")(lines, line)
    return lines


def make(random: Random) -> tuple[str, Arguments]:
    """Return the name of a function, and arguments for it."""
    name = random.choice(sorted(MAKERS))
    arguments = MAKERS[name](random)
    if random.random() < 0.02:
        odd = random.choice(ODD)
        arguments = random.choice([(odd, *arguments[1:]), (*arguments[:-1], odd), (*arguments, odd), arguments[1:]])
        if name == "look_up":  # what is looked up is always text
            arguments = (odd, *TEXT_NAMES)
    return name, arguments


def joined(random: Random, bits: Sequence[Any]) -> Any:
    """Return some of the bits in any order: mostly few, at times thousands, and at times one of them over and over."""
    size = random.choice([0, 1, 2, 5, 10, 20, 40, 80, 600]) if random.random() < 0.999 else 20_000
    chosen = random.choices(bits, k=random.choice([1, 2, 5, len(bits)]))
    return type(bits[0])().join(random.choices(chosen, k=random.randint(0, size)))


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


MAKERS: dict[str, Callable[[Random], Arguments]] = {
    "parse_fields": lambda random: (data(random, PERCENTS),),
    "percent_decode": lambda random: (data(random, PERCENTS),),
    "split_cookies": lambda random: (joined(random, SIGNS[: random.choice([10, 15])]),),
    "is_nested_deeper": lambda random: (data(random, BRACKETS), random.choice([0, 1, 2, 5, 50])),
    "match_usual_head": lambda random: (
        DISPOSITION[: random.choice([0, 99])] + data(random, HEADS),
        random.choice([0, 0, 0, 2]),
    ),
    "usual_boundary": lambda random: (
        "multipart/form-data; boundary="[: random.choice([9, 99])]
        + raw(random).decode("latin-1")[: random.randint(0, 72)],
    ),
    "split_usual_form": lambda random: (
        b"--b" + data(random, FORM),
        b"\r\n--b",
        random.choice([0, 1, 5, 1000]),
        random.choice([50, 1024]),
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
    "encode_fields": lambda random: (
        [(joined(random, SIGNS), joined(random, SIGNS[:12])) for _ in range(random.randrange(4))],
    ),
    "field_line": lambda random: (joined(random, NAME), joined(random, VALUE)),
    "put": lambda random: (text_lines(random), (random.choice(TEXT_NAMES), "a")),
    "look_up": lambda random: (lines(random), *(name.decode() for name in NAMES), *TEXT_NAMES, "x-0", "x-31"),
}


if __name__ == "__main__":
    sys.exit(main())
