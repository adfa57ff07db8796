"""WebOb's request and response, over the environ of WSGI."""
