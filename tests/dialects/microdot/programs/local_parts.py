"""Applications within applications that keep to themselves, down to the methods that they do not have."""

from microdot import Microdot, abort

app, shop, cart = Microdot(), Microdot(), Microdot()


def keep_to_itself(part, name):
    @part.before_request
    async def before(request):
        request.g.trail = [*getattr(request.g, "trail", []), name]

    @part.after_request
    async def after(request, response):
        response.headers[f"X-{name}"] = f"{'/'.join(request.g.trail)} at {request.url_prefix or 'the root'}"

    @part.after_error_request
    def after_error(request, response):
        response.headers[f"X-{name}-Error"] = str(response.status_code)

    @part.errorhandler(405)
    def no_method(request):
        return f"{name} has no {request.method}", 405

    @part.errorhandler(KeyError)
    async def missing(request, exception):
        return f"{name} has no {exception}", 404


@cart.get("/items/<int:number>")
async def item(request, number):
    return [number, request.url_prefix, request.subapp is cart]


@cart.route("/items", methods=["get", "delete"])
def items(request):
    return request.g.trail


@cart.get("/missing")
async def missing(request):
    raise KeyError("lamp")


@shop.get("/closed")
async def closed(request):
    abort(503, "closed")


@shop.post("/either")
async def shop_either(request):
    return "shop"


@app.get("/shop/either")
async def app_either(request):
    return "app"


for part, name in ((app, "app"), (shop, "shop"), (cart, "cart")):
    keep_to_itself(part, name)
shop.mount(cart, "/cart", local=True)
app.mount(shop, "/shop", local=True)


@app.get("/<path:anything>")
async def otherwise(request, anything):
    return f"otherwise {anything}"


PATHS = ("/shop/cart/items/7", "/shop/cart/items", "/shop/cart/missing", "/shop/closed", "/shop/either", "/nowhere")
REQUESTS = [(method, path) for path in PATHS for method in ("GET", "POST", "DELETE")]
REQUESTS += [("PUT", "/shop/either"), ("OPTIONS", "/nowhere")]
