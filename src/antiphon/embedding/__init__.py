"""The layer below the application: hosts for other frameworks, and the building blocks of such hosts.

This is provisional: until 1.0, a minor version may change names here, and the changelog describes how. Applications
don't need these names.
"""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(
    __name__,
    {
        "adapters.foreign.environ_host": "AT_END EnvironHost ReceivedInput",
        "adapters.foreign.host": "Host",
        "adapters.foreign.wsgi": "call_in_own_context make_environ restarting started_response",
        "adapters.servable": "Lifecycle Servable",
        "app.served_function": "ServedFunction",
        "adapters.servers.embedded": "LoopServer ThreadServer let_threads_end",
        "adapters.connection": "BACKLOG close_accepted",
        "adapters.wsgi": "WSGIHead",
        "explanations": "Advice",
        "app.conversations.foreign_sockets": "ForeignSockets environ_sockets",
        "app.conversations.conversation": "on_own_thread",
        "app.dispatch.returns": "to_response",
        "app.planning.cross_site": "SAFE_METHODS check_handshake_site",
        "app.planning.request_checks": "check_handshake",
        "app.static_files": "served_names",
        "body.content": "Content NotLoadedError",
        "body.form_data": "FormBounds",
        "body.multipart": "MultipartLimits MultipartParser PartData UNUSABLE_BOUNDARY parse_boundary read_whole_form",
        "body.part_head": "IncompleteForm PartHead",
        "concurrency.background": "run_on run_on_loop",
        "concurrency.bridge": "AsyncFromSync",
        "concurrency.crossing": "Crossing CrossingBack copy_variables",
        "concurrency.iterables": "as_bytes",
        "concurrency.loop": "is_on_loop",
        "adapters.foreign.call": "BlockingBody",
        "frameworks.connection": "plain_head until_left",
        "frameworks.framework": "ALL_METHODS Framework FrameworkResponse FrameworkRequest ViewRoute own_limits",
        "frameworks.recognition": "error_like",
        "frameworks.shared_bodies": "environ_request read_request scope_request",
        "handler.scope": "RequestLocal find_current_request release reset_current_request set_current_request",
        "handler.contract": (
            "BEGIN_ON_THREAD NotBegun ON_LOOP ON_THREAD Steps annotations_of describe failed finish innermost "
            "is_async log_failure signature_of"
        ),
        "handler.drive": "crossing_of driven run_async",
        "handler.errors": "as_http_error",
        "http.grammar": "OWS split_list",
        "http.head": "DerivedHead Head RequestHead server_head",
        "http.limits": "UNBOUNDED",
        "lazy": "absent lazy not_offered",
        "features.logs.formats": "one_line",
        "features.openapi.code.words": "DescribedApp DescribedRoute",
        "request.readings": "query_fields_of query_too_long urlencoded_fields_of",
        "response.fields": "only_typed",
        "response.files": "FileBody OpenFile guess_type",
        "response.response": "json_encoder response_of",
        "serialization.json": "decode_json encode_json json_text",
        "serialization.signing": "TimedSigner to_base64",
        "features.templates.environment": "DictEnvironment render",
        "features.templates.page": "astream_of stream_of",
        "uploads.saving": "safe_filename",
        "uploads.spool": "Spool Window",
        "websockets.connection": "Connection",
    },
)
