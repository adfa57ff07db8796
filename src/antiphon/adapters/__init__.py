"""The adapters between servers and handlers: WSGI, ASGI and RSGI, and calls to other applications."""
