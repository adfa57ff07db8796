"""Messages for the next page, beside Flask's."""

import pytest
from markupsafe import Markup

from tests.dialects.flask.beside import BOTH, Package, ask_both
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def program(package):
    app = package.Flask(__name__)
    app.secret_key = "key"
    flash, get = package.flash, package.get_flashed_messages
    options = {
        "plain": {}, "with": {"with_categories": True}, "filtered": {"category_filter": ["error", "info"]},
        "both": {"with_categories": True, "category_filter": ("error",)}, "text": {"category_filter": "error"},
        "none": {"category_filter": ["other"]},
    }  # fmt: skip

    @app.route("/flash")
    def flash_some():
        flash("plain")
        flash("wrong", "error")
        flash(Markup("<b>"), category="info")
        return ""

    @app.route("/same")
    def flash_and_get():
        flash("now")
        return package.jsonify(get(), get(), get(with_categories=True), "_flashes" in package.session)

    for name, each in options.items():
        app.add_url_rule(f"/{name}", name, lambda each=each: package.jsonify(get(**each)))
    return app


@rows("path", ["plain", "with", "filtered", "both", "text", "none", "same"])
def test_messages_are_those_of_flask(path):
    ask_both(program, ["/flash", "/flash", f"/{path}", f"/{path}"])


@rows("name", BOTH)
def test_needs_a_request(name):
    for function in (lambda: Package(name).flash("a"), Package(name).get_flashed_messages):
        with pytest.raises(RuntimeError, match="request context"):
            function()
