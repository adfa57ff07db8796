from antiphon.adapters.connection import close_accepted
from antiphon.adapters.disconnect import endable
from antiphon.adapters.foreign.call import BlockingBody
from antiphon.adapters.foreign.environ_host import AT_END, EnvironHost, Host, ReceivedInput
from antiphon.adapters.foreign.wsgi import call_in_own_context, make_environ, started_response
from antiphon.adapters.servable import Lifecycle, Servable
from antiphon.adapters.servers.embedded import LoopServer, ThreadServer
from antiphon.adapters.wsgi import WSGIHead
from antiphon.app.callers import checked_by
from antiphon.app.connections import DatabaseConnection
from antiphon.app.conversations.foreign_sockets import ForeignSockets
from antiphon.app.dispatch.returns import AwaitedResponse, to_response
from antiphon.app.made_request import MadeHead, MadeRequest
from antiphon.app.mount import mounted_together
from antiphon.app.planning.cross_site import SAFE_METHODS, check_cross_site, parse_origin
from antiphon.app.planning.features import Added
from antiphon.app.planning.request_checks import DigestError, check_digest, check_handshake
from antiphon.app.registry import PlannedRoute
from antiphon.app.route_keys import KeyHandling, RouteKeys
from antiphon.app.served_function import ServedFunction
from antiphon.app.static_files import served_names
from antiphon.app.store import RETRY_AFTER, FeatureStore, KeptResponse, store_name
from antiphon.body.content import Content, NotLoadedError
from antiphon.body.form_data import FormBounds
from antiphon.body.multipart import MultipartParser, read_whole_form
from antiphon.concurrency.background import background_loop, run_on, serving_loop
from antiphon.concurrency.bridge import AsyncFromSync
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import AsyncChunks, BlockingChunks, as_bytes
from antiphon.concurrency.loop import contained, is_on_loop, refuse_on_loop, running_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER, call_after_fork, call_at_exit
from antiphon.explanations import Advice, check_numbers, errors_name_it, named
from antiphon.explanations.naming import NamesOurs
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.secret_names import is_secret_name
from antiphon.features.templates.environment import render
from antiphon.features.templates.page import stream_of
from antiphon.frameworks.connection import plain_head, until_left
from antiphon.frameworks.framework import Framework, FrameworkRequest, FrameworkResponse, ViewRoute
from antiphon.frameworks.recognition import error_like
from antiphon.frameworks.shared_bodies import environ_request, scope_request
from antiphon.handler.callables import (
    check_arguments,
    check_no_decorator,
    check_sync,
    describe,
    innermost,
    is_async,
    ready,
    signature_of,
)
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD, NotBegun, Steps, finish
from antiphon.handler.drive import crossing_of, driven, run_async
from antiphon.handler.errors import CHALLENGES, as_http_error, is_seen_in_debug
from antiphon.handler.failures import failed, log_failure, raises_errors
from antiphon.handler.scope import RequestLocal, release, set_current_request
from antiphon.http.authorization import is_token_of
from antiphon.http.dates import seconds_of
from antiphon.http.errors import http_error, over_limit, without_traceback
from antiphon.http.grammar import OWS, is_token, parse_or_none, split_list
from antiphon.http.head import DerivedHead, Head, PlainHead, RequestHead, server_head
from antiphon.http.header_property import read_number
from antiphon.http.limits import UNBOUNDED
from antiphon.http.urls.path import quoted_path, quoted_root
from antiphon.http.urls.url import DEFAULT_PORTS, is_this_machine, quote_path, unquote
from antiphon.lazy import absent, class_if_imported, import_on_use, lazy, missing_package, not_offered, require_names
from antiphon.paths import caller_file, path_beside
from antiphon.request.caller import arrivals, network_of, request_around
from antiphon.request.dependencies import OfRequest, RequestState, check_dependency
from antiphon.request.interfaces import language_of
from antiphon.request.readings import host_of, query_too_long, urlencoded_fields_of
from antiphon.request.shared_caches import keep_private
from antiphon.request.watching import Choice, Reads, WatchedHead, note_read, unrecorded, unwatched
from antiphon.response.fields import SharedFields
from antiphon.response.files import FileBody, OpenFile, guess_type, is_at_hand, is_for_any_thread
from antiphon.response.made import check_template_data
from antiphon.response.message import Body, watched
from antiphon.response.response import response_of
from antiphon.serialization.json import decode_json, encode_json, json_text, pointer_step
from antiphon.serialization.readers import TypeDescription, json_as, texts_of
from antiphon.serialization.signing import TimedSigner
from antiphon.serialization.types import json_schemas
from antiphon.speedups import accelerated
from antiphon.uploads.spool import Spool, Window
from antiphon.uploads.temporary_file import safe_filename
from antiphon.websockets.connection import Connection

