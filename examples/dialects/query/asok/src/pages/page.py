def render(request):
    args = request.args
    return request.json({"q": args["q"], "page": int(args.get("page", 1)), "tags": args.getlist("tag")})
