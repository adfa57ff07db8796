"""Tasks whose form is boosted by htmx, which fills one block of the page, as docs/how-to/blocks.md describes."""

import re
from pathlib import Path

import django_htmx
from jinja2 import DictLoader

from antiphon import App, Request
from antiphon.features import Page, Templates

ROOT = Path(__file__).parents[3]
(CONFIG,) = re.findall(r"(?ms)^<meta name=.htmx-config.*?>$", (ROOT / "docs/how-to/blocks.md").read_text())
PAGE = f"""<!doctype html><title>Tasks</title>{CONFIG}
<script src="/htmx/htmx.min.js"></script>
<nav>Tasks</nav>
<main id=tasks hx-boost=true>
{{% block tasks %}}<form method=post hx-target="#tasks"><input name=text><button>Add</button></form>
<p id=problem>{{{{ problem }}}}</p><ul>{{% for task in tasks %}}<li>{{{{ task }}}}</li>{{% endfor %}}</ul>
{{% endblock %}}</main>"""

app = App()
app.use(Templates(DictLoader({"tasks.html": PAGE})))
app.static("/htmx", Path(django_htmx.__file__).parent / "static/django_htmx")
tasks = ["Milk"]


@app.route("/", methods=["GET", "POST"])
def index(request: Request):
    text = request.form["text"] if request.method == "POST" else None
    if text == "":
        return Page("tasks.html", _block="tasks", tasks=tasks, problem="Enter a task."), 422
    if text:
        tasks.append(text)
    return Page("tasks.html", _block="tasks", tasks=tasks, problem="")
