"""pgAdmin 4's answers to a visitor, who logs in and out: `scripts/wall pgadmin4` runs this."""

import os
import sys
from pathlib import Path
from sysconfig import get_path

import pytest
from conversation import Exchange, answers

PASSWORD = "a password of 24 letters"
LOGIN = {"email": "someone@example.com", "password": PASSWORD, "language": "en"}
PAGE = {"Accept": "text/html"}
TOKEN = {"X-pgA-CSRFToken": "TOKEN"}
JSON = {"Content-Type": "application/json"}
EXCHANGES = [
    Exchange("GET", "/"),
    Exchange("GET", "/browser/", PAGE),
    Exchange("GET", "/login?next=/browser/", PAGE),
    Exchange("HEAD", "/login"),
    Exchange("OPTIONS", "/login"),
    Exchange("GET", "/misc/ping"),
    Exchange("GET", "/static/js/generated/app.bundle.js", {"Range": "bytes=0-99"}),
    Exchange("GET", "/static/favicon.ico"),
    Exchange("GET", "/static/favicon.ico", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
    Exchange("GET", "/static/../config.py"),
    Exchange("GET", "/browser/browser.css"),
    Exchange("GET", "/browser/js/endpoints.js"),
    Exchange("GET", "/browser/js/messages.js"),
    Exchange("GET", "/tools/translations.js"),
    Exchange("GET", "/nowhere"),
    Exchange("POST", "/authenticate/login", fields=LOGIN),
    Exchange("POST", "/authenticate/login", fields={**LOGIN, "csrf_token": "TOKEN", "password": "wrong"}),
    Exchange("GET", "/login?after=wrong"),
    Exchange("POST", "/authenticate/login", fields={**LOGIN, "csrf_token": "TOKEN"}),
    Exchange("GET", "/login?next=elsewhere"),
    Exchange("GET", "/browser/?again", PAGE),
    Exchange("GET", "/preferences/get_all"),
    Exchange("GET", "/preferences/get_all", TOKEN),
    Exchange("GET", "/browser/server_group/obj/", TOKEN),
    Exchange("GET", "/browser/server/obj/1/", TOKEN),
    Exchange("GET", "/about/", TOKEN),
    Exchange("GET", "/misc/bgprocess/", TOKEN),
    Exchange("POST", "/browser/server/obj/1/", {**TOKEN, **JSON}, body='{"name": "a", "port": 5432}'),
    Exchange("POST", "/browser/server/obj/1/", {**TOKEN, **JSON}, body="{not JSON"),
    Exchange("PUT", "/settings/store", {**TOKEN, **JSON}, body='{"setting": "a", "value": "b"}'),
    Exchange("POST", "/settings/store", {**TOKEN, **JSON}, body='{"setting": "a", "value": "b"}'),
    Exchange("DELETE", "/browser/server/obj/1/99", TOKEN),
    Exchange("GET", "/logout", PAGE),
    Exchange("GET", "/browser/?after", PAGE),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    os.environ |= {"PGADMIN_SETUP_EMAIL": LOGIN["email"], "PGADMIN_SETUP_PASSWORD": PASSWORD}
    sys.path.insert(0, str(Path(get_path("purelib"), "pgadmin4")))
    import config

    data = tmp_path_factory.mktemp("data")
    elsewhere = (config.DATA_DIR, "/var/log/")
    for name, path in vars(config).copy().items():
        if isinstance(path, str) and path.startswith(elsewhere):
            setattr(config, name, str(data / Path(path).name))
    config.MASTER_PASSWORD_REQUIRED = False
    import pgAdmin4

    return answers(pgAdmin4.app, EXCHANGES, r'"?csrf_?[tT]oken"?: "([^"]+)"')


@pytest.mark.parametrize("number", range(len(EXCHANGES)), ids=lambda number: EXCHANGES[number].name)
def test_pgadmin_answers_as_on_the_original(both, number):
    given, expected = both
    assert given[number] == expected[number]
