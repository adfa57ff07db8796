"""The contract over each interface, without a server."""

from tests.contract.in_process import InProcess
from tests.contract.suite import AdapterContract


class TestWSGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("wsgi")


class TestASGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("asgi")


class TestRSGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("rsgi")
