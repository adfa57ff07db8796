"""Django's settings, of which a process has one set: tests have their own for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

OPTIONS = {"ROOT_URLCONF": "tests.frameworks.django_urls", "ALLOWED_HOSTS": ["localhost"], "SECRET_KEY": "x" * 50}


@contextmanager
def without_settings() -> Iterator[None]:
    """Have Django find no settings at first; afterwards it has those that it had before."""
    from django.conf import settings
    from django.utils.functional import empty

    before, settings._wrapped = settings._wrapped, empty
    try:
        yield
    finally:
        settings._wrapped = before


@contextmanager
def settings_for_views() -> Iterator[None]:
    """Give Django the settings of the applications that tests of frameworks ask, if it is installed."""
    try:
        import django
        from django.conf import settings
    except ImportError:
        yield
        return
    with without_settings():
        settings.configure(**OPTIONS)
        django.setup(set_prefix=False)
        yield
