"""WebSocket conversations: a handler, or another framework, on a handshake's connection."""
