def render(request):
    return request.json({"method": request.method, "data": request.json_body, "type": request.environ["CONTENT_TYPE"]})
