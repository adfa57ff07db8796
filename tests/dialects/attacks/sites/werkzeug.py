"""The site on Werkzeug's names."""

from tests.dialects.attacks.sites.common import fail, loader, make_files, smuggle, told, werkzeug_views
from tests.dialects.attacks.sites.flask import ProxiedPart


def site(package, folder):
    static = make_files(folder)
    load = loader(package)
    wrappers, utils = load("werkzeug.wrappers"), load("werkzeug.utils")
    routing = load("werkzeug.routing")
    local = load("werkzeug.local").Local()
    text, shared = werkzeug_views(wrappers.Response)

    def tell(request):
        return text(
            told(
                method=request.method, path=request.path, host=request.host, url=request.url, scheme=request.scheme,
                root=request.root_path, ip=request.remote_addr, names=[*request.args], cookies=[*request.cookies],
                authorization=request.authorization, accept=request.accept_mimetypes.best,
                languages=request.accept_languages.best, range=request.range, tags=request.if_none_match,
                since=request.if_modified_since, forwarded=request.access_route, control=request.cache_control,
            )
        )  # fmt: skip

    def download(request):
        path = str(static / "page.txt")
        return utils.send_file(path, request.environ, as_attachment=True, download_name=request.args["name"])

    def sent_file(request):
        return utils.send_from_directory(str(static), request.args["name"], request.environ)

    def login(request):
        local.user = request.args["user"]
        return text("welcome")

    views = {
        "hello": lambda request: text("hello"),
        "told": tell,
        "proxied": tell,
        "smuggled": lambda request: text(smuggle(request.method)),
        "read": lambda request: text(len(request.get_data())),
        "json": lambda request: text(type(request.get_json(force=True)).__name__),
        "redirect": lambda request: utils.redirect(request.args["to"]),
        "back": lambda request: utils.redirect(request.referrer or "/"),
        "fail": lambda request: fail(),
        "whoami": lambda request: text(f"None {getattr(local, 'user', None)}"),
        "download": download, "file": sent_file, "login": login, **shared,
    }  # fmt: skip
    posts = {"read", "form", "json"}
    rules = [routing.Rule(f"/{name}", endpoint=name, methods=["POST"] if name in posts else None) for name in views]
    slash = [routing.Rule("/slash/", endpoint="hello"), routing.Rule("/named/<path:name>/", endpoint="hello")]
    url_map = routing.Map(rules + slash)

    @wrappers.Request.application
    def application(request):
        endpoint, _ = url_map.bind_to_environ(request.environ).match()
        return views[endpoint](request)

    released = load("werkzeug.local").LocalManager([local]).make_middleware(application)
    shared = load("werkzeug.middleware.shared_data").SharedDataMiddleware(released, {"/static": str(static)})
    fixed = load("werkzeug.middleware.proxy_fix").ProxyFix(shared, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)
    return ProxiedPart(shared, fixed)
