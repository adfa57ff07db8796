"""An application whose users are named by a proxy on this machine, and by a stranger's header elsewhere."""

from antiphon import App, Request
from antiphon.features import Users, UserSource


class ByProxy(UserSource[str]):
    header = "X-Remote-User"

    def credentials(self, request: Request) -> tuple[str] | None:
        name = request.headers.get("x-remote-user")
        return None if name is None else (name,)


def application(proxy: str) -> App:
    app = App(trusted_proxies=[proxy])
    app.use(Users(ByProxy(str)))
    app.get("/")(lambda request: {"user": request.user})
    return app


app = application("127.0.0.1")
behind_another = application("192.0.2.7")
