def render(request):
    if "logout" in request.args:
        request.header("Set-Cookie", "asok_csrf=; Max-Age=0; Path=/")
        return "gone"
    return request.csrf_token_value
