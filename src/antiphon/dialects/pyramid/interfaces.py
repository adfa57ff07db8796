"""The zope.interface interfaces that Pyramid's programs register, look up and declare."""

from typing import Any

from zope.interface import Attribute, Interface
from zope.interface.interface import InterfaceClass

PHASE0_CONFIG = -30
"""The configuration order before all others."""
PHASE1_CONFIG = -20
"""The configuration order for what others need: renderers, policies and predicates."""
PHASE2_CONFIG = -10
"""The configuration order for routes."""
PHASE3_CONFIG = 0
"""The configuration order for views, and the default."""

VH_ROOT_KEY = "HTTP_X_VHM_ROOT"
"""The environ key for the virtual root's path."""


def _interface(name: str, doc: str, *bases: Any, has: str = "", **methods: Any) -> Any:
    """Return an interface with the attributes listed in ``has`` and with methods, given as functions."""
    members: dict[str, Any] = {attribute: Attribute(attribute) for attribute in has.split()}
    return InterfaceClass(name, bases or (Interface,), {**members, **methods}, doc, __name__)


# Events

IContextFound = _interface("IContextFound", "Sent when a request's context is found.", has="request")
IAfterTraversal = IContextFound
IBeforeTraversal = _interface("IBeforeTraversal", "Sent when a request's route is matched.", has="request")
INewRequest = _interface("INewRequest", "Sent when a request has arrived.", has="request")
INewResponse = _interface("INewResponse", "Sent when a view has returned a response.", has="request response")
IApplicationCreated = _interface("IApplicationCreated", "Sent when an application has been made.", has="app")
IWSGIApplicationCreatedEvent = IApplicationCreated

# Requests and responses

IResponse = _interface(
    "IResponse",
    "A response, with the attributes of WebOb's response.",
    has="""RequestClass accept_ranges age allow app_iter authenticated_userid body body_file cache_control
        cache_expires charset content_disposition content_encoding content_language content_length content_location
        content_md5 content_range content_type content_type_params date environ etag expires headerlist headers
        identity is_authenticated last_modified location pragma request retry_after server status status_int
        unicode_body vary www_authenticate""",
    __call__=lambda environ, start_response: None,
    app_iter_range=lambda start, stop: None,
    conditional_response_app=lambda environ, start_response: None,
    copy=lambda: None,
    delete_cookie=lambda name, path="/", domain=None: None,
    encode_content=lambda encoding="gzip", lazy=False: None,
    md5_etag=lambda body=None, set_content_md5=False: None,
    merge_cookies=lambda resp: None,
    set_cookie=lambda name, value="", max_age=None, path="/", domain=None, secure=False, httponly=False, comment=None, expires=None, overwrite=False: (  # noqa: E501
        None
    ),
    unset_cookie=lambda name, strict=True: None,
)
IException = _interface("IException", "An exception.")
IExceptionResponse = _interface(
    "IExceptionResponse", "An exception that is a response.", IException, IResponse, prepare=lambda environ: None
)
IRequest = _interface("IRequest", "A request.")
IRequest.combined = IRequest  # needed to look up exception views
IRequestExtensions = _interface(
    "IRequestExtensions", "The additions to all requests, by name.", has="descriptors methods"
)
IRouteRequest = _interface("IRouteRequest", "The interface of the requests of one route, registered by its name.")
IRequestFactory = _interface(
    "IRequestFactory", "Makes requests.", __call__=lambda environ: None, blank=lambda path: None
)
IResponseFactory = _interface("IResponseFactory", "Makes responses.", __call__=lambda request: None)

# Dictionaries

IDict = _interface(
    "IDict",
    "A dictionary.",
    __contains__=lambda k: None,
    __setitem__=lambda k, value: None,
    __delitem__=lambda k: None,
    __getitem__=lambda k: None,
    __iter__=lambda: None,
    get=lambda k, default=None: None,
    items=lambda: None,
    keys=lambda: None,
    values=lambda: None,
    pop=lambda k, default=None: None,
    popitem=lambda: None,
    setdefault=lambda k, default=None: None,
    update=lambda d: None,
    clear=lambda: None,
)
IMultiDict = _interface(
    "IMultiDict",
    "A dictionary with several values for a key.",
    IDict,
    add=lambda key, value: None,
    dict_of_lists=lambda: None,
    extend=lambda other=None, **kwargs: None,
    getall=lambda key: None,
    getone=lambda key: None,
    mixed=lambda: None,
)
ISettings = _interface("ISettings", "An application's settings.", IDict)

# Renderers

