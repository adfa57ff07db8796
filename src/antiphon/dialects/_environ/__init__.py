"""Shared parts of Werkzeug and Kay, the dialects in which the WSGI environ is the request. Not a dialect itself.

Each dialect keeps its own names and behaviour. These parts would otherwise be written twice.
"""
