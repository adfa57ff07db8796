def render(request):
    return request.json({"id": request.params["id"], "path": request.path})
