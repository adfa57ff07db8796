"""Previews: what they show, and what is as before."""

import pytest

from tests.features.ledger.shop import preview
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_preview_shows_what_would_change_and_changes_nothing(interface, shop):
    shop = shop()
    shop.does("update t set n = n + 1 where id = 1")
    client, before = shop.client(interface), shop.look()
    seen = preview(client)
    assert seen.status == 200, seen.text
    assert seen.json["changes"] == [
        {"table": "public.t", "change": "update", "key": {"id": "1"}, "old": {"n": "0"}, "new": {"n": "1"}}
    ]
    assert shop.look() == before
    done = client.post("/w", headers={"if-changes": seen.json["if-changes"]})
    assert done.json == {"done": True}
    assert shop.look() != before
    assert client.post("/w", headers={"if-changes": seen.json["if-changes"]}).status == 412
