"""Django's settings, of which a process has one set: tests have their own for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

OPTIONS = {"ROOT_URLCONF": "tests.frameworks.django_urls", "ALLOWED_HOSTS": ["localhost"], "SECRET_KEY": "x" * 50}

KEPT_ELSEWHERE = ("STATIC_ROOT", "STATICFILES_DIRS", "STORAGES", "TEMPLATES", "PASSWORD_HASHERS", "ROOT_URLCONF")
"""Settings from which Django makes objects that it keeps."""


@contextmanager
def without_settings() -> Iterator[None]:
    """Have Django find no settings and no applications at first; afterwards it has those that it had before."""
    from asgiref.local import Local
    from django.apps import apps
    from django.conf import settings
    from django.core.management import get_commands
    from django.db import connections
    from django.test.signals import setting_changed
    from django.utils.functional import empty

    def choose(wrapped: object, configs: dict[str, object], is_ready: bool) -> None:
        settings._wrapped, apps.app_configs = wrapped, configs
        apps.apps_ready = apps.models_ready = apps.ready = is_ready
        apps.loading = False
        apps.clear_cache()
        get_commands.cache_clear()
        for each in KEPT_ELSEWHERE:
            setting_changed.send(sender=None, setting=each, value=None, enter=False)

    before = settings._wrapped, apps.app_configs, apps.ready
    databases = dict(vars(connections))
    vars(connections).pop("settings", None)  # those of the databases are read once
    vars(connections).update(_settings=None, _connections=Local(connections.thread_critical))
    choose(empty, {}, False)
    try:
        yield
    finally:
        if settings.configured:
            connections.close_all()
        choose(*before)
        vars(connections).pop("settings", None)
        vars(connections).update(databases)


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
