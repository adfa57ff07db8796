"""Names from other frameworks: reading one raises an AttributeError with Antiphon's name, at no other cost."""

import re
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import PathFinder
from typing import Any, NoReturn, TypeVar

from antiphon.explanations.renamed import APP_SETTINGS as RENAMED_APP_SETTINGS
from antiphon.explanations.renamed import ARGUMENTS as RENAMED_ARGUMENTS
from antiphon.explanations.renamed import NAMES as RENAMED_NAMES
from antiphon.explanations.renamed import REQUEST as RENAMED_REQUEST
from antiphon.explanations.renamed import RESPONSE as RENAMED_RESPONSE
from antiphon.explanations.renamed import ROUTE as RENAMED_ROUTE
from antiphon.explanations.renamed import ROUTES as RENAMED_ROUTES

C = TypeVar("C", bound=type)

NO_WORDS: Mapping[str, str] = {}
REQUEST = {
    **RENAMED_REQUEST,
    "GET query query_args query_params str_GET str_params": "request.args",
    "POST post str_POST": "request.form",
    "FILES": "request.files",
    "COOKIES cookies_dict str_cookies": "request.cookies",
    "META environ meta": "request.headers, and attributes such as request.ip and request.scheme",
    "client_addr client_ip remote remote_addr": "request.ip",
    "match_info matchdict path_args view_args": "request.path_params, or an argument of the handler",
    "url_args urlargs urlvars": "request.path_params, or an argument of the handler",
    "data get_data raw_body": "request.body",
    "get_json json_body media": "request.json, or request.json_as(Order)",
    "params": "request.path_params, or request.args for the query",
    "values": "request.args and request.form",
    "lang locale": "request.language.tag, after app.use(Languages(folder))",
    "__ gettext": "request.language.gettext(key)",
    "env": "env from antiphon",
    "is_json": 'request.mimetype == "application/json"',
    "context ctx state tmpl_context": "request.g, or a Dependency: request[dependency]",
    "application_url base_url host_url path_url url_root": "request.url.origin, request.url.root or request.url.path",
    "full_path path_qs": "request.url.target",
    "htmx": "HtmxRequest(request) from antiphon.features",
    "url_rule": "request.route.pattern",
    "matched_route": "request.route",
    "blueprints": "request.blueprint",
    "script_root": "request.root_path",
    "subpath traversed view_name virtual_root virtual_root_path": "request.route and request.path_params",
    "relative_url": "request.url_for(name), or urljoin of urllib.parse",
    "registry root": "request.app",
    "access_route": 'request.ip, or request.headers.getall("x-forwarded-for")',
    "accept_language": "request.accept_languages",
    "accept_mimetypes": "request.accept",
    "browser": "request.user_agent.browser, or request.user_agent.os",
    "is_xhr": 'request.x_requested_with == "XMLHttpRequest"',
    "mimetype_params": "request.content_type.parameters",
    "url_charset": "request.args, which are always read as UTF-8",
    "remote_user": "request.user, after app.use(Users(...))",
    "body_file": "request.stream",
    "dict_storage_class list_storage_class parameter_storage_class": "request.args and request.form",
    "form_data_parser_class make_form_data_parser want_form_data_parsed": "request.form, or a lazy route",
    "shallow": "a route with receive='stream'",
    "is_multiprocess is_multithread is_run_once": "code that may run in several threads and processes",
    "application": "to_app(function) from antiphon",
    "copy_get from_values": "Request.blank(url)",
    "get_response": "Client(app) from antiphon.testing",
    "back": "Response.back(request)",
    "redirect": "Response.redirect(location), or raise Redirect(location)",
    "html": "Page(template, name=value) from antiphon.features, or Response.template",
    "block": "Page(template, _block=name) from antiphon.features, or Response.template",
    "send_file": "Response.file(path)",
    "status_code": "abort(404), or return body, status",
    "csrf_input": "csrf_input(request) from antiphon.features, after app.use(CSRFTokens())",
    "csrf_token_value": "csrf_token(request) from antiphon.features, after app.use(CSRFTokens())",
    "add_background_task after background call_on_close": "request.after_response(function)",
}
RESPONSE = {
    **RENAMED_RESPONSE,
    "code status_code status_int": "response.status",
    "app_iter content data get_data iter_encoded media response set_data": "response.body",
    "charset content_type_params default_content_type media_type mimetype mimetype_params": "response.content_type",
    "background call_on_close close": "request.after_response(function)",
    "headerlist raw_headers": "response.headers",
    "unicode_body": "response.text",
    "body_file": "Response.stream(chunks)",
    "attachment_filename download_name": "Response.file(path, filename=name)",
    "direct_passthrough": "Response.file(path), which servers send themselves",
    "implicit_sequence_conversion is_sequence make_sequence": "response.is_streamed and response.freeze()",
    "cache_expires": "response.cache_for(seconds)",
    "get_etag set_etag": "response.etag",
    "conditional_response": "response.make_conditional(request)",
    "exception": "response.error",
    "force_type": "Response(body, status, headers), or response.to_framework(given) for the reverse",
    "from_app": "Client(app) from antiphon.testing",
    "get_app_iter get_wsgi_headers get_wsgi_response": "the response itself, which is an application of WSGI and ASGI",
    "get_json": "response.json",
}
RESPONSE_HEAD = {
    "status_code": "response.status",
    "mimetype": "response.content_type",
    "raw_headers": "response.headers",
}
CLIENT_RESPONSE = {
    "content data get_data": "response.body",
    "get_json": "response.json",
    "get_text": "response.text",
    "iter_bytes iter_content iter_lines": "with client.stream(method, url) as response:",
    "raise_for_status": "assert response.status == 200",
}
CLIENT_SETTINGS = {
    "raise_server_exceptions raise_app_exceptions raise_request_exception": "raise_errors",
    "use_cookies": "cookies",
    "backend backend_options": "AsyncClient(app), which uses the event loop of the test",
}
CLIENT = {
    "force_login aforce_login": "client.login(user)",
    "session_transaction": "with client.session as session:",
    "websocket_connect": "with client.websocket(url) as socket:",
    "open": "client.request(method, url)",
    "delete_cookie get_cookie set_cookie": "client.cookies, such as client.cookies.set(name, value)",
}
COOKIES = {"get_dict items values": "dict(client.cookies)"}
APP = {
    **RENAMED_ROUTES,
    "include_router register_blueprint": "app.register(blueprint)",
    "add_api_route add_route add_url_rule api_route": "app.route(pattern, methods)(function)",
    "add_middleware": "@app.middleware, or app.use(feature)",
    "debug": "antiphon run --debug",
    "add_exception_handler exception_handler exception_handlers register_error_handler": "@app.errorhandler(key)",
    "error_handler": "@app.errorhandler(key)",
    "add_event_handler before_first_request before_serving on_event": "@app.on_startup, or @app.lifespan",
    "teardown_appcontext teardown_request": "request.after_response(function)",
    "test_client": "Client(app) from antiphon.testing",
    "app_context test_request_context": "Request.blank(url)",
    "config": "a module of your own, or a lifespan: app[pool]",
    "state": "a module of your own, or a lifespan: app[pool]",
    "extensions": "app.features, or app.find_feature(Sessions)",
    "asgi_app wsgi_app": "the app itself, which every server can call",
    "add_static_files static_folder": 'app.static("/static", folder)',
    "dependencies": "app.provide(dependency, source)",
    "dependency_overrides": "with app.override(dependency, value):",
    "url_map router": "app.routes",
    "context_processor template_context_processor": "app.template_context(name=value)",
    "jinja_options template_folder": "app.use(Templates(folder))",
    "jinja_env": "templates.environment, of templates = Templates(folder)",
    "add_template_filter app_template_filter template_filter": "templates.environment.filters[name] = function",
    "add_template_global app_template_global template_global": (
        "templates.environment.globals[name] = function, or app.template_context(name=value)"
    ),
    "add_template_test app_template_test template_test": "templates.environment.tests[name] = function",
    "logger": "logging.getLogger(name)",
    "cli": "a program of your own, or a click command in the entry-point group antiphon.commands",
    "open_resource": "importlib.resources.files(package)",
    "make_response": "Response(body, status, headers), or return the value itself",
    "view_functions": "app.routes",
    "head": "@app.get, which handles HEAD, too",
}
BLUEPRINT = {
    "include_router register_blueprint": "blueprint.register(other)",
    "add_api_route add_route add_url_rule api_route": "blueprint.route(pattern, methods)(function)",
    "register_error_handler": "@blueprint.errorhandler(key)",
    "before_app_request": "@app.before_request",
    "after_app_request": "@app.after_request",
    "app_errorhandler": "@app.errorhandler(key)",
    "app_context_processor": "app.template_context(name=value)",
}
SESSION = {"permanent": "app.use(Sessions(lifetime=...)), for all sessions"}
FORM = {
    "validate_on_submit": "form.validate(), which is False unless the form was submitted",
    "hidden_tag": "form.hidden, an attribute",
    "populate_obj": "form.apply(order), which writes what was read to the object",
}
FIELD = {
    "data process_data raw_data": "field.value, the text, or form.data, the value that was read",
    "description": "field.help",
    "render_kw": "field.showing(attributes={name: value})",
}
PACKAGE = {
    "Flask FastAPI Starlette": "App",
    "APIRouter Router": "Blueprint",
    "HttpRequest": "Request",
    "Annotated": "typing.Annotated; a handler reads a dependency itself, as request[dependency]",
    "Depends": "a Dependency: app.provide(dependency, source), then request[dependency]",
    "Cookie": "request.cookies",
    "Header": "request.headers",
    "Query": "request.args, or request.args_as(Search)",
    "Body": "request.json, or request.json_as(Order)",
    "Form": "request.form, or request.form_as(Order); the Form of a page is in antiphon.features",
    "File UploadFile": "request.files",
    "session": "request.session, after app.use(Sessions(store))",
    "g": "request.g",
    "current_app": "request.app",
    "reverse reverse_lazy url_for": "request.url_for(name)",
    "flash messages": "request.flash(text), after app.use(Flash())",
    "render render_template TemplateResponse Jinja2Templates": "Page(template, name=value) from antiphon.features",
    "JSONResponse JsonResponse jsonable_encoder jsonify": (
        "Response.json(value), or return the dict, list or dataclass itself"
    ),
    "HttpResponse PlainTextResponse make_response": "Response(body, status, headers)",
    "HTMLResponse": "Response.html(text)",
    "FileResponse send_file": "Response.file(path)",
    "send_from_directory StaticFiles": "app.static(prefix, folder)",
    "StreamingHttpResponse StreamingResponse": "Response.stream(chunks), or return the generator itself",
    "EventSourceResponse": "Response.events(source)",
    "HttpResponseRedirect RedirectResponse redirect": "Response.redirect(location), or raise Redirect(location)",
    "HTTPException": "HTTPError, or abort(404)",
    "Http404 HttpResponseNotFound get_object_or_404": "abort(404)",
    "path re_path urlpatterns": "@app.get(pattern), or @app.route(pattern, methods)",
    "include": "app.register(blueprint, prefix=...)",
    "csrf_exempt": "csrf_exempt=True at the route",
    "ModelForm forms": "Form(Order, request) from antiphon.features, with a dataclass",
    "settings": "env(name, default), and the arguments of App",
    "CORSMiddleware": "app.use(CORS([origin])) from antiphon.features",
    "GZipMiddleware": "app.use(Compression()) from antiphon.features",
    "TrustedHostMiddleware": "App(trusted_hosts=[host])",
    "HTTPBearer OAuth2PasswordBearer": "Users(Bearer(loader)) from antiphon.features",
    "HTTPBasic": "Users(Basic(loader)) from antiphon.features",
    "run_in_threadpool sync_to_async": "await asyncio.to_thread(function), or a def handler, which runs on a thread",
    "BackgroundTasks": "request.after_response(function)",
    "TestClient": "Client from antiphon.testing",
    "WebSocketDisconnect": "WebSocketClosed",
    "Limiter": "RateLimit from antiphon.features",
    "get_flashed_messages": "request.flash.take(), after app.use(Flash())",
    "UserMixin": "any class: the loader of SessionLogin returns your user",
    "FlaskForm": "Form(Order, request) from antiphon.features, with a dataclass",
    "BooleanField IntegerField SelectField StringField TextAreaField": (
        "an annotated attribute of a dataclass, such as name: str, for Form(Order, request)"
    ),
    "FileField": "an attribute of a dataclass, such as picture: Upload, for Form(Order, request)",
    "DataRequired Length": "the type, such as Annotated[str, Meta(min_length=1)] of msgspec",
    "CSRFProtect": "app.use(CSRFTokens()) from antiphon.features",
    "LoginManager": "Users(SessionLogin(loader)) from antiphon.features",
    "SessionMiddleware": "Sessions from antiphon.features",
    "login_user": "login(request, user) from antiphon.features",
    "logout_user": "logout(request) from antiphon.features",
    "current_user": "request.user, after app.use(Users(...))",
    "APIView HTTPEndpoint MethodView TemplateView View views": (
        "one handler for each method: @app.get(path), @app.post(path)"
    ),
    "Path": "an argument of the handler, or request.path_params",
    "Security": "a Dependency, or Users from antiphon.features",
    "secure_filename": "upload.safe_filename",
    "status": "the number, as in return body, 201",
    "stream_with_context": "the generator itself, which keeps the request: return it",
    "responses": "Response",
    "templating": "Page(template, name=value) from antiphon.features",
    "testclient": "Client from antiphon.testing",
}
NAMES = {**RENAMED_NAMES, "antiphon.features": {**RENAMED_NAMES["antiphon.features"], "Session": "Sessions"}}
ROUTE = {
    **RENAMED_ROUTE,
    "response_model": "the handler's annotation, as in def show(request) -> Order, or gives=Order",
    "status_code": "the handler's result: return value, 201",
    "deprecated": "meta={OpenAPI.DEPRECATED: True}",
    "include_in_schema": "meta={OpenAPI.HIDDEN: True}",
    "tags": "meta={OpenAPI.TAGS: [tag]}",
    "description summary": "the handler's docstring",
    "response_class": "the handler's result: return Response.html(text)",
    "dependencies": "before=hook",
    "endpoint": "name=",
    "strict_slashes": "redirect_slashes=",
    "subdomain": "host=",
}
URL_FOR = {
    "_absolute _external _scheme": "request.url_for(name, _absolute=True)",
    "_anchor": 'url_for(name) + "#anchor"',
}
ERROR = {"code status_code": "status", "description message msg": "detail"}
MULTIDICT = {"get_list getlist": "getall(name)", "multi_items": "items()", "to_dict": "to_lists(), or dict(...)"}
"""For each class, names from other frameworks, separated by spaces, and Antiphon's."""

