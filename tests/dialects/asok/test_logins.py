"""Users: who has logged in, by the project's own model or function, and who may not see a page."""

import asyncio
from typing import ClassVar

import pytest

pytestmark = pytest.mark.axes("interface", "by")


class User:
    """A model as a project may have it, without any ORM."""

    rows: ClassVar[dict] = {}

    def __init__(self, id, name, password, roles=()):
        self.id, self.name, self.password, self.roles = id, name, password, roles

    @classmethod
    def find(cls, **values):
        for user in cls.rows.values():
            if all(getattr(user, name) == value for name, value in values.items()):
                return user
        return None

    def check_password(self, field, text):
        return getattr(self, field) == text


User.rows = {1: User(1, "Ada", "oboe", "admin, editor"), 2: User(2, "Bob", "tuba", ["reader"])}


async def load_later(id):
    await asyncio.sleep(0)
    return User.rows.get(id)


SOURCES = {
    "class": lambda app: app.config.update(AUTH_MODEL=User),
    "name": lambda app: app.config.update(AUTH_MODEL=f"{__name__}:User"),
    "loader": lambda app: (app.user_loader(User.rows.get), app.config.update(AUTH_MODEL=User)),
    "async loader": lambda app: (app.user_loader(load_later), app.config.update(AUTH_MODEL=User)),
}


@pytest.fixture(params=SOURCES)
def by(request):
    return request.param


@pytest.fixture
def pages(serve, interface, by):
    def pages(files, **config):
        def prepare(app):
            app.config.update(CSRF=False, **config)
            SOURCES[by](app)

        return serve(files, interface, prepare)

    return pages


LOGIN = """
def render(request):
    return request.json([request.user and request.user.name, request.is_authenticated, request.session.get("user_id")])
def post(request):
    user = request.authenticate(name=request.form["name"], password=request.form["password"])
    return request.json([user and user.name, request.user and request.user.name])
def delete(request):
    request.session["cart"] = ["tea"]
    request.flash("info", "Goodbye")
    request.logout()
    return request.json([request.user, dict(request.session), str(request.get_flashed_messages()[0])])
"""
ADA = {"name": "Ada", "password": "oboe"}


@pytest.mark.feature("asok-082")
def test_a_user_is_logged_in_until_the_logout(pages):
    client = pages({"page.py": LOGIN})
    assert client.get("/").json == [None, False, None]
    assert client.post("/", form={**ADA, "password": "guess"}).json == [None, None]
    assert client.get("/").json == [None, False, None]
    assert client.post("/", form=ADA).json == ["Ada", "Ada"]
    assert client.get("/").json == ["Ada", True, 1]
    cookie = client.cookies["asok_sid"]
    assert client.delete("/").json == [None, {}, "Goodbye"]
    client.cookies.set("asok_sid", cookie)
    assert client.get("/").json == [None, False, None]


def test_a_login_gives_the_session_a_new_key_and_no_other_user_its_data(pages):
    page = """
def render(request):
    request.session["cart"] = ["tea"]
    return request.json(dict(request.session))
def post(request):
    from asok_test_models import User
    request.login(User.rows[int(request.args["id"])], remember=True)
    return request.json(dict(request.session))
"""
    import sys

    sys.modules["asok_test_models"] = sys.modules[__name__]
    client = pages({"page.py": page})
    client.get("/")
    planted = client.cookies["asok_sid"]
    assert client.post("/?id=1").json == {"cart": ["tea"], "user_id": 1}
    assert client.cookies["asok_sid"] != planted
    assert client.post("/?id=1").json == {"cart": ["tea"], "user_id": 1}
    assert client.post("/?id=2").json == {"user_id": 2}


def test_after_five_wrong_passwords_from_an_address_none_is_right(pages):
    client = pages({"page.py": LOGIN})
    for _ in range(4):
        client.post("/", form={**ADA, "password": "guess"})
    assert client.post("/", form=ADA).json == ["Ada", "Ada"]
    client.delete("/")
    client.post("/", form={**ADA, "password": "guess"})
    assert client.post("/", form=ADA).json == [None, None]


