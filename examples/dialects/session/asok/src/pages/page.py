def render(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return f"Visit {request.session['visits']}"
