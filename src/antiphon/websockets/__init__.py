"""WebSockets (RFC 6455): the socket that a handler uses, the response that opens it, and how it ends."""
