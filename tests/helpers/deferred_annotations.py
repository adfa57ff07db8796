"""Functions whose annotations have names that only type checkers know."""

import sys

_DEFERRED = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
"""A future import for older Pythons; Python 3.14 evaluates annotations only when they are read (PEP 649)."""


def define(source):
    """Run source code with deferred annotations, and return the object that it names `made`."""
    namespace = {}
    exec(_DEFERRED + source, namespace)
    return namespace["made"]
