"""Context variables through middleware and hooks of both colours, to handlers of both and back."""

from tests.contract.exchanges.exchange import FAILED, TEXT, Exchange, Expected, answer, both
from tests.contract.messages import Fields


def _marks(back: str) -> Fields:
    """What the layers add, which have each seen what the others and the handler set."""
    return (
        ("x-outer", back),
        ("x-inner", back),
        ("x-thread", f"def async {back}"),
        ("x-after", f"def async {back}"),
    )


def _woven(body: str, back: str = "handler", length: int | None = -1) -> Expected:
    return answer(body, TEXT, length=length, marks=_marks(back))


_FAILED = FAILED._replace(fields={
    **{name: lines for name, lines in FAILED.fields.items() if name != "x-contract"},
    **{name: [value] for name, value in _marks("failed")},
})  # fmt: skip

EXCHANGES: tuple[Exchange, ...] = (
    *both("a handler sees what the middleware set, and it what the handler set", _woven("def async\n"),
          "/woven/{colour}/seen"),
    *both("the middleware sees what a handler set that failed", _FAILED, "/woven/{colour}/fails"),
    *both("a blocking stream sees what the handler set", _woven("handler in the stream\n", length=None),
          "/woven/{colour}/stream/blocking"),
    *both("a waiting stream sees what the handler set", _woven("handler in the stream\n", length=None),
          "/woven/{colour}/stream/waiting"),
)  # fmt: skip
