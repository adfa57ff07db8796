"""Writes that only the site's own pages may make, and those that it lists."""

from microdot import Microdot
from microdot.cors import CORS
from microdot.csrf import CSRF

app, shop = Microdot(), Microdot()
csrf = CSRF(app, CORS(allowed_origins=["https://shop.example:8443"]), allow_subdomains=True)


@app.get("/")
async def index(request):
    return "read"


@app.route("/write", methods=["POST", "PUT", "QUERY"])
def write(request):
    return "written"


@app.post("/exempt/<int:n>")
@csrf.exempt
async def exempt(request, n):
    return [n]


@app.get("/count")
@csrf.protect
async def count(request):
    return "counted"


@shop.post("/")
def order(request):
    return "ordered", 201


app.mount(shop, url_prefix="/orders")


def from_site(site, origin=None):
    return {"Sec-Fetch-Site": site, **({"Origin": origin} if origin else {})}


LISTED = "https://shop.example:8443"
REQUESTS = [
    ("GET", "/", from_site("cross-site")),
    ("POST", "/write"),
    *[("POST", "/write", from_site(site)) for site in ("same-origin", "same-site", "cross-site", "none", "other")],
    *[("POST", "/write", from_site("cross-site", origin)) for origin in (LISTED, "https://evil.example")],
    *[
        ("POST", "/write", {"Origin": origin})
        for origin in (LISTED, "https://a.b.shop.example:8443", "http://a.shop.example:8443", "https://ashop.example")
    ],
    ("PUT", "/write", from_site("cross-site")),
    ("QUERY", "/write", from_site("cross-site")),
    ("OPTIONS", "/write", from_site("cross-site")),
    ("POST", "/none", from_site("cross-site")),
    ("POST", "/exempt/3", from_site("cross-site")),
    ("GET", "/count", from_site("cross-site")),
    ("GET", "/count", from_site("same-origin")),
    ("HEAD", "/count", from_site("cross-site")),
    ("POST", "/orders/", from_site("cross-site")),
    ("POST", "/orders/", from_site("same-site")),
]
