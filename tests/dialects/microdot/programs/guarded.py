"""Routes for those who say who they are, and pages of other sites that may ask."""

from microdot import Microdot
from microdot.auth import BasicAuth, TokenAuth
from microdot.cors import CORS

app = Microdot()
basic, token, key = BasicAuth(realm="Shop"), TokenAuth(), TokenAuth(header="X-Key", error_status=403)
CORS(
    app,
    allowed_origins=["https://shop.example"],
    allow_credentials=True,
    expose_headers=["X-Total"],
    allowed_methods=["GET", "PUT"],
    allowed_headers=["X-Key", "Content-Type"],
    max_age=60,
)


@basic.authenticate
async def check(request, username, password):
    return username if password == "secret:1" else None


@token.authenticate
def check_token(request, token):
    return {"t0ken": "ada"}.get(token)


@key.authenticate
async def check_key(request, key):
    return key == "k"


@token.errorhandler
def unknown(request):
    return "unknown", 401, {"X-Why": "token"}


@app.get("/basic")
@basic
def with_password(request):
    return request.g.current_user


@app.get("/token")
@token
async def with_token(request):
    return request.g.current_user


@app.get("/optional/<int:n>")
@token.optional
async def optional(request, n):
    return [n, request.g.current_user]


@app.get("/key")
@key
def with_key(request):
    return "key"


ASK = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
REQUESTS = [
    ("GET", "/basic"),
    ("GET", "/basic", {"Authorization": "Basic YWRhOnNlY3JldDox"}),
    ("GET", "/basic", {"Authorization": "Basic YWRhOndyb25n"}),
    ("GET", "/basic", {"Authorization": "Basic !"}), ("GET", "/token", {"Authorization": "Bearer t0ken"}),
    ("GET", "/token", {"Authorization": "bearer  t0ken"}), ("GET", "/token", {"Authorization": "Basic t0ken"}),
    ("GET", "/token"), ("GET", "/optional/3"),
    ("GET", "/optional/3", {"Authorization": "Bearer t0ken"}),
    ("GET", "/optional/3", {"Authorization": "Bearer no"}),
    ("GET", "/key", {"X-Key": "k"}), ("GET", "/key", {"X-Key": "no"}),
    ("GET", "/key", {"X-Key": "k", "Origin": "https://shop.example"}),
    ("GET", "/key", {"X-Key": "k", "Origin": "https://evil.example"}),
    ("GET", "/none", {"Origin": "https://shop.example"}),
    ("OPTIONS", "/key", {**ASK, "Access-Control-Request-Headers": "X-Key, X-Other"}),
    ("OPTIONS", "/key", {**ASK, "Access-Control-Request-Method": "DELETE"}),
    ("OPTIONS", "/key", {**ASK, "Origin": "https://evil.example"}),
]  # fmt: skip
