"""WebSockets over ASGI, RSGI and WSGI: the head of a handshake, its response, and the channel for messages."""
