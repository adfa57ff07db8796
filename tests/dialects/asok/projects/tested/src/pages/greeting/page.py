def render(request):
    request.header("X-Own", request.method)
    return f"Hello, {request.args.get('name', 'World')}!"


def post(request):
    return f"Posted by {request.form['name']}"
