"""Data as JSON."""

import json
from typing import Any

from antiphon.dialects.kay.current import current_call
from antiphon.dialects.kay.werkzeug.wrappers.response import Response


def render_json_response(data: Any, mimetype: str = "application/json", **kwargs: Any) -> Response:
    """Data as JSON in a response, which is made with the other arguments, too. Raises TypeError for other data."""
    return current_call().app.response_class(json.dumps(data), mimetype=mimetype, **kwargs)
