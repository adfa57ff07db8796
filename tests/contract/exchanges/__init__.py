"""The exchanges: requests, and the responses that every server must give to them."""

from tests.contract.exchanges import answers, bodies, errors, heads, middleware
from tests.contract.exchanges.exchange import Exchange, Expected, seen

EXCHANGES_BY_TOPIC: dict[str, tuple[Exchange, ...]] = {
    "answers": answers.EXCHANGES,
    "heads": heads.EXCHANGES,
    "bodies": bodies.EXCHANGES,
    "errors": errors.EXCHANGES,
    "middleware": middleware.EXCHANGES,
}
EXCHANGES: tuple[Exchange, ...] = sum(EXCHANGES_BY_TOPIC.values(), ())

__all__ = ["EXCHANGES", "EXCHANGES_BY_TOPIC", "Exchange", "Expected", "seen"]