APP_SETTINGS = {
    **RENAMED_APP_SETTINGS,
    "secret_key": "secret_keys=[key]",
    "allowed_hosts host_matching": "trusted_hosts=[host]",
    "max_content_length request_max_body_size": "limits=Limits(body=...)",
    "title summary description version openapi_url docs_url redoc_url": "app.use(OpenAPI(title=...))",
    "cors_config": "app.use(CORS([origin]))",
    "lifespan": "@app.lifespan, on a function without parameters",
    "on_startup": "@app.on_startup",
    "on_shutdown": "@app.on_shutdown",
    "before_request": "@app.before_request",
    "after_request": "@app.after_request",
    "middleware": "@app.middleware, or app.use(feature)",
    "routes route_handlers": "@app.get(path), or app.register(blueprint)",
    "static_url_path": 'app.static("/static", folder)',
    "template_config": "app.use(Templates(folder))",
    "testing": "Client(app) from antiphon.testing",
    "permanent_session_lifetime": "app.use(Sessions(lifetime=...))",
    "session_interface": "app.use(Sessions(store))",
}
BLUEPRINT_SETTINGS = {
    "url_prefix path": "prefix",
    "subdomain": "host",
    "dependencies": "blueprint.before_request(hook), or before=hook at a route",
    "static_folder static_url_path": 'blueprint.static("/static", folder)',
    "tags": "Blueprint(name, meta={OpenAPI.TAGS: [tag]})",
    "template_folder": "blueprint.use(Templates(folder))",
}
"""Other frameworks' arguments for an app and a blueprint, besides the names above, and Antiphon's equivalents."""
ARGUMENTS: dict[str, Mapping[str, str]] = {
    "CORS.__init__": {
        "allow_origins": "CORS([origin])",
        "allow_credentials": "credentials=True",
        "allow_headers": "headers=[name]",
        "expose_headers": "expose=[name]",
        "allow_methods": "methods=[method]",
    },
    "AccessLog.__init__": {"format": "antiphon run --log-format json"},
    "Channel.__init__": {"backlog history": "max_messages=1000"},
    "Field.__init__": {
        "ge gt le lt max_length max_value min_length min_value multiple_of pattern regex": (
            "Annotated[str, msgspec.Meta(max_length=9)], with ge, gt, le, lt, min_length or pattern as needed"
        ),
        "default default_factory initial": "the default of the class's field, or Form(..., initial=value)",
        "description help_text": "help=text",
        "title": "label=text",
        "validators": "form.validate(check)",
    },
    "Health.__init__": {"endpoint path url": "live=path and ready=path"},
    "OpenAPI.__init__": {"openapi_url": "path=path", "docs_url": "docs=path", "redoc_url": "docs=path"},
    "RateLimit.__init__": {"key_func": "by=function"},
    "Response.__init__": {"media_type mimetype": "content_type="},
    "Response.redirect": {"code status_code": "status="},
    "Routes.register": {
        "url_prefix": "prefix=",
        "tags": "Blueprint(name, meta={OpenAPI.TAGS: [tag]})",
        "dependencies": "blueprint.before_request(hook)",
    },
    "SessionLogin.__init__": {"user_loader": "SessionLogin(loader)"},
    "Sessions.__init__": {
        "max_age": "lifetime=seconds",
        "secret_key": "Sessions(store): the cookie has only a random key, and nothing is signed",
        "same_site": "samesite=",
        "session_cookie": "cookie=name",
    },
    "Templates.__init__": {
        "directory": "Templates(folder)",
        "autoescape": "Templates(folder), which escapes all values that are not Markup",
        "filters": "templates.environment.filters[name] = function",
    },
    "Users.__init__": {"login_url login_view": "login=name"},
    "_SessionMessages.take": {
        "with_categories": "message.category: each message has one",
        "category_filter": "the categories themselves: get_flashed_messages('error')",
    },
    "login": {"remember": "app.use(Sessions(lifetime=...)), for all sessions"},
}
"""For each of Antiphon's functions, other frameworks' arguments, and what to write instead."""
ARGUMENTS |= {each: {**ARGUMENTS.get(each, {}), **names} for each, names in RENAMED_ARGUMENTS.items()}