IBeforeRender = _interface("IBeforeRender", "Sent when a renderer is about to be called.", IDict, has="rendering_val")
IRendererInfo = _interface(
    "IRendererInfo", "Information about a renderer.", has="name package type registry settings", clone=lambda: None
)
IRendererFactory = _interface("IRendererFactory", "Makes renderers.", __call__=lambda info: None)
IRenderer = _interface("IRenderer", "Converts a view's value to text or bytes.", __call__=lambda value, system: None)
IJSONAdapter = _interface("IJSONAdapter", "Converts an object to a value that JSON supports.")

# Views

IViewMapper = _interface("IViewMapper", "Makes a view of an object.", __call__=lambda self, object: None)  # noqa: A006
IViewMapperFactory = _interface("IViewMapperFactory", "Makes view mappers.", __call__=lambda self, **kw: None)
IViewClassifier = _interface("IViewClassifier", "Marks registered views.")
IExceptionViewClassifier = _interface("IExceptionViewClassifier", "Marks registered exception views.")
IView = _interface("IView", "A view.", __call__=lambda context, request: None)
ISecuredView = _interface(
    "ISecuredView",
    "A view with a permission.",
    IView,
    __call_permissive__=lambda context, request: None,
    __permitted__=lambda context, request: None,
)
IMultiView = _interface(
    "IMultiView",
    "Several views. Predicates choose among them.",
    ISecuredView,
    add=lambda view, predicates, order, accept=None, phash=None: None,
)
IViewPermission = _interface("IViewPermission", "Checks a view's permission.", __call__=lambda context, request: None)
IViewDeriver = _interface(
    "IViewDeriver", "Makes a view from another view.", has="options", __call__=lambda view, info: None
)
IViewDeriverInfo = _interface(
    "IViewDeriverInfo",
    "Information about a view, for derivers.",
    has="registry package settings options predicates original_view exception_only",
)
IViewDerivers = _interface("IViewDerivers", "All derivers.")
IAcceptOrder = _interface("IAcceptOrder", "The order of media types that clients accept equally.")
IPredicateList = _interface("IPredicateList", "The predicates of one kind.")
IPredicateInfo = _interface(
    "IPredicateInfo",
    "Information about the application, for predicates.",
    has="package registry settings",
    maybe_dotted=lambda value: None,
)
IPredicateFactory = _interface("IPredicateFactory", "Makes predicates.", __call__=lambda value, info: None)
IPredicate = _interface("IPredicate", "A condition.", text=lambda: None, phash=lambda: None)
IRoutePredicate = _interface(
    "IRoutePredicate", "A condition of a route.", IPredicate, __call__=lambda info, request: None
)
ISubscriberPredicate = _interface(
    "ISubscriberPredicate", "A condition of a subscriber.", IPredicate, __call__=lambda *args: None
)
IViewPredicate = _interface(
    "IViewPredicate", "A condition of a view.", IPredicate, __call__=lambda context, request: None
)

# Security

ISecurityPolicy = _interface(
    "ISecurityPolicy",
    "Decides who makes a request and what they may do.",
    identity=lambda request: None,
    authenticated_userid=lambda request: None,
    permits=lambda request, context, permission: None,
    remember=lambda request, userid, **kw: None,
    forget=lambda request, **kw: None,
)
IAuthenticationPolicy = _interface(
    "IAuthenticationPolicy",
    "Decides who makes a request, as before Pyramid 2.0.",
    authenticated_userid=lambda request: None,
    unauthenticated_userid=lambda request: None,
    effective_principals=lambda request: None,
    remember=lambda request, userid, **kw: None,
    forget=lambda request: None,
)
IAuthorizationPolicy = _interface(
    "IAuthorizationPolicy",
    "Decides what is permitted, as before Pyramid 2.0.",
    permits=lambda context, principals, permission: None,
    principals_allowed_by_permission=lambda context, permission: None,
)
IDefaultPermission = _interface("IDefaultPermission", "The permission for views that specify none.")
IDefaultCSRFOptions = _interface(
    "IDefaultCSRFOptions",
    "The options for CSRF protection.",
    has="require_csrf token header safe_methods callback allow_no_origin check_origin",
)
ICSRFStoragePolicy = _interface(
    "ICSRFStoragePolicy",
    "The storage for CSRF tokens.",
    new_csrf_token=lambda request: None,
    get_csrf_token=lambda request: None,
    check_csrf_token=lambda request, token: None,
)
ISessionFactory = _interface("ISessionFactory", "Makes sessions.", __call__=lambda request: None)
ISession = _interface(
    "ISession",
    "A visitor's session.",
    IDict,
    has="created new",
    invalidate=lambda: None,
    changed=lambda: None,
    flash=lambda msg, queue="", allow_duplicate=True: None,
    pop_flash=lambda queue="": None,
    peek_flash=lambda queue="": None,
)

