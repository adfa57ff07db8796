def render(request):
    request.redirect(f"/lamps/{request.args['number']}")
