"""Applications in an application: their routes below a prefix, their hooks for all or for themselves."""

from microdot import Microdot

app, customers, orders, deep = Microdot(), Microdot(), Microdot(), Microdot()


def mark(app, name):
    @app.before_request
    async def before(request):
        request.g.trail = [*getattr(request.g, "trail", []), name]

    @app.after_request
    def after(request, response):
        response.headers["X-Trail"] = response.headers.get("X-Trail", "") + f"/{name}"


for each, name in ((app, "app"), (customers, "customers"), (orders, "orders"), (deep, "deep")):
    mark(each, name)


@app.get("/")
async def index(request):
    return request.g.trail


@customers.get("/")
async def list_customers(request):
    return [*request.g.trail, request.url_prefix, request.subapp is customers, request.app is app]


@customers.get("/<int:number>")
async def customer(request, number):
    return {"id": number}


@orders.get("/<int:number>/fail")
def fail(request, number):
    raise ValueError(number)


@orders.get("/<int:number>")
def order(request, number):
    return [*request.g.trail, request.url_prefix]


@orders.errorhandler(ValueError)
def failed(request, exception):
    return f"order {exception} failed", 500


@orders.errorhandler(404)
def no_order(request):
    return "no order", 404


@deep.get("/")
async def at_the_bottom(request):
    return [*request.g.trail, request.url_prefix]


orders.mount(deep, "/deep")
app.mount(customers, url_prefix="/customers")
app.mount(orders, url_prefix="/orders", local=True)

REQUESTS = [
    ("GET", path)
    for path in (
        "/",
        "/customers/",
        "/customers",
        "/customers/7",
        "/orders/8",
        "/orders/8/fail",
        "/orders/deep/",
        "/orders/none",
        "/x",
    )
]
