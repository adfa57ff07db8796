"""A user without rights who uses an app with sessions in a file: at first, and again when a line was read."""

import json
import os
import sys

from antiphon import App
from antiphon.features import Sessions, SQLiteStore
from antiphon.testing import Client

NOBODY = 65534


def use(path):
    """Return the statuses of a page without a session, one that reads a session, and one that writes one."""
    app = App()
    store = SQLiteStore(path, timeout=0.2)
    app.use(Sessions(store))
    app.get("/plain")(lambda request: "plain")
    app.get("/read")(lambda request: repr(request.session.get("a")))

    @app.get("/write")
    def write(request):
        request.session["a"] = 1
        return "written"

    with Client(app, "asgi", cookies={"host-session": "key"}) as client:
        statuses = [client.get(target).status for target in ("/plain", "/read", "/write")]
    store.close()
    return statuses


def main(path, warm_up):
    use(warm_up)  # what is imported late may be out of reach later
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(*[NOBODY] * 3)
        os.setresuid(*[NOBODY] * 3)
    for _ in range(2):
        sys.stdout.write(f"{json.dumps(use(path))}\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    main(*sys.argv[1:])
