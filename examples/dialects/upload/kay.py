from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import render_json_response


def picture(request):
    file = request.files["picture"]
    return render_json_response({"title": request.form["title"], "name": file.filename, "size": len(file.read())})


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="picture", view=picture, methods=["POST"]))])
