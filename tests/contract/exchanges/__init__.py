"""What every server must answer, as data."""

from tests.contract.exchanges import answers, bodies, errors, heads, streams, woven
from tests.contract.exchanges.exchange import Exchange, Expected, seen

EXCHANGES: tuple[Exchange, ...] = (
    *answers.EXCHANGES,
    *heads.EXCHANGES,
    *bodies.EXCHANGES,
    *errors.EXCHANGES,
    *streams.EXCHANGES,
    *woven.EXCHANGES,
)

__all__ = ["EXCHANGES", "Exchange", "Expected", "seen"]
