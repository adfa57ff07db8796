"""Values that a project shares with its templates."""

import pytest

from tests.helpers.rows import rows


def page(template, render="return request.html('page.html')"):
    return {"page.py": f"def render(request):\n    {render}\n", "page.html": template}


@pytest.mark.feature("asok-078", "asok-079")
def test_shared_values_are_in_every_template(serve):
    files = {
        **page("{{ site_name }} {{ version }} {% include 'foot.html' %}"),
        "src/partials/foot.html": "{{ version }}",
    }
    client = serve(files, prepare=lambda app: app.share(site_name="<My Blog>", version="1.0"))
    assert client.get("/").text == "&lt;My Blog&gt; 1.0 1.0"


@pytest.mark.feature("asok-080")
def test_a_shared_function_is_called_once_for_a_request_that_uses_it(serve):
    calls = []

    def visitor(r):
        calls.append(r.path)
        return r.args.get("name")

    files = {**page("{% if visitor %}{{ visitor }}{{ visitor }}{% endif %}"), "src/pages/other/page.html": "other"}
    client = serve(files, prepare=lambda app: app.share(visitor=visitor))
    assert (client.get("/?name=Ann").text, client.get("/?name=Bo").text, client.get("/other").text) == (
        "AnnAnn",
        "BoBo",
        "other",
    )
    assert calls == ["/", "/"]


@rows(
    "value, text",
    [(lambda: "none", "none"), (lambda a="none": a, "none"), (lambda a, b: a, "function"), (dict, "{}")],
    ids=["no argument", "an optional one", "two", "a class"],
)
def test_what_is_no_function_of_the_request_is_shared_as_it_is(serve, value, text):
    template = (
        "{% if shared is string %}{{ shared }}{% else %}{{ 'function' if shared != type else shared() }}{% endif %}"
    )
    client = serve(page(template), prepare=lambda app: app.share(shared=value, type=dict))
    assert client.get("/").text == text


@pytest.mark.feature("asok-081")
def test_pages_read_shared_values(serve):
    render = "return f\"{request.shared('user')} {request.shared('site')} {request.shared('nothing')}\""
    client = serve(page("", render), prepare=lambda app: app.share(user=lambda r: r.args["u"], site="S"))
    assert client.get("/?u=Ann").text == "Ann S None"


def test_values_are_shared_with_one_request(serve):
    render = "request.share('site', 'own')\n    return request.html('page.html') + request.share('site')"
    files = {**page("{{ site }} ", render), "src/pages/other/page.html": "{{ site }}"}
    client = serve(files, prepare=lambda app: app.share(site="all"))
    assert (client.get("/").text, client.get("/other").text) == ("own own", "all")


def test_values_of_the_page_stand_before_shared_ones(serve):
    client = serve(
        page("{{ site }}", "return request.html('page.html', site='page')"), prepare=lambda app: app.share(site="all")
    )
    assert client.get("/").text == "page"
