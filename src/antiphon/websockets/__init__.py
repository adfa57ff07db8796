"""WebSockets (RFC 6455): the socket that a handler uses, the response that opens it, and its end."""
