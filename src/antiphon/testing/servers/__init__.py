"""The server's side of WSGI, ASGI and RSGI, played in the same process."""
