"""Programs for both packages. Each takes a package, and returns an application."""

from functools import partial

from tests.dialects.exchanges import error_of


def text(p, *parts):
    return p.response.Response(" ".join(map(str, parts)), content_type="text/plain")


def shown(request, *names):
    return {name: repr(getattr(request, name)) for name in names}


class Node(dict):
    def __init__(self, name="", parent=None):
        super().__init__()
        self.__name__, self.__parent__ = name, parent

    def child(self, name):
        self[name] = made = type(self)(name, self)
        return made

    def __repr__(self):
        return f"<node {self.__name__}>"


class Leaf:
    __name__ = "leaf"

    def __init__(self, parent):
        self.__parent__ = parent

    def __repr__(self):
        return "<leaf>"


def tree(request):
    root = Node()
    child = root.child("a").child("b")
    child["leaf"] = Leaf(child)
    return root


def routes(p):
    config = p.configurator()
    view = lambda request: {"route": request.matched_route.name, "match": request.matchdict}  # noqa: E731
    for name, pattern, options in [
        ("first", "/first", {}),
        ("literal", "/things/new", {}),
        ("number", r"/things/{id:\d+}", {}),
        ("nested", r"/things/{id:\d{4}}-{slug}", {}),
        ("word", "/things/{id}", {"request_method": "GET"}),
        ("posted", "/things/{id}", {"request_method": ("POST", "PUT")}),
        ("old", "/old/:one/:two", {}),
        ("rest", "/files/*path", {}),
        ("dotted", "/file.{ext}", {}),
        ("param", "/search", {"request_param": "q"}),
        ("valued", "/search", {"request_param": "kind=book"}),
        ("header", "/head", {"header": "X-Own"}),
        ("headed", "/head", {"header": r"X-Num:\d+$"}),
        ("xhr", "/xhr", {"xhr": True}),
        ("path", "/p/{x}", {"path_info": r"/p/[a-f]"}),
        ("accept", "/accept", {"accept": "text/csv"}),
        ("accepts", "/accept", {"accept": ["text/html", "application/json"]}),
        ("noslash", "relative", {}),
        ("unicode", "/stra\xdfe/{caf\xe9}", {}),
        ("static", "http://cdn.example.com/{x}", {}),
    ]:
        config.add_route(name, pattern, **options)
        if name != "static":
            config.add_view(view, route_name=name, renderer="json")
    return config.make_wsgi_app()


ROUTES = [
    "/first", "/first/", "/things/new", "/things/12", "/things/2024-x", "/things/abc", "/things/a/b",
    ("/things/abc", {"POST": b"x"}), ("/things/abc", {"method": "PUT"}), ("/things/abc", {"method": "DELETE"}),
    ("/things/x", {"method": "HEAD"}), "/old/1/2", "/files/", "/files/a/b/../c//d", "/files", "/file.txt",
    "/search?q=1", "/search?kind=book", "/search?kind=film", "/search", ("/head", {"headers": {"X-Own": ""}}),
    ("/head", {"headers": {"X-Num": "12"}}), ("/head", {"headers": {"X-Num": "1x"}}), "/xhr",
    ("/xhr", {"headers": {"X-Requested-With": "XMLHttpRequest"}}), "/p/a", "/p/z",
    ("/accept", {"headers": {"Accept": "text/csv"}}), ("/accept", {"headers": {"Accept": "application/*"}}),
    ("/accept", {"headers": {"Accept": "image/png"}}), "/accept", "/relative", "/stra%C3%9Fe/caf%C3%A9", "/bad%FF",
    "/http://cdn.example.com/x",
]  # fmt: skip


