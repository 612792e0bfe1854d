"""A TCP proxy that delays every byte by the same time in both directions, as a long line does, or breaks connections."""
import asyncio
import threading


class DelayingProxy:
    """Listens on a port of its own and passes on to `port` of 127.0.0.1, `delay` seconds later. `break_after` bytes
    towards the node the connection is cut, once for each number in that list."""

    def __init__(self, port, delay=0.0, break_after=()):
        self.target, self.delay = port, delay
        self.break_after = list(break_after)
        self.connections = 0
        self.writers = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        limit = self.break_after.pop(0) if self.break_after else None
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers += [writer, far_writer]
        await asyncio.gather(self._pass(reader, far_writer, limit, writer), self._pass(far_reader, writer, None, None))

    async def _pass(self, reader, writer, limit, other):
        passed = 0
        try:
            while data := await reader.read(1 << 16):
                passed += len(data)
                if limit is not None and passed > limit:
                    writer.transport.abort()
                    other.transport.abort()
                    return
                if self.delay:
                    self.loop.call_later(self.delay, self._write, writer, data)
                else:
                    self._write(writer, data)
                    await writer.drain()
        except (ConnectionError, OSError):
            pass
        self.loop.call_later(self.delay, self._end, writer)

    @staticmethod
    def _write(writer, data):
        if not writer.transport.is_closing():
            writer.write(data)

    @staticmethod
    def _end(writer):
        if not writer.transport.is_closing():
            writer.close()

    def stop(self):
        async def end():
            for writer in self.writers:
                writer.transport.abort()
            await asyncio.sleep(0.01)
            self.loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)
