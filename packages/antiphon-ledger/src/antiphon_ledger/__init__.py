"""Writes that are shown before they happen, and an agreement that is bound to exactly that.

app.use(Ledger(DATABASE, OWN_URL, tables={"public.orders": ["title"]}, keep=30 * 86_400, person=user_id)), then
@app.delete("/orders/<int:n>", before=login_required, meta={LEDGER: Ledgered(preview=True)})
"""

from antiphon_ledger.feature import Ledger
from antiphon_ledger.records import BadTable
from antiphon_ledger.writes import LEDGER, Ledgered, is_guarded

__all__ = ["LEDGER", "BadTable", "Ledger", "Ledgered", "is_guarded"]
__reads__ = "named"
