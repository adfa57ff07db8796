"""Other people's WSGI and ASGI applications: called with our requests, and served as our own."""
