"""Values that a project shares with its templates."""


def page(template, render="return request.html('page.html')"):
    return {"page.py": f"def render(request):\n    {render}\n", "page.html": template}


def test_values_are_shared_with_one_request(serve):
    render = "request.share('site', 'own')\n    return request.html('page.html') + request.share('site')"
    files = {**page("{{ site }} ", render), "src/pages/other/page.html": "{{ site }}"}
    client = serve(files, prepare=lambda app: app.share(site="all"))
    assert (client.get("/").text, client.get("/other").text) == ("own own", "all")
