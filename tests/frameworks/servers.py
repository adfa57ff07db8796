"""The servers of frameworks that are servers themselves, and Uvicorn for the others."""

import asyncio
import socket


async def start_aiohttp(app):
    from aiohttp import web

    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1], runner.cleanup


async def start_tornado(app):
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    server = HTTPServer(app)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)

    async def stop():
        server.stop()
        await server.close_all_connections()

    return sockets[0].getsockname()[1], stop


async def start_sanic(app):
    app.config.MOTD = False  # starts a process, to name the processor
    server = await app.create_server(
        sock=socket.create_server(("127.0.0.1", 0)), return_asyncio_server=True, access_log=False
    )
    await server.startup()
    await server.start_serving()

    async def stop():
        server.close()

    return server.server.sockets[0].getsockname()[1], stop


async def uvicorn(app):
    """Start what Uvicorn has on a socket, without the loop in which it looks ten times a second for its end."""
    from uvicorn import Config, Server

    sock = socket.create_server(("127.0.0.1", 0))
    config = Config(app, log_config=None, lifespan="off")
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup([sock])

    async def stop():
        server.servers[0].close()
        for connection in [*server.server_state.connections]:
            connection.shutdown()
        if tasks := server.server_state.tasks:
            await asyncio.wait(tasks, timeout=1)

    return sock.getsockname()[1], stop


START = {"aiohttp": start_aiohttp, "tornado": start_tornado, "sanic": start_sanic}
