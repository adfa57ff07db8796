def render(request):
    raise LookupError("There is no such lamp.")
