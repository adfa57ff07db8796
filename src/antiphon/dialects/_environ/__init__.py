"""Code shared by the dialects whose request is the WSGI environ, such as Werkzeug and WebOb. Not a dialect itself.

Each dialect keeps its own names and behaviour.
"""
