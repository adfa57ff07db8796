"""The contract over each interface, without a server."""

from antiphon.testing.contract.in_process import InProcess
from antiphon.testing.contract.suite import AdapterContract


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
