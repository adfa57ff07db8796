"""Settings of Gunicorn, of which older versions lack some.

With a control socket, a worker of gevent ends only when it is killed, after the whole graceful timeout.
"""

control_socket_disable = True
