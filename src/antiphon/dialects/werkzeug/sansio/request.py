"""The head of a request, made from values, without an environ or a body: the base of `wrappers.Request`."""

from antiphon.dialects.werkzeug.wrappers.sansio import Request

__all__ = ["Request"]