def predicates(p):
    not_ = p.config.not_
    config = p.configurator()
    config.add_route("r", "/r/{kind}/{id}")
    config.add_route("accepting", "/a/{kind}/{id}")
    config.add_route("custom", "/custom")

    class Even:
        def __init__(self, val, info):
            self.val = val

        def text(self):
            return f"even = {self.val}"

        phash = text

        def __call__(self, context, request):
            return (int(request.matchdict["id"]) % 2 == 0) is self.val

    config.add_view_predicate("even", Even)
    for name, options in {
        "plain": {},
        "post": {"request_method": "POST"},
        "not_get": {"request_method": not_(("GET", "POST"))},
        "param": {"request_param": "q"},
        "params": {"request_param": ("q", "r=2")},
        "post_param": {"request_method": "POST", "request_param": "q"},
        "xhr": {"xhr": True},
        "header": {"header": "X-Own:a"},
        "html": {"accept": "text/html"},
        "json": {"accept": "application/json"},
        "json_post": {"accept": "application/json", "request_method": "POST"},
        "matched": {"match_param": "kind=book"},
        "matched_two": {"match_param": ("kind=book", "id=1")},
        "even": {"even": True, "match_param": "kind=number"},
    }.items():
        view, route = partial(lambda name, request: text(p, name), name), "accepting" if "accept" in options else "r"
        config.add_view(view, route_name=route, **options)
    config.add_view(lambda request: text(p, "any"), route_name="accepting")
    config.add_view(lambda request: text(p, "only"), route_name="custom", request_method="POST", request_param="q")
    return config.make_wsgi_app()


PREDICATES = [
    "/a/x/1", "/r/x/1", ("/r/x/1", {"POST": b""}), ("/r/x/1", {"method": "DELETE"}), "/r/x/1?q=1", "/r/x/1?q=1&r=2",
    ("/r/x/1?q=1", {"POST": b""}), ("/r/x/1", {"headers": {"X-Requested-With": "XMLHttpRequest"}}),
    ("/r/x/1", {"headers": {"X-Own": "abc"}}), ("/a/x/1", {"headers": {"Accept": "application/json"}}),
    ("/a/x/1", {"headers": {"Accept": "text/html, application/json"}}),
    ("/a/x/1", {"headers": {"Accept": "text/html;q=0.5, application/json"}, "POST": b""}),
    ("/a/x/1", {"headers": {"Accept": "image/png"}}), "/r/book/1", "/r/book/2", "/r/number/2", "/r/number/3",
    "/custom", ("/custom", {"POST": b""}), ("/custom?q=1", {"POST": b""}),
]  # fmt: skip


def traversal(p):
    config = p.configurator(root_factory=tree)

    def view(context, request):
        names = (
            "context", "root", "subpath", "traversed", "view_name", "virtual_root", "virtual_root_path", "matchdict",
        )  # fmt: skip
        return shown(request, *names)

    config.add_view(view, renderer="json")
    config.add_view(view, name="edit", renderer="json")
    config.add_view(lambda context, request: text(p, "leaf"), context=Leaf)
    config.add_view(lambda context, request: text(p, "contained"), context=Leaf, name="in", containment=Node)
    config.add_view(lambda context, request: text(p, "here"), name="here", physical_path="/a/b")
    config.add_view(lambda context, request: text(p, "node"), name="typed", context=Node)
    config.add_view(lambda context, request: text(p, "any"), name="typed")
    config.add_route("hybrid", "/hybrid/{x}/*traverse", factory=tree)
    config.add_view(view, route_name="hybrid", renderer="json")
    config.add_view(view, route_name="hybrid", name="edit", renderer="json")
    config.add_route("traversed", "/t/{x}/{y}", traverse="/{x}/{y}")
    config.add_view(view, route_name="traversed", renderer="json")
    config.add_route("sub", "/sub/*subpath")
    config.add_view(view, route_name="sub", renderer="json")
    config.add_route("global", "/global/*traverse", use_global_views=True)
    return config.make_wsgi_app()


VHM = {"environ": {"HTTP_X_VHM_ROOT": "/a"}}
TRAVERSAL = [
    "/", "/a", "/a/b", "/a/b/leaf", "/a/b/leaf/in", "/a/b/leaf/none", "/a/edit/x/y", "/a/@@edit/x", "/a/b/here",
    "/a/here", "/a/typed", "/a/b/leaf/typed", "/missing", "/a/../a/./b", "/hybrid/1/a/b", "/hybrid/1/a/edit/s/t",
    "/t/a/b", "/t/a/c", "/sub/x/y", "/sub/", "/global/a/edit/z", ("/b", VHM), ("/", VHM),
    "/a/%C3%A9", "/%FF",
]  # fmt: skip


