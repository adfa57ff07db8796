"""An app with metrics, which answers with the process that it is, and counts visits itself."""

import os

from antiphon import App
from antiphon.features import Metrics

metrics = Metrics("/metrics")
visits = metrics.counter("shop_visits", "Visits, as the handler counts them.", ["by"])
present = metrics.gauge("shop_present", "Processes that have counted a visit, and live.")
app = App()
app.use(metrics)


@app.get("/visits/<name>")
def visit(request, name):
    visits.add(by=name)
    present.set(1)
    return str(os.getpid())


@app.get("/stream")
def stream(request):
    while True:
        yield b"tick" * 1000
