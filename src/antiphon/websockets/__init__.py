"""WebSockets (RFC 6455): the socket that a handler talks by, the response that opens it, and its end."""
