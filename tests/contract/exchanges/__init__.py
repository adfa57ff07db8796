"""The exchanges: requests, and the responses that every server must give to them."""

from tests.contract.exchanges import answers, bodies, errors, heads, middleware
from tests.contract.exchanges.exchange import Exchange, Expected, seen

EXCHANGES: tuple[Exchange, ...] = (
    *answers.EXCHANGES,
    *heads.EXCHANGES,
    *bodies.EXCHANGES,
    *errors.EXCHANGES,
    *middleware.EXCHANGES,
)

__all__ = ["EXCHANGES", "Exchange", "Expected", "seen"]