def exceptions(p):
    x = p.httpexceptions

    class Own(Exception):
        pass

    class Narrow(Own):
        pass

    def raising(error):
        def view(request):
            raise error

        return view

    config = p.configurator()
    for name, error in {
        "own": Own("own"), "narrow": Narrow("narrow"), "value": ValueError("value"), "key": KeyError("key"),
        "http": x.HTTPNotFound("detail <b>"), "gone": x.HTTPGone(comment="a -- b"), "found": x.HTTPFound("/there?a=b"),
        "teapot": x.HTTPImATeapot(), "method": x.HTTPMethodNotAllowed("m"), "forbidden": x.HTTPForbidden("f"),
        "empty": x.HTTPNoContent(), "not_modified": x.HTTPNotModified(),
        "conflict": x.HTTPConflict(headers={"X-A": "b"}),
        "template": x.HTTPBadRequest(
            body_template="<b>${explanation}</b>${br}${PATH_INFO}${br}${x-a}", headers={"X-A": "<i>"}
        ),
        "formatted": x.HTTPBadRequest("d", json_formatter=lambda **kw: {"keys": sorted(kw), "status": kw["status"]}),
        "body": x.HTTPBadRequest(body=b"own", content_type="text/x-own"),
        "server": x.HTTPInternalServerError(), "see": x.HTTPSeeOther(location="http://a.example/b"),
    }.items():  # fmt: skip
        config.add_route(name, f"/{name}")
        config.add_view(raising(error), route_name=name)
    config.add_route("returned", "/returned")
    config.add_view(lambda request: x.HTTPAccepted("later"), route_name="returned")
    config.add_exception_view(lambda exc, request: text(p, "own", exc, request.exception is exc), context=Own)
    config.add_view(lambda exc, request: text(p, "narrow", exc), context=Narrow, route_name="narrow")
    config.add_view(lambda exc, request: text(p, "key", request.exc_info[0].__name__), context=KeyError)
    config.add_forbidden_view(lambda request: text(p, "no"))
    return config.make_wsgi_app()


ACCEPTS = [{"headers": {"Accept": accept}} for accept in ("text/html", "application/json", "text/plain", "*/*")]
EXCEPTIONS = [
    "/own", "/narrow", "/value", "/key", "/empty", "/not_modified", "/found", "/see", "/returned", "/forbidden",
    "/body", "/nowhere", ("/http", {"method": "HEAD"}),
    *[(f"/{name}", accept) for accept in ACCEPTS
      for name in ("http", "gone", "teapot", "method", "conflict", "template", "formatted", "server")],
]  # fmt: skip


def notfound(p, append_slash=True, **options):
    config = p.configurator()
    config.add_route("slashed", "/slashed/")
    config.add_view(lambda request: text(p, "slashed"), route_name="slashed")
    config.add_notfound_view(lambda request: text(p, "none", request.path), append_slash=append_slash, **options)
    return config.make_wsgi_app()


def notfound_by_class(p):
    return notfound(p, append_slash=p.httpexceptions.HTTPMovedPermanently)


def notfound_without_view(p):
    config = p.configurator()
    config.add_route("slashed", "/slashed/")
    config.add_view(lambda request: text(p, "slashed"), route_name="slashed")
    config.add_notfound_view(append_slash=True)
    return config.make_wsgi_app()


NOTFOUND = ["/slashed", "/slashed/", "/slashed?a=b", "/other", "/other/"]


