"""`python -m fuzz.multipart --seconds 60`: forms, whole and damaged, read by this parser and by three others.

A whole form is read as it was made, by all. A damaged one that two of the others read alike is refused, or read as one
of the three reads it, unless a name in it has no quotes and is no token: each reader makes something else of that.
Either is the same however the body is cut. What fails is printed with the seed that makes it again.
"""

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from itertools import count
from random import Random, SystemRandom
from time import monotonic
from typing import TypeAlias

from antiphon.http.errors import HTTPError
from antiphon.http.grammar import TCHARS
from tests.body.forms_in_parts import cut, evenly, print_form, read
from tests.body.oracles import ORACLES

BOUNDARY = b"boundary"
Item: TypeAlias = tuple[str, str | None, bytes]

NAMES = ["a", "", "name", "two words", "a;b", "=", "日本", "[]", "form-data; name=b"]
BITS = [b"\r\n--", b"\r", b"\n", b"\r\n", b"-", b"--", b"x", b"\r\n--bound", b"\0", b"\xff", bytes(50)]
DAMAGE = [b"", b"\r\n", b"\r", b"\n", b"--", b"-", b" ", b":", b";", b'"', b"=", b"x", b"\r\n\r\n", b"\0"]
DAMAGE += [
    b"--boundary", b"\r\n--boundary", b"\r\n--boundary--", b"\r\n--boundary2", b"\r\n--boundary \t",
    b"Content-Disposition: form-data", b'; name="b"',
]  # fmt: skip

BARE_NAME = re.compile(rb"name\s*=\s*" + TCHARS.encode().replace(b"++", b"*+") + rb"[^\s;\w\"]")
"""An unquoted name or filename with a character that no token has (RFC 9110 §5.6.6)."""


def main() -> int:
    options = parse_options()
    until = monotonic() + options.seconds
    first = SystemRandom().getrandbits(32) if options.seed is None else options.seed
    tried = failed = 0
    for seed in count(first):
        if monotonic() > until or (options.seed is not None and tried):
            break
        tried += 1
        for failure in failures(Random(seed)):
            failed += 1
            print(f"seed {seed}: {failure}")
    print(f"{tried} forms, {failed} failures")
    return 1 if failed else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m fuzz.multipart", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on")
    parser.add_argument("--seed", type=int, help="try only the form of this seed")
    return parser.parse_args()


def failures(random: Random) -> Iterable[str]:
    """What goes wrong with one form, whole and then damaged."""
    form = make_form(random)
    body = print_form(
        [
            (name.encode(), None if filename is None else filename.encode(), None, content)
            for name, filename, content in form
        ],
        BOUNDARY,
    )
    yield from cutting_failures(random, body)
    for reader, items in [("this parser", ours([body])), *theirs([body])]:
        if items != form:
            yield f"{reader} reads {form} as {items}"
    damaged = damage(random, body)
    yield from cutting_failures(random, damaged)
    if BARE_NAME.search(damaged):
        return
    items = ours([damaged])
    others = [other for _, other in theirs([damaged]) if not isinstance(other, str)]
    if any(others.count(other) > 1 for other in others) and not isinstance(items, str) and items not in others:
        yield f"others read {damaged!r} as {others}, and this parser as {items}"


def make_form(random: Random) -> list[Item]:
    def content() -> bytes:
        return b"".join(random.choices(BITS, k=random.randrange(8)))

    return [
        (random.choice(NAMES), random.choice([None, random.choice(NAMES)]), content())
        for _ in range(random.randrange(4))
    ]


def damage(random: Random, body: bytes) -> bytes:
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(body) + 1)
        body = body[:start] + random.choice(DAMAGE) + body[start + random.choice([0, 0, 1, 2, 5]) :]
    return body


def cutting_failures(random: Random, body: bytes) -> Iterable[str]:
    whole = ours([body])
    for chunks in (cut(body, random.choices(range(len(body) + 1), k=random.randrange(1, 20))), evenly(body, 1)):
        items = ours(chunks)
        if items != whole:
            yield f"{body!r} is {whole}, and in the chunks {chunks} {items}"


def ours(chunks: Sequence[bytes]) -> Sequence[Item] | str:
    """The items, or why there are none; like the others, none for names that are not in UTF-8."""
    try:
        found = read(chunks, BOUNDARY)
        return [(text(part.head.name) or "", text(part.head.filename), part.content) for part in found]
    except (HTTPError, UnicodeDecodeError) as error:
        return str(error)


def theirs(chunks: Sequence[bytes]) -> list[tuple[str, Sequence[Item] | str]]:
    found: list[tuple[str, Sequence[Item] | str]] = []
    for name, oracle in ORACLES.items():
        try:
            found.append(
                (name, [(field or "", filename, content) for field, filename, content in oracle(chunks, BOUNDARY)])
            )
        except (ValueError, AttributeError) as error:
            found.append((name, str(error)))
    return found


def text(name: bytes | None) -> str | None:
    return None if name is None else name.decode()


if __name__ == "__main__":
    sys.exit(main())
