"""Answers that are sent while they are made, by iterators of both colours."""

from tests.contract.application.streams import LARGE_CHUNK, LARGE_COUNT
from tests.contract.exchanges.exchange import TEXT, Exchange, answer, both, without_body

_FEW = answer("one\nzwölf\nthree\n", length=None)
_LARGE = answer(LARGE_CHUNK * LARGE_COUNT, length=None)
_SIZED = answer("1234567890", TEXT)


def _streams(kind: str) -> list[Exchange]:
    path = f"/{{colour}}/stream/{kind}"
    return [
        *both(f"a {kind} stream arrives", _FEW, f"{path}/few"),
        *both(f"an empty {kind} stream has an empty body", answer(b"", length=None), f"{path}/none"),
        *both(f"a {kind} stream of 1 MiB arrives", _LARGE, f"{path}/large"),
        *both(f"HEAD of a {kind} stream", without_body(_FEW), f"{path}/few", "HEAD"),
    ]


EXCHANGES: tuple[Exchange, ...] = (
    *_streams("blocking"),
    *_streams("waiting"),
    *both("a stream may declare its length", _SIZED, "/{colour}/stream/sized"),
    *both("HEAD of a stream has the declared length", without_body(_SIZED), "/{colour}/stream/sized", "HEAD"),
)