# Traversal and routes

IRootFactory = _interface("IRootFactory", "Makes the root for a request.", __call__=lambda request: None)
IDefaultRootFactory = _interface(
    "IDefaultRootFactory", "Makes the root if no other factory is set.", __call__=lambda request: None
)
ITraverser = _interface("ITraverser", "Finds the context of a request.", __call__=lambda request: None)
ITraverserFactory = ITraverser
ILocation = _interface("ILocation", "A location in a tree.", has="__parent__ __name__")
IResourceURL = _interface(
    "IResourceURL", "The path of a resource.", has="virtual_path physical_path virtual_path_tuple physical_path_tuple"
)
IRoutePregenerator = _interface(
    "IRoutePregenerator", "Changes the values for a route's URL.", __call__=lambda request, elements, kw: None
)
IRoute = _interface(
    "IRoute",
    "A route.",
    has="name pattern factory predicates pregenerator",
    match=lambda path: None,
    generate=lambda kw: None,
)
IRoutesMapper = _interface(
    "IRoutesMapper",
    "All routes.",
    get_routes=lambda: None,
    has_routes=lambda: None,
    get_route=lambda name: None,
    connect=lambda name, pattern, factory=None, predicates=(), pregenerator=None, static=True: None,
    generate=lambda name, kw: None,
    __call__=lambda request: None,
)
IStaticURLInfo = _interface(
    "IStaticURLInfo",
    "The URLs of static files.",
    add=lambda config, name, spec, **extra: None,
    generate=lambda path, request, **kw: None,
    add_cache_buster=lambda config, spec, cache_buster: None,
)
ICacheBuster = _interface(
    "ICacheBuster", "Changes a file's URL when its contents change.", __call__=lambda request, subpath, kw: None
)

# The application

IRouter = _interface(
    "IRouter",
    "The application.",
    has="registry",
    request_context=lambda environ: None,
    invoke_request=lambda request: None,
)
IExecutionPolicy = _interface(
    "IExecutionPolicy", "Makes a response from an environ.", __call__=lambda environ, router: None
)
ITweens = _interface("ITweens", "All tweens.")
IRequestHandler = _interface("IRequestHandler", "The outermost tween.", __call__=lambda self, request: None)
IDebugLogger = _interface("IDebugLogger", "An application's logger.")
ILogger = IDebugLogger

# Assets and translations

IPEP302Loader = _interface(
    "IPEP302Loader",
    "A loader of modules (PEP 302).",
    get_data=lambda path: None,
    is_package=lambda fullname: None,
    get_code=lambda fullname: None,
    get_source=lambda fullname: None,
    get_filename=lambda fullname: None,
)
IPackageOverrides = _interface(
    "IPackageOverrides", "Files that override a package's files.", IPEP302Loader, get_spec=lambda resource_name: None
)
IAssetDescriptor = _interface(
    "IAssetDescriptor",
    "A file, or a directory.",
    absspec=lambda: None,
    abspath=lambda: None,
    stream=lambda: None,
    isdir=lambda: None,
    listdir=lambda: None,
    exists=lambda: None,
)
ILocalizer = _interface("ILocalizer", "Translates messages.")
ILocaleNegotiator = _interface("ILocaleNegotiator", "Finds a request's locale.", __call__=lambda request: None)
ITranslationDirectories = _interface("ITranslationDirectories", "The directories with translations.")

# Introspection

IIntrospector = _interface(
    "IIntrospector",
    "A record of everything that the configuration has done.",
    get=lambda category_name, discriminator, default=None: None,
    get_category=lambda category_name, default=None, sort_key=None: None,
    categories=lambda: None,
    categorized=lambda sort_key=None: None,
    remove=lambda category_name, discriminator: None,
    related=lambda intr: None,
    add=lambda intr: None,
    relate=lambda *pairs: None,
    unrelate=lambda *pairs: None,
)
IIntrospectable = _interface(
    "IIntrospectable",
    "An entry in the record of the configuration.",
    has="title type_name order category_name discriminator discriminator_hash action_info",
    relate=lambda category_name, discriminator: None,
    unrelate=lambda category_name, discriminator: None,
    register=lambda introspector, action_info: None,
    __hash__=lambda: None,
)
IActionInfo = _interface(
    "IActionInfo", "The location of a configuration statement.", has="file line", __str__=lambda: None
)
