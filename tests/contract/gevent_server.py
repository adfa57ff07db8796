"""gevent's own server for an application, as a command: ``python -m tests.contract.gevent_server``."""

import sys

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

    from gevent.pywsgi import WSGIServer
    from werkzeug.utils import import_string

    application, port = sys.argv[1:]
    WSGIServer(("127.0.0.1", int(port)), import_string(application), log=None).serve_forever()
