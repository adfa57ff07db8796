"""Werkzeug's development server for an application, as a command: ``python -m tests.contract.werkzeug_server``."""

import signal
import sys

from werkzeug.serving import run_simple
from werkzeug.utils import import_string

if __name__ == "__main__":
    application, port = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored where tests run in the background
    run_simple("127.0.0.1", int(port), import_string(application), threaded=True)
