"""The application of `benchmarks.apps.flask_app`, its imports changed: with less JSON, hooks, a page, a session."""

from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(__file__).parents[1] / "apps" / "flask_app.py"
SECRET_KEY = "of no use to anybody"
LAMPS = [{"name": f"lamp {number}", "price": 19.5 + number} for number in range(5)]

FURTHER = """
from flask import Blueprint, g, render_template, session

hooked = Blueprint("hooked", __name__)


@hooked.before_request
def begin() -> None:
    g.language = request.accept_languages.best_match(LANGUAGES)


@hooked.after_request
def end(response: Any) -> Any:
    response.headers["X-Language"] = g.language
    return response


@hooked.get("/hooks")
def answered() -> ResponseReturnValue:
    return "Hello, world!", TEXT


@wsgi.get("/page")
def page() -> ResponseReturnValue:
    return render_template("page.html", title="Lamps", lamps=LAMPS)


@wsgi.get("/session")
def count() -> ResponseReturnValue:
    session["count"] = session.get("count", 0) + 1
    return f"{session['count']}", TEXT


wsgi.secret_key = SECRET_KEY
wsgi.register_blueprint(hooked)
"""


def build(package: str) -> Any:
    """The application, made with the modules of a package: `flask`, or the dialect."""
    module: Any = ModuleType(f"benchmarks.apps.{package.replace('.', '_')}_app")
    module.__package__ = "benchmarks.apps"
    module.__file__ = __file__
    module.LAMPS, module.SECRET_KEY = LAMPS, SECRET_KEY
    source = f"{SOURCE.read_text()}\n{FURTHER}".replace("from flask", f"from {package}")
    source = source.replace("Flask(__name__)", f"Flask(__name__, root_path={str(Path(__file__).parent)!r})")
    source = source.replace('Blueprint("hooked", __name__)', "Blueprint('hooked', __name__, root_path='.')")
    exec(compile(source, SOURCE, "exec"), module.__dict__)

    def create() -> Any:
        account = module.request.get_json()
        return {"created": account["name"], "tags": len(account["tags"])}

    module.wsgi.view_functions["order"] = create
    return module.wsgi
