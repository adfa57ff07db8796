"""Shared parts of the dialects in which the WSGI environ is the request: Werkzeug and Kay; no dialect by itself.

Each dialect keeps its own names and habits. Here stand the parts that would otherwise be written once for each.
"""
