"""Programs with a planted fault, each of a kind of its own: what is sent to them, and how the fault is mended."""

import gzip
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """A fault: the code of the application, the faulty part of it and the mended one, and the request that shows it."""

    name: str
    code: str
    faulty: str
    mended: str
    url: str = "/"
    method: str = "POST"
    options: dict[str, Any] = {}  # noqa: RUF012 - of a tuple
    interface: str = "asgi"
    messages: tuple[str | bytes, ...] = ()
    dialect: str = ""
    session: dict[str, Any] | None = None
    user: str = ""
    time: float = 0.0

    @property
    def program(self) -> str:
        """The source of the faulty program."""
        return _heads[self.dialect] + self.code.replace("FAULT", self.faulty)

    @property
    def mended_program(self) -> str:
        """The source of the program without the fault."""
        return _heads[self.dialect] + self.code.replace("FAULT", self.mended)


_NATIVE = """\
from datetime import datetime, UTC
from dataclasses import dataclass
from antiphon import *
from antiphon.features import *
from antiphon.request.dependencies import Dependency

app = App(secret_keys=["0123456789abcdef0123456789abcdef"])
keep = Recorder(SQLiteStore("kept.db"), slower=0.3, statuses={409})
app.use(keep)
"""
_FLASK = """\
from antiphon.dialects.flask import Flask, request, session
from antiphon.features import Recorder, SQLiteStore

app = Flask("shop", static_folder=None)
app.secret_key = "0123456789abcdef0123456789abcdef"
keep = Recorder(SQLiteStore("kept.db"))
keep.install(app)
"""
_PYRAMID = """\
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response
from antiphon.features import Recorder, SQLiteStore

def serve(view):
    with Configurator() as config:
        config.add_route("it", "/it")
        config.add_view(view, route_name="it")
        return config.make_wsgi_app()

keep = Recorder(SQLiteStore("kept.db"), secret_keys=["0123456789abcdef0123456789abcdef"])
"""
_MICRODOT = """\
from antiphon.dialects.microdot import Microdot
from antiphon.features import Recorder, SQLiteStore

app = Microdot()
keep = Recorder(SQLiteStore("kept.db"), secret_keys=["0123456789abcdef0123456789abcdef"])
keep.install(app)
"""
_heads = {"": _NATIVE, "flask": _FLASK, "pyramid": _PYRAMID, "microdot": _MICRODOT}


def of_handler(
    name: str, faulty: str, mended: str, before: str = "", lead: str = "", *, is_async: bool = False, **options: Any
) -> Fault:
    """Return a fault in what a handler returns; with code before the handler, and a statement that leads to it."""
    method, color = options.get("method", "POST").lower(), "async " if is_async else ""
    body = f"    {lead}\n" * bool(lead) + "    return {'found': FAULT}"
    return Fault(
        name, f"{before}\n@app.{method}('/')\n{color}def respond(request):\n{body}\n", faulty, mended, **options
    )