TEMPLATE = {
    "current_user": "request.user",
    "g session": "request.g or request.session",
    "config": "app.template_context(name=value)",
    "csrf_token": "CSRFTokens: app.use(CSRFTokens())",
    "csrf_token_value": "csrf_token",
    "get_flashed_messages": "request.flash.take(), after app.use(Flash())",
}
"""Names that are undefined in templates here, and what to use instead."""

APP_ATTRIBUTES = (
    {word: ours for word, ours in APP.items() if word != "state"}
    | {"url_prefix": "Blueprint(name, prefix=...), or app.register(blueprint, prefix=...)"}
    | {words: f"App({ours})" if ours.partition("=")[0].isidentifier() else ours for words, ours in APP_SETTINGS.items()}
)
"""Attributes of other frameworks' apps that would have no effect here, and Antiphon's equivalents."""
REQUEST_LIMITS = {"max_body_length max_content_length max_readline": "request.limits = Limits(body=...)"}
"""Attributes that programs set on other frameworks' requests, and Antiphon's equivalents."""

# Compiled only when there is an error, since all programs import this.
_UNEXPECTED = r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'"
_IS_CALLED = r"not callable|'await' expression|be awaited"
_UNDEFINED = r"'(\w+)' is undefined"
_ABORT = "abort() missing 1 required positional argument: 'status'"
_NAMES = "args|body|cookies|files|form|headers|json|stream|text|url"
_AWAITED = r"(?<=await )([\w.]+(?:\[[^\]]*\])?\.(read|save))\("
_CALLED = rf"(?<=await )request\.(?:{_NAMES})\b|\brequest\.(?:{_NAMES})(?=\()|\b\w+\.is_valid(?=\()"


