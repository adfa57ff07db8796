"""What every server must answer, as data."""

from antiphon.testing.contract.exchanges import answers, bodies, errors, heads, streams, woven
from antiphon.testing.contract.exchanges.exchange import Exchange, Expected, seen

EXCHANGES: tuple[Exchange, ...] = (
    *answers.EXCHANGES,
    *heads.EXCHANGES,
    *bodies.EXCHANGES,
    *errors.EXCHANGES,
    *streams.EXCHANGES,
    *woven.EXCHANGES,
)

__all__ = ["EXCHANGES", "Exchange", "Expected", "seen"]
