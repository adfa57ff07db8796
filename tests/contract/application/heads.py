"""Handlers that answer with what they read of the request's head."""

from antiphon import App, Request
from tests.contract.application.registration import def_and_async


def register(app: App) -> None:
    _register_target(app)
    _register_fields(app)


def _register_target(app: App) -> None:
    @def_and_async(app, "/about", ("GET", "POST"))
    def about(request: Request) -> dict[str, object]:
        return {
            "method": request.method, "path": request.path,
            "query": request.query_string.decode("latin-1"),
            "scheme": request.scheme, "host": request.host, "port": request.port, "root_path": request.root_path,
            "http_version": request.http_version, "url": request.url, "is_secure": request.is_secure,
            "endpoint": request.endpoint,
        }  # fmt: skip

    @def_and_async(app, "/client")
    def client(request: Request) -> dict[str, object]:
        known = request.client
        return {"host": known and known.host, "ip": request.ip}

    @def_and_async(app, "/client/port")
    def client_port(request: Request) -> dict[str, object]:
        return {"type": type(request.client and request.client.port).__name__}

    @def_and_async(app, "/raw/<name>")
    def raw(request: Request) -> dict[str, object]:
        path = request.raw_path
        return {"raw_path": None if path is None else path.decode("latin-1")}

    @def_and_async(app, "/path/<name>")
    def path(request: Request) -> dict[str, object]:
        return {"name": request.path_params["name"], "path": request.path}

    @def_and_async(app, "/number/<int:number>")
    def number(request: Request) -> dict[str, object]:
        return {"number": request.path_params["number"]}


def _register_fields(app: App) -> None:
    @def_and_async(app, "/field/<name>")
    def field(request: Request) -> dict[str, object]:
        name = request.path_params["name"]
        return {"value": request.headers.get(name), "elements": request.headers.getall(name)}

    @def_and_async(app, "/elements/<name>")
    def elements(request: Request) -> list[str]:
        return request.headers.getall(request.path_params["name"])

    @def_and_async(app, "/fields")
    def fields(request: Request) -> list[tuple[str, str]]:
        return [(name, value) for name, value in request.headers.items() if name.startswith("x")]

    @def_and_async(app, "/cookies")
    def cookies(request: Request) -> list[tuple[str, str]]:
        return list(request.cookies.items())

    @def_and_async(app, "/accept")
    def accept(request: Request) -> dict[str, object]:
        return {
            "type": request.accept.best(["application/json", "text/html"]),
            "language": request.accept_languages.best(["de", "en"]),
        }
