from antiphon.adapters.connection import BACKLOG, close_accepted
from antiphon.adapters.foreign.call import BlockingBody
from antiphon.adapters.foreign.environ_host import AT_END, EnvironHost, Host, ReceivedInput
from antiphon.adapters.foreign.wsgi import call_in_own_context, make_environ, restarting, started_response
from antiphon.adapters.servable import Lifecycle, Servable
from antiphon.adapters.servers.embedded import LoopServer, ThreadServer, let_threads_end
from antiphon.adapters.wsgi import WSGIHead
from antiphon.app.conversations.conversation import on_own_thread
from antiphon.app.conversations.foreign_sockets import ForeignSockets, environ_sockets
from antiphon.app.dispatch.returns import to_response
from antiphon.app.planning.cross_site import SAFE_METHODS, check_handshake_site
from antiphon.app.planning.request_checks import check_handshake
from antiphon.app.served_function import ServedFunction
from antiphon.app.static_files import served_names
from antiphon.body.content import Content, NotLoadedError
from antiphon.body.form_data import FormBounds
from antiphon.body.multipart import (
    UNUSABLE_BOUNDARY,
    MultipartLimits,
    MultipartParser,
    PartData,
    parse_boundary,
    read_whole_form,
)
from antiphon.body.part_head import IncompleteForm, PartHead
from antiphon.concurrency.background import run_on, run_on_loop
from antiphon.concurrency.bridge import AsyncFromSync
from antiphon.concurrency.crossing import Crossing, CrossingBack, copy_variables
from antiphon.concurrency.iterables import as_bytes
from antiphon.concurrency.loop import is_on_loop
from antiphon.explanations import Advice
from antiphon.features.logs.formats import one_line
from antiphon.features.openapi.code.words import DescribedApp, DescribedRoute
from antiphon.features.templates.environment import DictEnvironment, render
from antiphon.features.templates.page import astream_of, stream_of
from antiphon.frameworks.connection import plain_head, until_left
from antiphon.frameworks.framework import (
    ALL_METHODS,
    Framework,
    FrameworkRequest,
    FrameworkResponse,
    ViewRoute,
    own_limits,
)
from antiphon.frameworks.recognition import error_like
from antiphon.frameworks.shared_bodies import environ_request, read_request, scope_request
from antiphon.handler.callables import annotations_of, describe, innermost, is_async, signature_of
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD, NotBegun, Steps, finish
from antiphon.handler.drive import crossing_of, driven, run_async
from antiphon.handler.errors import as_http_error
from antiphon.handler.failures import failed, log_failure
from antiphon.handler.scope import (
    RequestLocal,
    find_current_request,
    release,
    reset_current_request,
    set_current_request,
)
from antiphon.http.grammar import OWS, split_list
from antiphon.http.head import DerivedHead, Head, RequestHead, server_head
from antiphon.http.limits import UNBOUNDED
from antiphon.lazy import absent, lazy, not_offered
from antiphon.request.readings import query_fields_of, query_too_long, urlencoded_fields_of
from antiphon.response.fields import only_typed
from antiphon.response.files import FileBody, OpenFile, guess_type
from antiphon.response.response import json_encoder, response_of
from antiphon.serialization.json import decode_json, encode_json, json_text
from antiphon.serialization.signing import TimedSigner, to_base64
from antiphon.uploads.saving import safe_filename
from antiphon.uploads.spool import Spool, Window
from antiphon.websockets.connection import Connection

__all__ = [
    "ALL_METHODS", "AT_END", "BACKLOG", "BEGIN_ON_THREAD", "ON_LOOP", "ON_THREAD", "OWS", "SAFE_METHODS",
    "UNBOUNDED", "UNUSABLE_BOUNDARY", "Advice", "AsyncFromSync", "BlockingBody", "Connection", "Content",
    "Crossing", "CrossingBack", "DerivedHead", "DescribedApp", "DescribedRoute", "DictEnvironment", "EnvironHost",
    "FileBody", "ForeignSockets", "FormBounds", "Framework", "FrameworkRequest", "FrameworkResponse", "Head",
    "Host", "IncompleteForm", "Lifecycle", "LoopServer", "MultipartLimits", "MultipartParser", "NotBegun",
    "NotLoadedError", "OpenFile", "PartData", "PartHead", "ReceivedInput", "RequestHead", "RequestLocal",
    "Servable", "ServedFunction", "Spool", "Steps", "ThreadServer", "TimedSigner", "ViewRoute", "WSGIHead",
    "Window", "absent", "annotations_of", "as_bytes", "as_http_error", "astream_of", "call_in_own_context",
    "check_handshake", "check_handshake_site", "close_accepted", "copy_variables", "crossing_of", "decode_json",
    "describe", "driven", "encode_json", "environ_request", "environ_sockets", "error_like", "failed",
    "find_current_request", "finish", "guess_type", "innermost", "is_async", "is_on_loop", "json_encoder",
    "json_text", "lazy", "let_threads_end", "log_failure", "make_environ", "not_offered", "on_own_thread",
    "one_line", "only_typed", "own_limits", "parse_boundary", "plain_head", "query_fields_of", "query_too_long",
    "read_request", "read_whole_form", "release", "render", "reset_current_request", "response_of", "restarting",
    "run_async", "run_on", "run_on_loop", "safe_filename", "scope_request", "served_names", "server_head",
    "set_current_request", "signature_of", "split_list", "started_response", "stream_of", "to_base64",
    "to_response", "until_left", "urlencoded_fields_of",
]  # fmt: skip
