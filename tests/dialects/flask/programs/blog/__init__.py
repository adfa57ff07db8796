"""A blog in which people write notes, made by a factory: users, notes in SQLite, pages, a command."""

import os

from flask import Flask, render_template


def create_app(test_config=None):
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(SECRET_KEY="dev", DATABASE=os.path.join(app.instance_path, "blog.sqlite"))
    if test_config is None:
        app.config.from_pyfile("config.py", silent=True)
    else:
        app.config.from_mapping(test_config)
    os.makedirs(app.instance_path, exist_ok=True)

    from . import auth, database, notes

    database.init_app(app)
    app.register_blueprint(auth.bp)
    app.register_blueprint(notes.bp)
    app.add_url_rule("/", endpoint="index")
    app.register_error_handler(404, lambda error: (render_template("missing.html", error=error), 404))

    @app.template_filter("day")
    def day(moment):
        return moment.strftime("%Y-%m-%d")

    @app.context_processor
    def names():
        return {"site": app.config.get("SITE", "Blog")}

    return app
