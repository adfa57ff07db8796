def render(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return request.json({"count": request.session["count"]})