def test_a_login_does_not_forgive_the_guesses_at_other_accounts(pages):
    client = pages({"page.py": LOGIN})
    bob = {"name": "Bob", "password": "tuba"}
    answers = []
    for number in range(8):
        answers.append(client.post("/", form=bob).json[0])
        client.post("/", form={**ADA, "password": f"guess {number}"})
    assert answers == ["Bob"] * 5 + [None] * 3
    assert client.post("/", form=ADA).json[0] is None


def test_one_address_guesses_at_all_accounts_together(pages):
    client = pages({"page.py": LOGIN})
    for name in ("Ada", "Bob", "Cid", "Dot", "Eve"):
        client.post("/", form={"name": name, "password": "guess"})
    assert client.post("/", form=ADA).json == [None, None]


def test_many_addresses_share_the_guesses_at_one_account(pages, clients, interface):
    app = pages({"page.py": LOGIN}).app
    machines = [clients(app, interface, client=(f"192.0.2.{number}", 50000)) for number in range(6)]
    for machine in machines[:4]:
        for _ in range(5):
            machine.post("/", form={**ADA, "password": "guess"})
    assert machines[4].post("/", form=ADA).json == [None, None]
    assert machines[5].post("/", form={"name": "Bob", "password": "tuba"}).json == ["Bob", "Bob"]


def test_where_the_server_tells_no_address_nobody_shuts_others_out(pages, clients, caplog):
    app = pages({"page.py": LOGIN}).app
    client = clients(app, client=None)
    for _ in range(6):
        client.post("/", form={**ADA, "password": "guess"})
    assert client.post("/", form=ADA).json == ["Ada", "Ada"]
    assert caplog.text.count("TRUSTED_PROXIES") == 1


def test_a_page_says_who_may_see_it(pages):
    files = {
        "page.py": """
def render(request):
    match request.args.get("for"):
        case "user": request.require_auth()
        case "asked": request.require_auth("/login?lang=fr")
        case "refused": request.login_required()
        case "admin": request.require_role("admin")
        case "reader": request.require_role("reader", redirect_url="//evil.example")
    return request.json([str(each) for each in request.get_flashed_messages()])
def post(request):
    request.authenticate(**request.form)
    return request.json([request.has_role("editor"), request.has_role("reader", "admin"), request.has_role("x")])
"""
    }
    client = pages(files, LOGIN_MESSAGE="Please log in")
    assert client.get("/?for=user&x=1").location == "/login?next=/?for=user%26x=1"
    assert client.get("/?for=asked").location == "/login?lang=fr&next=/?for=asked"
    assert client.get("/?for=refused").status == 401
    assert client.get("/?for=admin").location == "/"
    assert client.get("/").json == ["Please log in"]
    assert client.get("//evil.example?for=user").location in (None, "/login?next=/")
    assert client.post("/", form=ADA).json == [True, True, False]
    assert {client.get(f"/?for={each}").status for each in ("user", "asked", "refused", "admin")} == {200}
    assert client.get("/?for=reader").location == "/"


def test_a_user_may_be_set_for_one_request(pages):
    page = """
def render(request):
    from asok import current_user
    before = bool(current_user), str(current_user)
    request.user = type("Robot", (), {"name": "R2", "__str__": lambda self: "a robot"})()
    return request.json([*before, bool(current_user), str(current_user), current_user.name, request.user.name])
"""
    page = page.replace("from asok import", "from antiphon.dialects.asok import")
    assert pages({"page.py": page}).get("/").json == [False, "", True, "a robot", "R2", "R2"]


def test_without_a_model_nobody_is_a_user_and_a_login_by_password_names_the_fix(serve, caplog):
    client = serve({"page.py": LOGIN}, prepare=lambda app: app.config.update(CSRF=False))
    assert client.get("/").json == [None, False, None]
    assert client.post("/", form=ADA).status == 500
    assert 'app.config["AUTH_MODEL"] = User' in caplog.text
