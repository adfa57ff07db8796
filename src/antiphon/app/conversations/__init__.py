"""WebSocket conversations: a handler, or another framework, on the connection of a handshake."""