class NamesOurs(ABCMeta):
    """The metaclass of classes that have other frameworks' names, which ``dir``, ``help`` and completion leave out.

    It is an ABCMeta so that subclasses may be abstract. ``isinstance`` is as fast as for other classes.
    """

    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__

    def __dir__(cls) -> list[str]:
        return _without_others(type.__dir__(cls), cls)


class OtherWord:
    """An attribute that a class has under a different name. You can still set this name on an instance."""

    def __init__(self, word: str, ours: str) -> None:
        self._word = word
        self._ours = ours

    def __get__(self, instance: object, owner: type) -> NoReturn:
        message = f"{owner.__name__} has no {self._word!r}; use {self._ours}"
        raise AttributeError(message, name=self._word, obj=instance)


class OtherField(OtherWord):
    """An attribute that objects have under a different name. Setting it is an error, since nothing would read it."""

    def __set__(self, instance: object, value: object) -> NoReturn:
        self.__get__(instance, type(instance))


def names_ours(words: Mapping[str, str], settings: Mapping[str, str] = NO_WORDS) -> Callable[[C], C]:
    """Decorate a class of the type ``NamesOurs`` so that its errors about other frameworks' names show Antiphon's.

    Setting one of the ``settings`` is an error, too, since it would have no effect. A subclass may define such a name.
    """

    def decorate(cls: C) -> C:
        for each, kind in ((settings, OtherField), (words, OtherWord if cls.__dictoffset__ else OtherField)):
            for word, ours in _split(each).items():
                if not hasattr(cls, word) and word not in vars(cls):
                    setattr(cls, word, kind(word, ours))
        cls.__dir__ = _names_of  # type: ignore[method-assign,assignment]
        return cls

    return decorate


