from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


class AddVersion:
    def process_response(self, request, response):
        response.headers["X-Version"] = "7"
        return response


def hello(request):
    return Response("Hello, world!", mimetype="text/html")


settings = {"MIDDLEWARE_CLASSES": [AddVersion]}
app = KayApp(settings, view_groups=[ViewGroup(Rule("/", endpoint="hello", view=hello))])
