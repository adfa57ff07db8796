"""Sessions in the file that ``STORE`` names. The store is used while this is imported, before a server may fork."""

import os
import signal
import time

from antiphon import App
from antiphon.features import Sessions, SQLiteStore

store = SQLiteStore(os.environ["STORE"])
store.increment("imports", ttl=1000)
app = App()
app.use(Sessions(store))


@app.get("/visit/<name>")
def visit(request, name):
    request.session[name] = os.getpid()
    time.sleep(0.02)  # other workers take other requests meanwhile
    return dict(request.session)


@app.get("/die/<name>")
def die(request, name):
    request.session[name] = "never written"
    os.kill(os.getpid(), signal.SIGKILL)
