"""Handlers that wait behind three middlewares, and tell what has become of them: the status, then their own words."""

import asyncio

from antiphon import App

app = App(cross_site_writes=True)
told = []
go = asyncio.Event()
"""What handlers wait for that nobody cancels."""


@app.middleware
async def outer(request):
    response = yield
    if request.path.startswith("/wait"):
        told.append(f"{request.method} {response.status}")


@app.middleware
def middle(request):
    yield


@app.middleware(errors_at_yield=True)
async def inner(request):
    yield


async def wait(request):
    told.append(f"{request.method} waits")
    try:
        await go.wait()
    finally:
        told.append(f"{request.method} ends")
    return "done"


app.route("/wait", methods=["GET", "HEAD", "POST"])(wait)
app.route("/wait/cancelled", methods=["POST"], cancel_on_disconnect=True)(wait)
app.route("/wait/on", methods=["GET"], cancel_on_disconnect=False)(wait)


@app.get("/wait/def")
def asks(request):
    import time

    told.append("def waits")
    while not request.lifetime.is_client_gone:
        time.sleep(0.005)
    told.append("def ends")
    return "gone"


@app.get("/wait/shielded")
async def shielded(request):
    told.append("GET waits")
    with request.lifetime.shield():
        while not request.lifetime.is_client_gone:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.005)
        told.append("is shielded")
    await asyncio.sleep(60)


@app.get("/go")
async def let_go(request) -> None:
    go.set()


@app.get("/told")
async def tell(request):
    return told


@app.get("/clear")
async def clear(request) -> None:
    told.clear()
    go.clear()
