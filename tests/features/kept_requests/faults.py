"""Programs with a planted fault, each of a kind of its own: what is sent to them, and how the fault is mended."""

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
keep = Keep(SQLiteStore("kept.db"), slower=0.3, statuses={409})
app.use(keep)
"""
_FLASK = """\
from antiphon.dialects.flask import Flask, request, session
from antiphon.features import Keep, SQLiteStore

app = Flask("shop", static_folder=None)
app.secret_key = "0123456789abcdef0123456789abcdef"
keep = Keep(SQLiteStore("kept.db"))
keep.install(app)
"""
_PYRAMID = """\
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response
from antiphon.features import Keep, SQLiteStore

def serve(view):
    with Configurator() as config:
        config.add_route("it", "/it")
        config.add_view(view, route_name="it")
        return config.make_wsgi_app()

keep = Keep(SQLiteStore("kept.db"), secret_keys=["0123456789abcdef0123456789abcdef"])
"""
_MICRODOT = """\
from antiphon.dialects.microdot import Microdot
from antiphon.features import Keep, SQLiteStore

app = Microdot()
keep = Keep(SQLiteStore("kept.db"), secret_keys=["0123456789abcdef0123456789abcdef"])
keep.install(app)
"""
_heads = {"": _NATIVE, "flask": _FLASK, "pyramid": _PYRAMID, "microdot": _MICRODOT}

FAULTS = [
    Fault(
        "JSON of a type",
        "@dataclass\nclass Order:\n    item: str\n    amount: int = 1\n\n@app.post('/')\ndef order(request):\n    order = request.json_as(Order)\n    return {'cost': FAULT}\n",
        "{'tea': 2}[order.item]", "{'tea': 2}.get(order.item, 0)",
        options={"json": {"item": "milk", "amount": 3}},
    ),
    Fault(
        "JSON without a type",
        "@app.post('/')\nasync def total(request):\n    rows = request.json['rows']\n    return {'mean': FAULT}\n",
        "sum(rows) / len(rows)", "sum(rows) / max(1, len(rows))",
        options={"json": {"rows": []}},
    ),
    Fault(
        "a form",
        "@app.post('/')\ndef pay(request):\n    return {'due': FAULT}\n",
        "int(request.form['days'].split('/')[1])", "(request.form['days'].split('/') + ['0'])[1]",
        options={"form": {"days": "7", "name": "Zoë & Co"}},
    ),
    Fault(
        "a form in another charset",
        "@app.post('/')\ndef name(request):\n    return request.body.FAULT\n",
        "decode('ascii')", "decode('latin-1')",
        options={"body": "Zo\xeb".encode("latin-1"), "content_type": "text/plain; charset=iso-8859-1"},
    ),
    Fault(
        "an upload",
        "@app.post('/')\ndef upload(request):\n    file = request.files['table']\n    first = file.read().splitlines()[0]\n    return {'columns': FAULT}\n",
        "[None for each in first.split(b';')][2]", "len(first.split(b';'))",
        options={"files": {"table": ("a.csv", b"name;age\nx;1\n", "text/csv")}, "form": {"title": "People"}},
    ),
    Fault(
        "a binary upload",
        "@app.post('/')\nasync def picture(request):\n    data = request.files['picture'].read()\n    return {'width': FAULT}\n",
        "int.from_bytes(data[16:20]) // (data[0] - 0x89)", "int.from_bytes(data[16:20])",
        options={"files": {"picture": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(40)), "image/png")}},
    ),
    Fault(
        "a query",
        "@app.get('/')\ndef search(request):\n    page = request.args.get('page', 1, type=int)\n    return {'part': FAULT}\n",
        "100 // page", "100 // max(1, page)",
        url="/?page=0&q=a%20b%26c", method="GET",
    ),
    Fault(
        "a path that is percent-encoded",
        "@app.get('/files/<path:name>')\ndef find(request, name):\n    return FAULT\n",
        "name.rsplit('.', 1)[1]", "name.rpartition('.')[2]",
        url="/files/a%20b/%C3%A9t%C3%A9", method="GET",
    ),
    Fault(
        "a cookie",
        "@app.get('/')\ndef page(request):\n    return {'theme': FAULT}\n",
        "['x'][len(request.cookies['theme'])]", "len(request.cookies['theme'])",
        method="GET", options={"cookies": {"theme": "dark"}},
    ),
    Fault(
        "a session",
        "app.use(Sessions(MemoryStore()))\n\n@app.get('/')\ndef cart(request):\n    return {'first': FAULT}\n",
        "request.session['cart'][0]", "(request.session['cart'] or [None])[0]",
        method="GET", session={"cart": []},
    ),
    Fault(
        "a user",
        "app.use(Sessions(MemoryStore()))\n\n@dataclass\nclass User:\n    id: str\n    email: str = ''\n\ndef make_user(key):\n    return User(key)\n\n"
        "app.use(Users(SessionLogin(make_user)))\n\n@app.get('/', before=login_required)\ndef me(request):\n    return {'domain': FAULT}\n",
        "request.user.email.split('@')[1]", "request.user.email.partition('@')[2]",
        method="GET", user="7",
    ),
    Fault(
        "a header",
        "@app.get('/')\ndef page(request):\n    return {'device': FAULT}\n",
        "request.headers['x-device'].split('/')[1]", "request.headers['x-device'].partition('/')[2]",
        method="GET", options={"headers": {"x-device": "watch"}},
    ),
    Fault(
        "the language that is accepted",
        "@app.get('/')\ndef page(request):\n    best = request.accept_languages.best(['de', 'en', 'xx'], 'en')\n    return {'hello': FAULT}\n",
        "{'de': 'Hallo', 'en': 'Hello'}[best]", "{'de': 'Hallo', 'en': 'Hello'}.get(best, 'Hello')",
        method="GET", options={"headers": {"accept-language": "xx, en;q=0.5"}},
    ),
    Fault(
        "a time",
        "@app.get('/')\ndef page(request):\n    now = datetime.now(UTC)\n    return {'next': FAULT}\n",
        "str(now.replace(year=now.year + 1))", "str(now.replace(year=now.year + 1, day=1))",
        method="GET", time=1709208000.0,
    ),
    Fault(
        "a dependency",
        "Rate = Dependency[float]('rate', kept=True)\napp.provide(Rate, lambda request: float(request.headers.get('x-test', '1')))\n\n"
        "@app.get('/')\ndef price(request):\n    return {'price': FAULT}\n",
        "12 / request[Rate]", "12 / (request[Rate] or 1)",
        method="GET", options={"headers": {"x-test": "0"}},
    ),
    Fault(
        "a body with a content coding",
        "@app.post('/')\ndef count(request):\n    return {'last': FAULT}\n",
        "request.text.split(',')[3]", "request.text.split(',')[-1]",
        options={"body": __import__("gzip").compress(b"1,2,3"), "headers": {"content-encoding": "gzip", "content-type": "text/csv"}},
    ),
    Fault(
        "WSGI",
        "@app.post('/')\ndef order(request):\n    return {'item': FAULT}\n",
        "request.json['items'][0]", "[*request.json['items'], None][0]",
        options={"json": {"items": []}}, interface="wsgi",
    ),
    Fault(
        "RSGI",
        "@app.put('/things/<int:id>')\nasync def change(request, id):\n    return {'part': FAULT}\n",
        "1 // id", "1 // (id or 1)",
        url="/things/0", method="PUT", options={"json": {"a": 1}}, interface="rsgi",
    ),
    Fault(
        "a stream",
        "@app.get('/')\nasync def rows(request):\n    async def made():\n        yield 'a'\n        for each in request.args.getall('n'):\n            yield str(FAULT)\n    return made()\n",
        "1 // int(each)", "1 // (int(each) or 1)",
        url="/?n=1&n=0", method="GET",
    ),
    Fault(
        "a hook",
        "@app.before_request\ndef check(request):\n    request.g.tenant = FAULT\n\n@app.get('/')\ndef page(request):\n    return request.g.tenant\n",
        "request.headers['x-tenant'].split('-')[1]", "request.headers['x-tenant']",
        method="GET", options={"headers": {"x-tenant": "acme"}},
    ),
    Fault(
        "an application that is mounted",
        "shop = App()\n\n@shop.post('/buy')\ndef buy(request):\n    return {'left': FAULT}\n\napp.mount('/shop', shop)\n",
        "[1, 2][request.json['n']]", "request.json['n']",
        url="/shop/buy", options={"json": {"n": 5}},
    ),
    Fault(
        "a WSGI application that is mounted",
        "def old(environ, start_response):\n    size = FAULT\n    start_response('200 OK', [('content-type', 'text/plain')])\n    return [b'x' * size]\n\napp.mount('/old', old)\n",
        "int(environ['QUERY_STRING'])", "len(environ['QUERY_STRING'])",
        url="/old/page?abc", method="GET",
    ),
    Fault(
        "a WebSocket",
        "@app.websocket('/chat')\nasync def chat(request, socket):\n    async for message in socket:\n        await socket.send(str(FAULT))\n",
        "10 // int(message)", "10 // (int(message) or 1)",
        url="/chat", messages=("5", "2", "0"),
    ),
    Fault(
        "Flask",
        "@app.post('/it')\ndef it():\n    return {'first': FAULT}\n",
        "request.form['names'].split(',')[1]", "request.form['names'].split(',')[0]",
        url="/it", options={"form": {"names": "a"}}, dialect="flask",
    ),
    Fault(
        "Flask over WSGI",
        "@app.post('/it')\ndef it():\n    return {'first': FAULT}\n",
        "request.get_json()['names'][0]", "(request.get_json()['names'] or [None])[0]",
        url="/it", options={"json": {"names": []}}, dialect="flask", interface="wsgi",
    ),
    Fault(
        "Pyramid",
        "def view(request):\n    return Response(str(FAULT))\n\napp = serve(view)\nkeep.install(app)\n",
        "1 // int(request.params['n'])", "1 // (int(request.params['n']) or 1)",
        url="/it?n=0", method="GET", dialect="pyramid",
    ),
    Fault(
        "Pyramid over WSGI",
        "def view(request):\n    return Response(str(FAULT))\n\napp = serve(view)\nkeep.install(app)\n",
        "request.json_body['n'][0]", "request.json_body['n']",
        url="/it", options={"json": {"n": []}}, dialect="pyramid", interface="wsgi",
    ),
    Fault(
        "Microdot",
        "@app.post('/it')\nasync def it(request):\n    return {'a': FAULT}\n",
        "request.json['a'][0]", "request.json['a']",
        url="/it", options={"json": {"a": ""}}, dialect="microdot",
    ),
    Fault(
        "a status",
        "@app.post('/')\ndef book(request):\n    if FAULT:\n        abort(409)\n    return {'ok': True}\n",
        "request.json['seat'] in (7, 8)", "request.json['seat'] == 8",
        options={"json": {"seat": 7}},
    ),
]  # fmt: skip
