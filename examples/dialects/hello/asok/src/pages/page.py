def render(request):
    return "<h1>Hello, world!</h1>"
