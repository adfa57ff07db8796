"""WSGI middleware: ``proxy_fix``, ``dispatcher``, ``shared_data``, ``profiler``, ``lint`` and ``http_proxy``."""
