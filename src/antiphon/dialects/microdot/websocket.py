"""WebSockets: not offered."""

from antiphon.dialects.microdot.absent import NO_WEBSOCKETS, not_offered

raise not_offered("websocket", NO_WEBSOCKETS)
