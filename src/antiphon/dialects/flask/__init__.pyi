from antiphon.dialects.flask.app import Flask
from antiphon.dialects.flask.blueprints import Blueprint
from antiphon.dialects.flask.config import Config
from antiphon.dialects.flask.ctx import (
    after_this_request,
    copy_current_request_context,
    has_app_context,
    has_request_context,
)
from antiphon.dialects.flask.globals import current_app, g, has_websocket_context, request, session, websocket
from antiphon.dialects.flask.helpers import (
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    make_response,
    redirect,
    send_file,
    send_from_directory,
    url_for,
)
from antiphon.dialects.flask.json import jsonify
from antiphon.dialects.flask.running import stream_with_context
from antiphon.dialects.flask.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    message_flashed,
    request_finished,
    request_started,
    request_tearing_down,
    template_rendered,
)
from antiphon.dialects.flask.templating import (
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)
from antiphon.dialects.flask.wrappers import Request, Response

__version__: str

__all__ = [
    "Blueprint", "Config", "Flask", "Request", "Response", "abort", "after_this_request", "appcontext_popped",
    "appcontext_pushed", "appcontext_tearing_down", "before_render_template", "copy_current_request_context",
    "current_app", "flash", "g", "get_flashed_messages", "get_template_attribute", "got_request_exception",
    "has_app_context", "has_request_context", "has_websocket_context", "jsonify", "make_response",
    "message_flashed", "redirect", "render_template", "render_template_string", "request", "request_finished",
    "request_started", "request_tearing_down", "send_file", "send_from_directory", "session", "stream_template",
    "stream_template_string", "stream_with_context", "template_rendered", "url_for", "websocket",
]  # fmt: skip
