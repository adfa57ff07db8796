"""Werkzeug's WSGI middleware: ``proxy_fix``, ``dispatcher`` and ``shared_data``."""
