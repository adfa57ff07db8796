"""An application with a page whose slow parts follow it, each when a test lets it."""

from collections import defaultdict
from threading import Event

from jinja2 import DictLoader

from antiphon import App, Request, abort
from antiphon.features import Block, ContentSecurityPolicy, Page, SecurityHeaders, Slot, Templates, csp_nonce

app = App()
app.use(Templates(DictLoader({"shop.html": """<!doctype html><html lang=en><meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1"><title>Shop</title>
<style nonce="{{ nonce }}">body { font: 1rem sans-serif; margin: 1rem } table { border-collapse: collapse }
td, th { padding: .3rem .6rem; text-align: start; border-bottom: 1px solid }</style>
<main><h1>Shop</h1>
<div><section aria-live=polite><div><h2>News</h2>{{ slot("news", "Loading the news") }}</div></section></div>
<table><caption>Orders</caption><thead><tr><th>Item<th>Price</thead>
<tbody>{% call slot("orders") %}<tr><td>Loading<td>...</tr>{% endcall %}</tbody></table>
<section><h2>Advice</h2>{{ slot("advice", "Loading") }}</section></main><footer>The foot</footer></html>
{% block rows %}{% for name, price in rows or () %}<tr><td>{{ name }}<td>{{ price }}</tr>{% endfor %}{% endblock %}
"""})))  # fmt: skip

app.template_context(nonce=csp_nonce)
gates: defaultdict[str, Event] = defaultdict(Event)
HOSTILE = """</template><script>document.title = "taken"</script><?end>"""


def wait(gate: str, name: str) -> None:
    gates[f"{gate} {name}"].wait(60)


def load_orders(gate: str) -> Block:
    wait(gate, "orders")
    return Block("shop.html", "rows", rows=[("Tea", 3), (HOSTILE, 4)])


def load_news(gate: str) -> str:
    wait(gate, "news")
    return f"News of {HOSTILE}"


def load_advice(gate: str) -> None:
    wait(gate, "advice")
    abort(404, "No advice today.")


@app.get("/")
def shop(request: Request) -> Page:
    gate = request.args.get("gate", "")
    slots = {"orders": Slot(load_orders, gate), "news": Slot(load_news, gate), "advice": Slot(load_advice, gate)}
    policy = {"content-security-policy": "script-src 'none'"} if "strict" in request.args else {}
    return Page("shop.html", 200, policy, rows=None, **slots)


@app.post("/open")
def open_gate(request: Request) -> str:
    gates[request.form["gate"]].set()
    return "open"


app.use(SecurityHeaders(content_security_policy=ContentSecurityPolicy(
    default_src="'none'", script_src="'nonce'", style_src="'nonce'")))  # fmt: skip