__all__ = [
    "AT_END", "BEGIN_ON_THREAD", "CHALLENGES", "DEFAULT_PORTS", "DRAINING", "GRACE_OVER", "ON_LOOP", "ON_THREAD", "OWS",
    "RETRY_AFTER", "SAFE_METHODS", "UNBOUNDED", "Added", "Advice", "AsyncChunks", "AsyncFromSync", "AwaitedResponse",
    "BlockingBody", "BlockingChunks", "Body", "Choice", "Connection", "Content", "Crossing", "DatabaseConnection",
    "DerivedHead", "DescribedApp", "DigestError", "EnvironHost", "FeatureStore", "FileBody", "ForeignSockets",
    "FormBounds", "Framework", "FrameworkRequest", "FrameworkResponse", "Head", "Host", "KeptResponse", "KeyHandling",
    "Lifecycle", "LoopServer", "MadeHead", "MadeRequest", "MultipartParser", "NamesOurs", "NotBegun", "NotLoadedError",
    "OfRequest", "OpenFile", "PlainHead", "PlannedRoute", "Reads", "ReceivedInput", "RequestHead", "RequestLocal",
    "RequestState", "RouteKeys", "Servable", "ServedFunction", "SharedFields", "Spool", "Steps", "ThreadServer",
    "TimedSigner", "TypeDescription", "ViewRoute", "WSGIHead", "WatchedHead", "Window", "absent", "accelerated",
    "arrivals", "as_bytes", "as_http_error", "background_loop", "call_after_fork", "call_at_exit",
    "call_in_own_context", "caller_file", "check_arguments", "check_cross_site", "check_dependency", "check_digest",
    "check_handshake", "check_no_decorator", "check_numbers", "check_sync", "check_template_data", "checked_by",
    "class_if_imported", "close_accepted", "contained", "crossing_of", "decode_json", "describe", "driven",
    "encode_json", "endable", "environ_request", "error_like", "errors_name_it", "failed", "finish", "guess_type",
    "host_of", "http_error", "import_on_use", "innermost", "is_async", "is_at_hand", "is_for_any_thread", "is_on_loop",
    "is_secret_name", "is_seen_in_debug", "is_this_machine", "is_token", "is_token_of", "json_as", "json_schemas",
    "json_text", "keep_private", "language_of", "lazy", "log_failure", "make_environ", "missing_package",
    "mounted_together", "named", "network_of", "not_offered", "note_read", "over_limit", "parse_or_none",
    "parse_origin", "path_beside", "plain_head", "pointer_step", "query_too_long", "quote_path", "quoted_path",
    "quoted_root", "raises_errors", "read_number", "read_whole_form", "ready", "refuse_on_loop", "release", "render",
    "request_around", "require_names", "response_of", "run_async", "run_on", "running_loop", "safe_filename",
    "scope_request", "seconds_of", "served_names", "server_head", "serving_loop", "set_current_request", "signature_of",
    "split_list", "started_response", "store_name", "stream_of", "texts_of", "to_response", "unquote", "unrecorded",
    "until_left", "unwatched", "urlencoded_fields_of", "watched", "without_traceback",
]  # fmt: skip