def urls(p):
    config = p.configurator(root_factory=tree)
    config.add_route("one", "/one/{a}/{b}")
    config.add_route("rest", "/rest/*rest")
    config.add_route("cdn", "https://cdn.example.com:8443/{x}")
    config.add_route("relative_cdn", "//cdn.example.com/{x}")
    config.add_route("bare", "/bare", pregenerator=lambda request, elements, kw: ((*elements, "pre"), kw))
    config.add_route("uni", "/\xe9/{x}")
    config.add_route("here", "/here/{name}")

    def view(request):
        node = request.root["a"]["b"]
        calls = [
            lambda: request.route_url("one", a=1, b="x y/z"),
            lambda: request.route_url("one", "el em", "\xe9", a="\xe9", b="~!$&'()*+,;=:@"),
            lambda: request.route_path("one", a=1, b=2, _query={"q": ["1", "2"], "r": None, "s": "a b&c"}),
            lambda: request.route_url("one", a=1, b=2, _query="a=b c", _anchor="top \xe9"),
            lambda: request.route_url("one", a=1, b=2, _scheme="https"),
            lambda: request.route_url("one", a=1, b=2, _host="other:90", _port=91),
            lambda: request.route_url("one", a=1, b=2, _app_url="http://x.example/app"),
            lambda: request.route_url("one", a=1),
            lambda: request.route_url("missing"),
            lambda: request.route_url("rest", rest=("a b", "c/d")),
            lambda: request.route_url("rest", rest="a b/c"),
            lambda: request.route_url("cdn", x=1),
            lambda: request.route_url("cdn", x=1, _scheme="http"),
            lambda: request.route_path("cdn", x=1),
            lambda: request.route_url("relative_cdn", x=1),
            lambda: request.route_url("bare", "x"),
            lambda: request.route_url("uni", x="\xfc"),
            lambda: request.current_route_url(*()),
            lambda: request.current_route_url(name="other", _query=()),
            lambda: request.current_route_path("x", _route_name="bare"),
            lambda: request.resource_url(node),
            lambda: request.resource_url(node, "edit", "x y", query={"a": "1"}, anchor="f"),
            lambda: request.resource_path(node),
            lambda: request.resource_url(node, route_name="rest", route_remainder_name="rest"),
            lambda: request.resource_url(request.root, scheme="https", host="h", port="1"),
            lambda: request.static_url("some:file.css"),
            lambda: p.url.route_url("one", request, a=1, b=2),
            lambda: p.url.resource_url(node, request, "e"),
            lambda: p.url.current_route_path(request),
        ]  # fmt: skip
        return [error_of(call) for call in calls]

    config.add_view(view, route_name="here", renderer="json")
    return config.make_wsgi_app()


URLS = [
    "/here/me?a=b&a=c", ("/here/me", {"base_url": "https://x.example/app"}),
    ("/here/me", {"base_url": "http://x.example:8080/%C3%A9"}), ("/here/me", {"environ": {"HTTP_X_VHM_ROOT": "/a"}}),
]  # fmt: skip


def around(p):
    """Tweens, events, callbacks, subrequests and methods of requests, which all note that they were called."""
    config = p.configurator(settings={"own": "1"})
    noted = []

    def note(word, value=None):
        noted.append(word)
        return value

    modules = {"outer": "outer", "inner": "inner"}
    for name in modules:

        def factory(handler, registry, name=name):
            def tween(request):
                note(f"{name}>{request.path}")
                try:
                    response = handler(request)
                except Exception as error:
                    note(f"{name}!{type(error).__name__}")
                    raise
                return note(f"<{name}{response.status_int}", response)

            return tween

        globals()[f"{name}_tween"] = factory
    here = __name__
    config.add_tween(f"{here}.outer_tween", over=p.tweens.EXCVIEW)
    config.add_tween(f"{here}.inner_tween", under=p.tweens.EXCVIEW)
    for event in ("NewRequest", "BeforeTraversal", "ContextFound", "NewResponse", "ApplicationCreated"):
        config.add_subscriber(lambda event: note(type(event).__name__), getattr(p.events, event))
    config.add_request_method(lambda request, x: f"method {x}", "own")
    config.add_request_method(lambda request: note("reified", 1), "once", reify=True)
    config.add_request_method(lambda request: note("property", 2), "always", property=True)

    def view(request):
        request.add_response_callback(lambda request, response: note("response callback"))
        request.add_finished_callback(lambda request: note("finished callback"))
        request.response.status = 203
        request.response.headers["X-Own"] = request.own(3)
        request.set_property(lambda request: note("set", 5), "mine", reify=True)
        return {"values": [request.once, request.once, request.always, request.always, request.mine, request.mine]}

    def sub(request):
        inner = p.request.Request.blank("/fails" if "fails" in request.GET else "/view")
        response = request.invoke_subrequest(inner, use_tweens="tweens" in request.GET)
        return text(p, "sub", response.status, p.threadlocal.get_current_request() is request)

    def fails(request):
        note("fails")
        raise KeyError("failed")

    def caught(request):
        try:
            raise KeyError("inner")
        except KeyError:
            return request.invoke_exception_view()

    for each in (view, sub, fails, caught):
        config.add_route(each.__name__, f"/{each.__name__}")
        config.add_view(each, route_name=each.__name__, renderer="json")
    config.add_route("noted", "/noted")
    config.add_view(lambda request: [noted[:], noted.clear()][0], route_name="noted", renderer="json")
    config.add_exception_view(lambda error, request: text(p, "handled", error), context=KeyError)
    return config.make_wsgi_app()


