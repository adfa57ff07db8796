"""WebSockets over ASGI and RSGI: the head of a handshake, its answer, and the channel for the messages."""
