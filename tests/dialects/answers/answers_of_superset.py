"""Superset's answers to a visitor, who logs in and keeps a dashboard: `scripts/wall apache-superset` runs this."""

import json
import os

import pytest
from conversation import Exchange, answers

PASSWORD = "a password of 24 letters"
LOGIN = {"username": "someone", "password": PASSWORD}
TOKEN = {"X-CSRFToken": "TOKEN"}
JSON = {"Content-Type": "application/json", **TOKEN}
API = "/api/v1"
SETTINGS = """
SECRET_KEY = "a secret key of many letters, for no one else"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
"""


def get(path, **headers):
    return Exchange("GET", path, headers)


def post(path, fields):
    return Exchange("POST", f"{API}/{path}", JSON, body=json.dumps(fields))


def put(path, fields):
    return Exchange("PUT", f"{API}/{path}", JSON, body=json.dumps(fields))


DASHBOARD = {"dashboard_title": "Choirs", "slug": "choirs", "published": True}
EXCHANGES = [
    get("/health"),
    get("/"),
    get("/superset/welcome/"),
    get("/login/"),
    Exchange("HEAD", "/login/"),
    Exchange("OPTIONS", "/login/"),
    get(f"{API}/database/"),
    get(f"{API}/security/csrf_token/"),
    get("/static/service-worker.js"),
    get("/static/service-worker.js", Range="bytes=0-99"),
    get("/static/service-worker.js", **{"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
    get("/static/../config.py"),
    get("/nowhere"),
    get("/lang/fr"),
    Exchange("POST", "/login/", fields=LOGIN),
    Exchange("POST", "/login/", fields={**LOGIN, "csrf_token": "TOKEN", "password": "wrong"}),
    get("/login/?after=wrong"),
    Exchange("POST", "/login/", fields={**LOGIN, "csrf_token": "TOKEN"}),
    get("/superset/welcome/?again"),
    get(f"{API}/security/csrf_token/?again"),
    get(f"{API}/me/"),
    get(f"{API}/me/roles/"),
    get(f"{API}/menu/"),
    get(f"{API}/database/?again"),
    get(f"{API}/database/_info"),
    get(f"{API}/database/99"),
    post("database/", {"database_name": "choirs"}),
    Exchange("POST", f"{API}/database/", JSON, body="{not JSON"),
    Exchange("POST", f"{API}/dashboard/", {"Content-Type": "application/json"}, body=json.dumps(DASHBOARD)),
    post("dashboard/", DASHBOARD),
    post("dashboard/", DASHBOARD),
    post("dashboard/", {"dashboard_title": 5}),
    put("dashboard/1", {"dashboard_title": "Chöre"}),
    put("dashboard/99", {"dashboard_title": "Chöre"}),
    get(f"{API}/dashboard/choirs/charts"),
    get(f"{API}/dashboard/?q=(columns:!(slug),filters:!((col:dashboard_title,opr:ct,value:Ch)))"),
    get(f"{API}/dashboard/?q=(not%20rison"),
    get("/superset/dashboard/choirs/"),
    get("/superset/dashboard/nowhere/"),
    get("/dashboard/list/"),
    get("/chart/add"),
    get("/sqllab/"),
    post("chart/", {"slice_name": "voices", "datasource_id": 99, "datasource_type": "table"}),
    post("css_template/", {"template_name": "plain", "css": "p { color: red }"}),
    get(f"{API}/css_template/1"),
    Exchange("DELETE", f"{API}/css_template/1", TOKEN),
    Exchange("DELETE", f"{API}/dashboard/1", TOKEN),
    Exchange("DELETE", f"{API}/dashboard/1", TOKEN),
    get("/users/list/"),
    get("/logout/"),
    get("/superset/welcome/?after"),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("superset")
    settings = folder / "settings.py"
    settings.write_text(SETTINGS.format(folder=folder))
    os.environ |= {"SUPERSET_CONFIG_PATH": str(settings), "SUPERSET_HOME": str(folder)}
    from superset.app import create_app
    from superset.cli.main import superset

    app = create_app()
    commands = app.test_cli_runner()
    person = ["--username", "someone", "--firstname", "a", "--lastname", "b", "--email", "someone@example.com"]
    for command in (["db", "upgrade"], ["fab", "create-admin", *person, "--password", PASSWORD], ["init"]):
        done = commands.invoke(superset, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    return answers(app, EXCHANGES, r'(?:csrf_token[^>]* value=|"result": ?)"([\w.-]{30,})"')


@pytest.mark.parametrize("number", range(len(EXCHANGES)), ids=lambda number: EXCHANGES[number].name)
def test_superset_answers_as_on_the_original(both, number):
    given, expected = both
    assert given[number] == expected[number]