AROUND = [
    "/view", "/noted", "/sub", "/noted", "/sub?tweens", "/noted", "/sub?fails", "/noted", "/sub?fails&tweens", "/noted",
    "/fails", "/noted", "/caught", "/noted", "/missing", "/noted",
]  # fmt: skip


def derived(p):
    config = p.configurator()
    noted = []

    def deriver(name):
        def derive(view, info):
            if not info.options.get(name):
                return view

            def wrapped(context, request):
                response = view(context, request)
                response.headers.add("X-Derived", f"{name}={info.options[name]}")
                return response

            return wrapped

        derive.options = (name,)
        return derive

    config.add_view_deriver(deriver("outer"), "outer", under=p.viewderivers.INGRESS)
    config.add_view_deriver(deriver("plain"), "plain")
    config.add_view_deriver(deriver("inside"), "inside", under="rendered_view", over=p.viewderivers.VIEW)

    def decorator(word):
        def decorate(view):
            def wrapped(context, request):
                noted.append(word)
                response = view(context, request)
                response.headers.add("X-Decorated", word)
                return response

            return wrapped

        return decorate

    ok = lambda request: text(p, "ok")  # noqa: E731
    for name, options in {
        "none": {},
        "outer": {"outer": 1, "plain": 2},
        "inside": {"inside": 3},
        "decorated": {"decorator": decorator("one")},
        "decorated_twice": {"decorator": (decorator("first"), decorator("second"))},
        "cached": {"http_cache": 3600},
        "cached_more": {"http_cache": (10, {"public": True})},
        "wrapped": {"wrapper": "around"},
    }.items():
        config.add_view(ok, name=name, **options)
    config.add_view(lambda context, request: text(p, "around", request.wrapped_body), name="around")
    config.add_view(lambda context, request: {"a": request.response.status_int}, name="json", renderer="json")
    config.add_view(lambda request: None, name="nothing")
    config.add_view(lambda request: {}, name="dictionary")
    config.add_view(renderer="json", name="viewless")

    class Special:
        pass

    config.add_response_adapter(lambda special: text(p, "adapted"), Special)
    config.add_view(lambda request: Special(), name="special")
    config.add_view(lambda request: Special(), name="special_rendered", renderer="json")
    return config.make_wsgi_app()


DERIVED = [
    "/none", "/outer", "/inside", "/decorated", "/decorated_twice", "/wrapped", "/json", "/viewless", "/special",
    "/special_rendered",
]  # fmt: skip


def views_of_kinds(p):
    config = p.configurator()
    Response = p.response.Response

    class OfBoth:
        def __init__(self, context, request):
            self.context, self.request = context, request

        def __call__(self):
            return text(p, type(self.context).__name__, self.request.view_name)

        def method(self):
            return text(p, "method")

    class Callable:
        def __call__(self, request):
            return text(p, "object")

        def both(self, context, request):
            return text(p, "both", type(context).__name__)

        def one(self, request):
            return text(p, "one")

    @p.view.view_defaults(request_method="POST", renderer="json")
    class WithDefaults:
        def __init__(self, request):
            self.request = request

        def __call__(self):
            return {"a": 1}

        def get(self):
            return {"a": 2}

    for name, view, options in [
        ("both", OfBoth, {}), ("method", OfBoth, {"attr": "method"}), ("object", Callable(), {}),
        ("bound", Callable().both, {}), ("bound_one", Callable().one, {}), ("attr", Callable(), {"attr": "both"}),
        ("attr_one", Callable(), {"attr": "one"}), ("two", lambda context, request: Response("two"), {}),
        ("defaults", lambda request, x=1: Response(f"default {x}"), {}),
        ("partial", partial(lambda x, request: Response(x), "p"), {}),
        ("class_defaults", WithDefaults, {}), ("class_get", WithDefaults, {"attr": "get", "request_method": "GET"}),
    ]:  # fmt: skip
        config.add_view(view, name=name, **options)
    return config.make_wsgi_app()


