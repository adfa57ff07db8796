"""The functions of `kay.utils`: pages made of templates, JSON, and URLs of views."""

from antiphon.dialects.kay.utils.pages import (
    render_json_response,
    render_to_response,
    render_to_string,
    reverse,
    url_for,
)
from antiphon.dialects.kay.werkzeug.utils import redirect

__all__ = ["redirect", "render_json_response", "render_to_response", "render_to_string", "reverse", "url_for"]
