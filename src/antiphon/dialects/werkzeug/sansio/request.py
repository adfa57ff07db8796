"""The head of a request, made from values without an environ or a body. The base of `wrappers.Request`."""

from antiphon.dialects.werkzeug.wrappers.common_descriptors import Request

__all__ = ["Request"]
