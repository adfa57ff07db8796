"""What makes no channel."""

import pytest

from antiphon.features import Channel, MemoryStore
from tests.helpers.rows import rows


@rows(
    "options, error",
    ({"name": ""}, "a channel's name must be text, not ''"),
    ({"name": "\ud800"}, "a channel's name must be text"),
    ({"name": None}, "a channel's name must be text, not None"),
    ({"max_messages": 0}, "max_messages must be a number above 0, not 0"),
    ({"max_message_size": 0}, "max_message_size must be a number above 0, not 0"),
    ({"lease": 0}, "lease must be a number above 0, not 0"),
)
def test_what_can_not_be_is_refused(options, error):
    with pytest.raises(ValueError, match=error):
        Channel(**{"name": "news", "store": MemoryStore(), **options})


def test_a_member_has_a_name():
    with pytest.raises(ValueError, match="a member's name must be text, not ''"):
        Channel("news", MemoryStore()).present("")
