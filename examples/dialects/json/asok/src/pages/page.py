def post(request):
    total = sum(item["price"] for item in request.json_body["items"])
    return request.json({"customer": request.json_body["customer"], "total": total}, 201)