def _names_of(thing: object) -> list[str]:
    """Return the names that ``dir`` shows for an object, without those that only raise an error."""
    return [*{*_without_others(object.__dir__(thing), type(thing)), *getattr(thing, "__dict__", ())}]


def _without_others(names: Iterable[str], cls: type) -> list[str]:
    defined = {name: value for each in reversed(cls.__mro__) for name, value in vars(each).items()}
    return [name for name in names if not isinstance(defined.get(name), OtherWord)]


def missing_name(package: str, name: str) -> str | None:
    """Return the message for a name that a package lacks, with a fix, such as Antiphon's name; None without a fix."""
    is_unknown = package in PLACES and not name.startswith("_") and not _is_module(package, name)
    fix = _fix_of(package, name) if is_unknown else None
    return None if fix is None else f"{package} has no {name!r}; {fix}"


def _is_module(package: str, name: str) -> bool:
    """Return True if a package has a module with the given name, which an import statement loads after this error."""
    return PathFinder.find_spec(f"{package}.{name}", getattr(sys.modules[package], "__path__", [])) is not None


def _fix_of(package: str, name: str) -> str | None:
    if ours := _split({**PACKAGE, **NAMES.get(package, NO_WORDS)}).get(name):
        return f"use {ours}"
    if status := re.match(r"HTTP_(\d{3})_", name):
        return f"use the number, {status[1]}"
    if home := _home_of(name):
        return f"write `from {home} import {name}`"
    for place in (package, *_LIKELY):
        if near := _nearest(name, _names_in(place), 0.8):
            return f"did you mean `from {place} import {near}`?"
    return None


