def post(request):
    file = request.files["picture"]
    size = len(file.read())
    return request.json({"title": request.form["title"], "name": file.filename, "size": size})
