"""Context variables through sync and async middleware and hooks, to ``def`` and ``async def`` handlers and back."""

from tests.contract.exchanges.exchange import FAILED, STREAMED, TEXT, Exchange, Expected, answer, both
from tests.contract.wire import Fields


def _marks(back: str) -> Fields:
    """Header fields that the layers add: each has seen what the other layers and the handler set."""
    return (("x-outer", back), ("x-inner", back), ("x-thread", f"def async {back}"), ("x-after", f"def async {back}"))


def _layered(body: str, back: str = "handler") -> Expected:
    return answer(body, TEXT, marks=_marks(back))


_STREAMED = answer("handler in the stream\n", TEXT, 200, *STREAMED, length=None, marks=_marks("handler"))


_FAILED = FAILED._replace(fields={
    **{name: lines for name, lines in FAILED.fields.items() if name != "x-contract"},
    **{name: [value] for name, value in _marks("failed")},
})  # fmt: skip

EXCHANGES: tuple[Exchange, ...] = (
    *both("the handler and the middleware see what the other has set", _layered("def async\n"),
          "/layers/{def}/seen"),
    *both("the middleware sees what a failing handler has set", _FAILED, "/layers/{def}/fails"),
    *both("a stream by sync iterator sees what the handler set", _STREAMED,
          "/layers/{def}/stream/sync"),
    *both("a stream by async iterator sees what the handler set", _STREAMED,
          "/layers/{def}/stream/async"),
)  # fmt: skip
