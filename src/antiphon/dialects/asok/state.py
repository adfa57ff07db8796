"""The native features with which an Asok project keeps data for longer than a request."""

from typing import TYPE_CHECKING

from antiphon.dialects.asok.auth import install_users
from antiphon.dialects.asok.csrf import install_csrf
from antiphon.dialects.asok.rate_limits import install_rate_limit
from antiphon.dialects.asok.security import install_security_headers
from antiphon.dialects.asok.session import SessionStore, install_sessions
from antiphon.features import Flash

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.dialects.asok.app import Asok


def install_state(app: "Asok", native: "App") -> SessionStore:
    """Make an application send security headers, keep sessions, and use the features based on them, as the settings
    say.

    Returns the store of the sessions. Raises ValueError for settings that mean nothing.
    """
    install_security_headers(native, app.config)
    install_rate_limit(native, app.config)
    store = install_sessions(native, app.config, app.root_dir)
    native.on_shutdown(store.native.close)
    native.use(Flash())
    install_csrf(native, app.config)
    install_users(native, app)
    return store
