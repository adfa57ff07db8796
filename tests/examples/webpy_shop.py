"""A program of web.py's everyday API, which the original and the dialect answer alike."""

import web

web.config.debug = False
urls = (
    "/", "index", "/lamps/(\\d+)", "lamp", "/form", "form", "/upload", "upload", "/list", "many", "/cookie", "cookie",
    "/see", "see", "/gone/(.*)", "gone", "/made", "made", "/stream", "stream", "/failing", "failing", "/none", "none",
    "/context", "context", "/header", "header", "/number", "number", "/required", "required", "/old", "redirect /list",
    "/data", "data",
)  # fmt: skip
app = web.application(urls, globals())
app.add_processor(web.loadhook(lambda: web.header("X-Loaded", web.ctx.path)))


class index:
    def GET(self):
        web.header("Content-Type", "text/html; charset=utf-8")
        return "<p>Hellö"

    def POST(self):
        return "posted"


class lamp:
    def GET(self, number):
        return f"lamp {number}"

    def DELETE(self, number):
        return f"deleted {number}"


class form:
    def POST(self):
        sent = web.input(colour="red", tags=[])
        return f"{sent.name} {sent.colour} {sent.tags} {sorted(sent)}"


class upload:
    def POST(self):
        sent = web.input(file={})
        value = sent.file.value
        return f"{sent.file.filename} {value if isinstance(value, str) else value.decode()} {sent.title}"


class many:
    def GET(self):
        sent = web.input(q=[], page="1")
        return f"{sent.q} {sent.page} {sent.get('none')}"


class cookie:
    def GET(self):
        seen = web.cookies(seen="no").seen
        web.setcookie("seen", "yes", path="/")
        return f"seen: {seen}"


class see:
    def POST(self):
        raise web.seeother("/list?page=2")


class gone:
    def GET(self, what):
        if what == "forbidden":
            raise web.forbidden()
        if what == "custom":
            raise web.notfound("no such lamp")
        if what == "own":
            raise web.HTTPError("418 I am a teapot", {"X-Own": "yes"}, "tea")
        raise web.notfound()


class made:
    def POST(self):
        web.ctx.status = "201 Created"
        return "made"


class stream:
    def GET(self):
        yield "one "
        yield "two"


class failing:
    def GET(self):
        raise LookupError("secret")


class none:
    def GET(self):
        pass


class context:
    def GET(self):
        ctx = web.ctx
        return f"{ctx.method} {ctx.path} {ctx.query} {ctx.fullpath} {ctx.host} {ctx.home} {ctx.ip} {ctx.protocol}"


class header:
    def GET(self):
        return web.ctx.env.get("HTTP_X_COLOUR", "none")


class number:
    def GET(self):
        return 7


class required:
    def GET(self):
        return web.input("name").name


class data:
    def PUT(self):
        return web.data()
