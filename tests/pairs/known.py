"""Failures that are known: early responses of two features make what other handlers read optional in the document."""

from antiphon.testing.pairs.rules import Failure

KNOWN = ("Cache changes", "Compression changes", "which is optional", "a response is not in the document")


def is_known(failure: Failure) -> bool:
    """Return True for a failure that is known."""
    return failure.rule == "document" and any(each in failure.kind for each in KNOWN)
