"""WebSockets: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered("websocket", "WebSockets are refused by all of Antiphon's adapters")
