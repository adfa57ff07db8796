"""How servers reach a handler: WSGI, ASGI and RSGI, and the way to other applications and back."""
