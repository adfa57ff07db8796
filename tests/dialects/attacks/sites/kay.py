"""The site on Kay's names."""

from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import redirect
from antiphon.dialects.kay.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.middleware.shared_data import SharedDataMiddleware
from tests.dialects.attacks.sites.common import fail, make_files, smuggle, told, werkzeug_views

text, shared = werkzeug_views(Response)


def tell(request):
    return text(
        told(
            method=request.method, path=request.path, host=request.host, url=request.url, scheme=request.scheme,
            root=request.script_root, ip=request.remote_addr, names=[*request.args], cookies=[*request.cookies],
            authorization=request.authorization, accept=request.accept_mimetypes.best,
            languages=request.accept_languages.best, tags=request.if_none_match,
            since=request.if_modified_since, forwarded=request.access_route, control=request.cache_control,
        )
    )  # fmt: skip


VIEWS = {
    "hello": lambda request: text("hello"),
    "told": tell,
    "smuggled": lambda request: text(smuggle(request.method)),
    "read": lambda request: text(len(request.data)),
    "redirect": lambda request: redirect(request.args["to"]),
    "back": lambda request: redirect(request.referrer or "/"),
    "fail": lambda request: fail(),
    **shared,
}


def site(package, folder):
    static = make_files(folder)
    posts = {"read", "form"}
    rules = [
        Rule(f"/{name}", endpoint=name, view=view, methods=["POST"] if name in posts else None)
        for name, view in VIEWS.items()
    ]
    slash = Rule("/slash/", endpoint="slash", view=VIEWS["hello"])
    named = Rule("/named/<path:name>/", endpoint="named", view=lambda request, name: text("named"))
    return SharedDataMiddleware(KayApp({}, [ViewGroup(*rules, slash, named)]), {"/static": str(static)})
