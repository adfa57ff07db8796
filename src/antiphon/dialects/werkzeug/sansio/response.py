"""Where Werkzeug has what its responses share; here that is all that is no attribute for a header."""

from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse as Response

__all__ = ["Response"]
