"""Context-local objects and their proxies: by examples that Werkzeug and the dialect answer alike."""

from contextvars import ContextVar

import pytest
import werkzeug.local

from antiphon.dialects.werkzeug import local
from tests.helpers.rows import rows

EITHER = rows("library", [werkzeug.local, local], ids=["werkzeug", "antiphon"])


@EITHER
def test_a_local_has_attributes(library):
    own = library.Local()
    own.a, own.b = 1, 2
    assert dict(own) == {"a": 1, "b": 2}
    del own.a
    assert dict(own) == {"b": 2}
    for act in (lambda: own.a, lambda: delattr(own, "a")):
        with pytest.raises(AttributeError, match="a"):
            act()
    library.release_local(own)
    assert dict(own) == {}


@EITHER
def test_a_stack_is_pushed_and_popped(library):
    stack = library.LocalStack()
    assert (stack.top, stack.pop()) == (None, None)
    assert (stack.push(1), stack.push(2)) == ([1], [1, 2])
    assert (stack.pop(), stack.top, stack.pop(), stack.top) == (2, 1, 1, None)
    stack.push(3)
    library.release_local(stack)
    assert stack.top is None


@EITHER
def test_a_proxy_passes_for_its_object(library):
    proxy = library.LocalProxy(lambda: [1])
    assert isinstance(proxy, list)
    assert proxy.__class__ is list
    assert (repr(proxy), proxy.__doc__, callable(proxy)) == ("[1]", [].__doc__, True)
    assert dir(proxy) == dir([])
    assert library.LocalProxy(lambda: int)("7") == 7
    assert isinstance(3, library.LocalProxy(lambda: int))
    assert issubclass(bool, library.LocalProxy(lambda: int))


@EITHER
@rows("message", [None, "there is no request"])
def test_without_an_object_a_proxy_says_so(library, message):
    sources = (library.Local()("x", unbound_message=message), library.LocalStack()(unbound_message=message),
               library.LocalProxy(ContextVar("empty"), unbound_message=message))  # fmt: skip
    for proxy in sources:
        with pytest.raises(RuntimeError, match=message or "object is not bound"):
            _ = proxy.anything
        assert (repr(proxy), bool(proxy), dir(proxy)) == ("<LocalProxy unbound>", False, [])
        assert proxy.__class__ is library.LocalProxy
        assert proxy.__doc__ == library.LocalProxy.__doc__


@EITHER
def test_a_proxy_may_be_for_an_attribute(library):
    variable, stack, own = ContextVar("request"), library.LocalStack(), library.Local()
    variable.set(3 + 4j)
    stack.push(5 + 6j)
    own.z = 7 + 8j
    proxies = (
        library.LocalProxy(variable, "imag"),
        stack("imag"),
        library.LocalProxy(lambda: 1j, "imag"),
        own("z.imag"),
    )
    assert [float(proxy) for proxy in proxies] == [4, 6, 1, 8]
    assert proxies[0]._get_current_object() == 4


@EITHER
def test_what_cannot_be_stood_for_is_an_error(library):
    for arguments in ((library.Local(),), (5,)):
        with pytest.raises(TypeError):
            library.LocalProxy(*arguments)


@EITHER
def test_a_manager_releases_after_the_response(library):
    own, stack = library.Local(), library.LocalStack()
    manager = library.LocalManager([own, stack])
    assert repr(manager) == "<LocalManager storages: 2>"

    @manager.middleware
    def application(environ, start_response):
        own.x = 1
        stack.push(2)
        return [b"body"]

    response = application({}, None)
    assert (list(response), own.x, stack.top) == ([b"body"], 1, 2)
    response.close()
    assert (dict(own), stack.top, application.__name__) == ({}, None, "application")
    assert library.LocalManager(own).locals == [own]


@EITHER
def test_methods_of_the_class_act_on_the_object(library):
    entered = []

    class Resource:
        def __enter__(self):
            entered.append(self)

        def __exit__(self, *error):
            entered.append(error)

    proxy = library.LocalProxy(Resource)
    type(proxy).__enter__(proxy)
    with proxy:
        pass
    assert [type(each) for each in entered] == [Resource, Resource, tuple]


def test_managers_name_the_thread_as_they_did():
    assert local.LocalManager(ident_func=lambda: 7).get_ident() == 7
    assert local.LocalManager().get_ident() == local.get_ident()
