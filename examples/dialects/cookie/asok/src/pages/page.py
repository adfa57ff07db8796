def render(request):
    visits = int(request.cookies_dict.get("visits", 0)) + 1
    request.header("Set-Cookie", f"visits={visits}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax")
    return f"Visit {visits}"
