"""The status and headers of a response without a body. The base of `wrappers.Response`."""

from antiphon.dialects.werkzeug.wrappers.common_descriptors import Response

__all__ = ["Response"]