KINDS = [
    "/both", "/method", "/object", "/bound", "/bound_one", "/attr", "/attr_one", "/two", "/defaults", "/partial",
    "/class_defaults", ("/class_defaults", {"POST": b""}), "/class_get",
]  # fmt: skip


def included(p):
    config = p.configurator()

    def inner(config):
        config.add_route("inner", "/inner")
        config.add_route("empty", "", inherit_slash=True)
        config.add_view(lambda request: text(p, request.route_path("inner")), route_name="inner")
        config.add_view(lambda request: text(p, "empty"), route_name="empty")
        config.add_view(lambda request: text(p, "replaced"), name="home")
        config.include(deepest, route_prefix="deep")
        config.noted("x")

    def deepest(config):
        config.add_route("deepest", "/deepest")
        config.add_view(lambda request: text(p, request.path), route_name="deepest")

    config.add_directive("noted", lambda config, word: config.add_settings(word=word))
    config.add_view(lambda request: text(p, "home"), name="home")
    config.include(inner, route_prefix="/pre/")
    config.include(inner, route_prefix="/again")
    with config.route_prefix_context("context"):
        config.add_route("in_context", "x")
    config.add_view(lambda request: text(p, request.registry.settings["word"]), route_name="in_context")
    return config.make_wsgi_app()


INCLUDED = ["/pre/inner", "/pre", "/pre/", "/pre/deep/deepest", "/again/inner", "/home", "/context/x"]


def secured(p):
    class Policy:
        def identity(self, request):
            return request.GET.get("user")

        def authenticated_userid(self, request):
            return self.identity(request)

        def permits(self, request, context, permission):
            allowed = request.GET.get("may") == permission
            return (p.security.Allowed if allowed else p.security.Denied)(
                "%s for %s", permission, request.GET.get("user")
            )

        def remember(self, request, userid, **kw):
            return [("X-User", userid)]

        def forget(self, request, **kw):
            return [("X-User", "")]

    config = p.configurator(security_policy=Policy(), default_permission="view")
    config.add_view(lambda request: text(p, "default"), name="default")
    config.add_view(lambda request: text(p, "edit"), name="edit", permission="edit")
    config.add_view(lambda request: text(p, "open"), name="open", permission=p.security.NO_PERMISSION_REQUIRED)
    config.add_view(lambda request: text(p, "multi post"), name="multi", permission="post", request_method="POST")
    config.add_view(lambda request: text(p, "multi get"), name="multi", permission="get", request_method="GET")
    config.add_view(lambda request: text(p, "known"), name="known", is_authenticated=True, permission="view")
    config.add_view(
        lambda request: text(p, bool(request.has_permission("edit")), request.identity, request.is_authenticated,
                             request.authenticated_userid,
                             p.security.remember(request, "u"), p.security.forget(request),
                             bool(p.security.view_execution_permitted(request.context, request, "edit")),
                             p.view.render_view(request.context, request, "edit", secure=False)),
        name="asked", permission=p.security.NO_PERMISSION_REQUIRED,
    )  # fmt: skip
    config.add_forbidden_view(lambda exc, request: text(p, "forbidden", exc.result))
    return config.make_wsgi_app()


SECURED = [
    "/default", "/default?may=view", "/edit?may=view", "/edit?may=edit&user=me", "/open", "/multi?may=get",
    "/multi?may=post", ("/multi?may=post", {"POST": b""}), "/known?user=a&may=view", "/known?may=view",
    "/asked?user=me", "/asked?may=edit",
]  # fmt: skip