_LIKELY = ("antiphon", "antiphon.features", "antiphon.testing", "antiphon.http")
"""The packages that are searched for a misspelt name. Almost any word resembles one of the other packages' names."""
PLACES = (*_LIKELY, "antiphon.types", "antiphon.logs", "antiphon.cli", "antiphon.embedding")
"""The public packages, which are searched for a name that was imported from the wrong package."""


def _home_of(name: str) -> str | None:
    return next((place for place in PLACES if name in _names_in(place)), None)


def _names_in(package: str) -> list[str]:
    from importlib import import_module

    names: list[str] = import_module(package).__all__
    return names


def word_for(word: str, words: Mapping[str, str], known: Iterable[str]) -> str | None:
    """Return the equivalent of another framework's name, or else the known name nearest to an unknown one."""
    return _split(words).get(word) or _nearest(word, known)


def _nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, 1, cutoff)), None)


def unknown_setting(kind: type, name: str, words: Mapping[str, str]) -> str:
    """Return the message for an argument that a class doesn't have, with Antiphon's name or the nearest argument."""
    from inspect import signature

    known = [each for each in signature(kind).parameters if each not in ("others", "unknown")]
    if ours := _split(words).get(name):
        fix = f"did you mean {ours!r}?" if ours in known else f"use {ours}"
    elif near := _nearest(name, known):
        fix = f"did you mean {near!r}?"
    else:
        fix = f"it has {', '.join(known)}"
    return f"{kind.__name__} has no argument {name!r}; {fix}"