FAULTS = [
    Fault(
        "JSON of a type",
        """
@dataclass
class Order:
    item: str
    amount: int = 1

@app.post('/')
def order(request):
    order = request.json_as(Order)
    return {'cost': FAULT}
""",
        "{'tea': 2}[order.item]",
        "{'tea': 2}.get(order.item, 0)",
        options={"json": {"item": "milk", "amount": 3}},
    ),
    of_handler(
        "a form",
        "int(request.form['days'].split('/')[1])",
        "(request.form['days'].split('/') + ['0'])[1]",
        options={"form": {"days": "7", "name": "Zoë & Co"}},
    ),
    Fault(
        "JSON in another encoding",
        """
@app.post('/')
def name(request):
    return request.body.FAULT
""",
        "decode('ascii')",
        "decode('utf-16')",
        options={"body": '{"name": "Zoë"}'.encode("utf-16"), "content_type": "application/json"},
    ),
    of_handler(
        "a binary upload",
        "1000 // (len(data) - 48)",
        "1000 // (len(data) or 1)",
        lead="data = request.files['picture'].read()",
        is_async=True,
        options={"files": {"picture": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(40)), "image/png")}},
    ),
    of_handler(
        "a query",
        "100 // page",
        "100 // max(1, page)",
        lead="page = request.args.get('page', 1, type=int)",
        url="/?page=0&q=a%20b%26c",
        method="GET",
    ),
    Fault(
        "a path that is percent-encoded",
        """
@app.get('/files/<path:name>')
def find(request, name):
    return FAULT
""",
        "name.rsplit('.', 1)[1]",
        "name.rpartition('.')[2]",
        url="/files/a%20b/%C3%A9t%C3%A9",
        method="GET",
    ),
    of_handler(
        "a cookie",
        "['x'][len(request.cookies['theme'])]",
        "len(request.cookies['theme'])",
        method="GET",
        options={"cookies": {"theme": "dark"}},
    ),
    of_handler(
        "a session",
        "request.session['cart'][0]",
        "(request.session['cart'] or [None])[0]",
        before="app.use(Sessions(MemoryStore()))\n",
        method="GET",
        session={"cart": []},
    ),
    Fault(
        "a user",
        """
app.use(Sessions(MemoryStore()))

@dataclass
class User:
    id: str
    email: str = ''

def make_user(key):
    return User(key)

app.use(Users(SessionLogin(make_user)))

@app.get('/', before=login_required)
def me(request):
    return {'domain': FAULT}
""",
        "request.user.email.split('@')[1]",
        "request.user.email.partition('@')[2]",
        method="GET",
        user="7",
    ),
    of_handler(
        "a time",
        "str(now.replace(year=now.year + 1))",
        "str(now.replace(year=now.year + 1, day=1))",
        lead="now = datetime.now(UTC)",
        method="GET",
        time=1709208000.0,
    ),
    of_handler(
        "a dependency",
        "12 / request[Rate]",
        "12 / (request[Rate] or 1)",
        before="Rate = Dependency[float]('rate', recorded=True)\n"
        "app.provide(Rate, lambda request: float(request.headers.get('x-test', '1')))\n",
        method="GET",
        options={"headers": {"x-test": "0"}},
    ),
    of_handler(
        "a body with a content coding",
        "request.json[3]",
        "request.json[-1]",
        options={
            "body": gzip.compress(b"[1, 2, 3]"),
            "headers": {"content-encoding": "gzip", "content-type": "application/json"},
        },
    ),
    of_handler(
        "WSGI",
        "request.json['items'][0]",
        "[*request.json['items'], None][0]",
        options={"json": {"items": []}},
        interface="wsgi",
    ),
    Fault(
        "RSGI",
        """
@app.put('/things/<int:id>')
async def change(request, id):
    return {'part': FAULT}
""",
        "1 // id",
        "1 // (id or 1)",
        url="/things/0",
        method="PUT",
        options={"json": {"a": 1}},
        interface="rsgi",
    ),
    Fault(
        "a stream",
        """
@app.get('/')
async def rows(request):
    async def made():
        yield 'a'
        for each in request.args.getall('n'):
            yield str(FAULT)
    return made()
""",
        "1 // int(each)",
        "1 // (int(each) or 1)",
        url="/?n=1&n=0",
        method="GET",
    ),
    Fault(
        "an application that is mounted",
        """
shop = App()

@shop.post('/buy')
def buy(request):
    return {'left': FAULT}

app.mount('/shop', shop)
""",
        "[1, 2][request.json['n']]",
        "request.json['n']",
        url="/shop/buy",
        options={"json": {"n": 5}},
    ),
    Fault(
        "a WSGI application that is mounted",
        """
def old(environ, start_response):
    size = FAULT
    start_response('200 OK', [('content-type', 'text/plain')])
    return [b'x' * size]

app.mount('/old', old)
""",
        "int(environ['QUERY_STRING'])",
        "len(environ['QUERY_STRING'])",
        url="/old/page?abc",
        method="GET",
    ),
    Fault(
        "a WebSocket",
        """
@app.websocket('/chat')
async def chat(request, socket):
    async for message in socket:
        await socket.send(str(FAULT))
""",
        "10 // int(message)",
        "10 // (int(message) or 1)",
        url="/chat",
        messages=("5", "2", "0"),
    ),
    Fault(
        "Flask",
        """
@app.post('/it')
def it():
    return {'first': FAULT}
""",
        "request.form['names'].split(',')[1]",
        "request.form['names'].split(',')[0]",
        url="/it",
        options={"form": {"names": "a"}},
        dialect="flask",
    ),
    Fault(
        "Pyramid",
        """
def view(request):
    return Response(str(FAULT))

app = serve(view)
keep.install(app)
""",
        "1 // int(request.params['n'])",
        "1 // (int(request.params['n']) or 1)",
        url="/it?n=0",
        method="GET",
        dialect="pyramid",
    ),
    Fault(
        "Microdot",
        """
@app.post('/it')
async def it(request):
    return {'a': FAULT}
""",
        "request.json['a'][0]",
        "request.json['a']",
        url="/it",
        options={"json": {"a": ""}},
        dialect="microdot",
    ),
    Fault(
        "a status",
        """
@app.post('/')
def book(request):
    if FAULT:
        abort(409)
    return {'ok': True}
""",
        "request.json['seat'] in (7, 8)",
        "request.json['seat'] == 8",
        options={"json": {"seat": 7}},
    ),
]
