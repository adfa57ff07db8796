from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import render_json_response


class NoSuchLamp(Exception):
    pass


class TellErrors:
    def process_exception(self, request, exception):
        if isinstance(exception, NoSuchLamp):
            return render_json_response({"error": str(exception)}, status=404)
        return None


def lamp(request):
    raise NoSuchLamp("There is no such lamp.")


settings = {"MIDDLEWARE_CLASSES": [TellErrors]}
app = KayApp(settings, view_groups=[ViewGroup(Rule("/", endpoint="lamp", view=lamp))])
