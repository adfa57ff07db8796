def render(request):
    return "Hello, world!"
