"""How a request to a mounted application ends, and when such an application starts and stops."""

import asyncio

import pytest

from antiphon import App
from antiphon.handler.drive import driven
from tests.helpers.driving import run_lifespan
from tests.helpers.mountable_apps import app_of

pytestmark = pytest.mark.axes("interface", "style", "other")


def of_nothing(style, function):
    if not style.is_async:
        return function

    async def waits():
        await asyncio.sleep(0)
        function()

    return waits


def noting(seen, name):

    class Noting:
        def __enter__(self):
            seen.append(name)
            return name

        def __exit__(self, *raised):
            seen.append(f"{name} left")

    return Noting


class TestAStreamOfAnotherApplication:
    def test_of_asgi_is_told_when_it_is_left(self, serving, other, app):
        left = []

        async def asgi(scope, receive, send):
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            try:
                while True:
                    await send({"type": "http.response.body", "body": b"x", "more_body": True})
            except OSError:
                left.append((await receive())["type"])
                raise

        app.middleware(other.around())
        app.mount("/old", asgi)
        with serving(app).stream("GET", "/old/x") as stream:
            next(iter(stream))
        assert left == ["http.disconnect"]


def with_lifespan(seen):
    """An ASGI application that notes its lifespan and answers with what that has left in the state."""

    async def asgi(scope, receive, send):
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                seen.append(word)
                scope["state"]["started"] = b"yes"
                await send({"type": f"lifespan.{word}.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"].get("started", b"no")})

    return asgi


class TestTheLifespan:
    """What is mounted starts and stops with the application around it."""

    def test_of_a_mounted_app(self, serving, style, seen):
        outer, middle, inner = App(), App(), app_of(lambda request: "", lambda request: "")
        outer.mount("/a", middle)
        middle.mount("/b", inner)
        inner.on_startup(of_nothing(style, lambda: seen.append("startup")))
        inner.on_shutdown(of_nothing(style, lambda: seen.append("shutdown")))
        client = serving(outer)
        with client:
            client.get("/a/b/")
            assert seen == ["startup"]
        if client.interface != "wsgi":
            assert seen == ["startup", "shutdown"]

    def test_of_an_asgi_application_that_is_mounted_twice_is_one(self, serving, app, seen):
        asgi = with_lifespan(seen)
        app.mount("/old", asgi)
        app.mount("/older", asgi)
        with serving(app) as client:
            assert [client.get(path).text for path in ("/old", "/older")] == ["yes", "yes"]
        assert seen.count("startup") == 1

    @pytest.mark.parametrize("mounted", [["inner", "middle"], ["middle", "inner"]], ids=" then ".join)
    def test_of_an_app_to_which_several_ways_lead_is_one(self, style, mounted):
        apps, seen = {name: App() for name in ("outer", "middle", "inner")}, []
        for name, app in apps.items():
            app.lifespan(noting(seen, name))
        apps["inner"].on_startup(of_nothing(style, lambda: seen.append("starts")))
        apps["inner"].on_shutdown(of_nothing(style, lambda: seen.append("stops")))
        apps["middle"].mount("/inner", apps["inner"])
        for name in mounted:
            apps["outer"].mount(f"/{name}", apps[name])

        inner = ["inner", "starts"]
        begun = ["outer", *inner, "middle"] if mounted[0] == "inner" else ["outer", "middle", *inner]
        ended = [{"starts": "stops"}.get(name, f"{name} left") for name in reversed(begun)]
        for _ in range(2):
            seen.clear()
            run_lifespan(apps["outer"], lambda: seen.append("serving"))
            assert seen == [*begun, "serving", *ended]

    def test_of_an_app_to_which_several_ways_lead_begins_anew_where_it_was_lost(self, seen):
        outer, middle, inner = App(), App(), App()
        place = inner.lifespan(noting(seen, "inner"))
        middle.mount("/inner", inner)
        outer.mount("/inner", inner)
        outer.mount("/middle", middle)
        asyncio.run(driven(outer.startup()))  # its loop is gone
        run_lifespan(outer, lambda: seen.append(inner[place]))
        run_lifespan(middle, lambda: seen.append(inner[place]))
        run_lifespan(inner, lambda: seen.append(inner[place]))
        assert seen == ["inner", *["inner", "inner", "inner left"] * 3]

    def test_of_apps_of_which_one_fails_to_start_is_left_once(self):
        outer, middle, inner = App(), App(), App()
        seen, failures = [], [LookupError("cannot start")]
        inner.lifespan(noting(seen, "inner"))
        middle.mount("/inner", inner)
        outer.mount("/inner", inner)
        outer.mount("/middle", middle)

        @middle.on_startup
        def fails():
            if failures:
                raise failures.pop()

        with pytest.raises(LookupError, match="cannot start"):
            run_lifespan(outer)
        assert seen == ["inner", "inner left"]
        run_lifespan(outer, lambda: seen.append("serving"))
        assert seen[2:] == ["inner", "serving", "inner left"]
