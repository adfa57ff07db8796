"""The contract between a server and an application: the same handler answers the same over every server.

``application`` is what is served, ``exchanges`` what it must answer, ``servers`` what is known to differ;
``suite`` has the test classes, which need pytest, that a server's tests derive from.
"""
