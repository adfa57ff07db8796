"""WebSockets over ASGI, RSGI and WSGI: the head of a handshake, its answer, and the channel for the messages."""