def _split(words: Mapping[str, str]) -> dict[str, str]:
    return {word: ours for several, ours in words.items() for word in several.split()}


def explain(error: BaseException) -> None:
    """Add a note to an error caused by another framework's name."""
    if type(error).__name__ == "UndefinedError":  # of Jinja, which may not be installed
        _explain_undefined(error)
    if not isinstance(error, TypeError):
        return
    if unexpected := re.match(_UNEXPECTED, str(error)):
        _explain_argument(error, unexpected[1], unexpected[2])
    elif str(error) == _ABORT:
        error.add_note("The status comes first, without a name: abort(404)")
    elif "'BoundField' object is not callable" in str(error):
        error.add_note('A field is shown with attributes by field.showing(attributes={"class": "wide"})')
    elif re.search(_IS_CALLED, str(error)):
        _explain_call(error, _failed_line(error))


def _explain_undefined(error: BaseException) -> None:
    """Add a note to the error for a name that a template doesn't have."""
    found = re.fullmatch(_UNDEFINED, str(error))
    if found and (ours := _split(TEMPLATE).get(found[1])):
        error.add_note(f"Instead of {found[1]!r}, use {ours}")


def _explain_argument(error: TypeError, function: str, name: str) -> None:
    """Add a note to the error for an argument that a function doesn't have."""
    owner, _, maker = function.rpartition(".")
    is_response = owner == "Response"
    words = {**(RESPONSE if is_response else NO_WORDS), **ARGUMENTS.get(function, NO_WORDS)}
    if ours := _split(words).get(name):
        note = f"Instead of {name!r}, use {ours}"
        if note not in getattr(error, "__notes__", ()):  # a feature's error already has it
            error.add_note(note)
    elif is_response and (near := _near_argument(maker, name)) and "Did you mean" not in str(error):
        error.add_note(f"Did you mean {near!r}?")  # Python has said so since 3.13


def _explain_call(error: TypeError, line: str) -> None:
    """Add a note to the error for a line that calls a non-callable or awaits a non-awaitable."""
    if found := re.search(_AWAITED, line):
        error.add_note(f"{found[1]}() is not awaited: leave out the await, or write .a{found[2]}()")
    elif found := re.search(_CALLED, line):
        error.add_note(f"{found[0]} is an attribute, not a method: leave out the () and the await")


def _near_argument(maker: str, name: str) -> str | None:
    """Return the argument of a response-making function that is nearest to an unknown argument."""
    from importlib import import_module
    from inspect import signature

    return _nearest(name, signature(getattr(import_module("antiphon").Response, maker)).parameters)


def _failed_line(error: Any) -> str:
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    return (frames[-1].line or "") if frames else ""
