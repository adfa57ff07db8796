"""Conversations by WebSocket: a handler of its own, or another framework, on the connection of a handshake."""
