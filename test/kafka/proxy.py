#!/usr/bin/env python3
"""proxy: a network between client and brokers that misbehaves on command. Loopback, no root.

  proxy.py --routes LISTEN:BROKER[,LISTEN:BROKER ...] --control SOCKET
  proxy.py --tell SOCKET COMMAND ...        one command; prints the answer

`brokers start DIR --proxied` makes brokers that advertise the listening ports, and says the routes
(KAFKA_PROXY_ROUTES). Commands; a last word N means route N only (1 is the first), else all:

  hold [N]          nothing passes, either way; the connections stand (a cable pulled out)
  mute [N]          requests pass, answers are held back
  flow [N]          the end of hold and mute: what was held back passes now
  delay MS [N]      each message comes so much later (0: at once)
  cut [N]           every connection is reset; new ones are let in
  refuse [N]        every connection is reset, new ones too, until `accept`
  accept [N]
  lose KEY EVERY [N]  of requests with that API key (0: Produce) each EVERY-th is carried out by
                    the broker, but its answer is lost, and the connection with it (EVERY 0: none)
  status            one line for each route: connections, requests, answers, lost
  quit

A message is what Kafka frames by its size, so only `hold`, `cut` and `refuse` can fall between two
bytes. Of TLS nothing can be read: use --raw, and `lose` is then refused.
"""
import argparse
import asyncio
import os
import signal
import socket
import struct
import sys

CHUNK = 64 * 1024
FRAME_MAX = 128 << 20


class Route:
    """One broker's way in, and how it misbehaves now."""

    def __init__(self, listen, broker, raw):
        self.listen, self.broker, self.raw = listen, broker, raw
        self.open_both, self.open_down = asyncio.Event(), asyncio.Event()
        self.open_both.set()
        self.open_down.set()
        self.delay, self.refusing = 0.0, False
        self.lose = {}  # API key: each how many-th answer.
        self.seen = {}  # API key: answers so far.
        self.requests = self.answers = self.lost = 0
        self.connections = set()

    def loses(self, key):
        every = self.lose.get(key, 0)
        if every == 0:
            return False
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key] % every == 0

    def cut(self):
        for connection in list(self.connections):
            connection.reset()

    async def take(self, reader, writer):
        connection = Connection(self, reader, writer)
        if self.refusing:
            connection.reset()
            return
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)


class Connection:
    """One client's connection and ours to the broker."""

    def __init__(self, route, reader, writer):
        self.route, self.reader, self.writer = route, reader, writer
        self.broker_writer = None
        self.asked = {}  # Correlation id: API key.

    def reset(self):
        for writer in (self.writer, self.broker_writer):
            if writer is not None:
                door = writer.get_extra_info("socket")
                if door is not None and door.fileno() >= 0:
                    door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    async def run(self):
        try:
            broker_reader, self.broker_writer = await asyncio.open_connection(
                "127.0.0.1", self.route.broker)
        except OSError:
            self.reset()
            return
        ways = [asyncio.ensure_future(self.carry(self.reader, self.broker_writer, up=True)),
                asyncio.ensure_future(self.carry(broker_reader, self.writer, up=False))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self.reset()

    async def message(self, reader):
        if self.route.raw:
            return await reader.read(CHUNK)
        head = await reader.readexactly(4)
        size, = struct.unpack(">i", head)
        if not 0 <= size <= FRAME_MAX:
            return b""
        return head + await reader.readexactly(size)

    async def carry(self, reader, writer, up):
        try:
            while message := await self.message(reader):
                if self.route.delay:
                    await asyncio.sleep(self.route.delay)
                if not await self.let_pass(message, up):
                    return
                writer.write(message)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return

    async def let_pass(self, message, up):
        """May it go on? It waits here while it is held; False: it is lost, and the connection."""
        route = self.route
        await route.open_both.wait()
        if not up:
            await route.open_down.wait()
        if route.raw:
            return True
        if up:
            key, _, number = struct.unpack_from(">hhi", message, 4)
            self.asked[number] = key
            route.requests += 1
            return True
        number, = struct.unpack_from(">i", message, 4)
        route.answers += 1
        if route.loses(self.asked.pop(number, -1)):
            route.lost += 1
            return False
        return True


class Proxy:
    """All routes, and whoever commands them."""

    def __init__(self, routes):
        self.routes = routes
        self.done = asyncio.Event()

    def command(self, words):
        """The answer; ValueError: not understood."""
        verb, words = words[0], words[1:]
        wanted = {"delay": 1, "lose": 2}.get(verb, 0)
        if not wanted <= len(words) <= wanted + 1:
            raise ValueError(f"{verb}: {wanted} words are expected, and a route")
        numbers = [int(word) for word in words]
        chosen = self.routes if len(words) == wanted else [self.routes[self.index(numbers[-1])]]
        if verb == "status":
            return "".join(f"{route.listen} connections={len(route.connections)} "
                           f"requests={route.requests} answers={route.answers} lost={route.lost}\n"
                           for route in chosen)
        if verb == "quit":
            self.done.set()
            return ""
        for route in chosen:
            self.order(route, verb, numbers)
        return ""

    def index(self, number):
        if not 1 <= number <= len(self.routes):
            raise ValueError(f"route {number}: 1 to {len(self.routes)} are there")
        return number - 1

    @staticmethod
    def order(route, verb, numbers):
        if verb == "hold":
            route.open_both.clear()
        elif verb == "mute":
            route.open_down.clear()
        elif verb == "flow":
            route.open_both.set()
            route.open_down.set()
        elif verb == "delay":
            route.delay = numbers[0] / 1000
        elif verb in ("cut", "refuse"):
            route.refusing = verb == "refuse"
            route.cut()
        elif verb == "accept":
            route.refusing = False
        elif verb == "lose" and not route.raw:
            route.lose[numbers[0]], route.seen[numbers[0]] = numbers[1], 0
        else:
            raise ValueError(f"{verb}: not understood")

    async def listen_to(self, reader, writer):
        while line := (await reader.readline()).decode().split():
            try:
                answer = self.command(line)
            except ValueError as error:
                answer = f"error: {error}\n"
            writer.write((answer + "ok\n" if not answer.startswith("error") else answer).encode())
            await writer.drain()
        writer.close()

    async def serve(self, control):
        servers = [await asyncio.start_server(route.take, "127.0.0.1", route.listen)
                   for route in self.routes]
        servers.append(await asyncio.start_unix_server(self.listen_to, control))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.done.set)
        print("proxy ready", flush=True)
        await self.done.wait()
        for server in servers:
            server.close()
        for route in self.routes:
            route.cut()
        while any(route.connections for route in self.routes):
            await asyncio.sleep(0)
        os.unlink(control)


def tell(control, *words):
    """One command to a running proxy; its answer without the ok. ValueError: it was refused."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(10)
        door.connect(control)
        door.sendall((" ".join(str(word) for word in words) + "\n").encode())
        answer = ""
        while not answer.endswith("ok\n"):
            more = door.recv(CHUNK).decode()
            answer += more
            if not more or answer.startswith("error"):
                raise ValueError(answer.strip() or "the proxy went away")
    return answer[:-len("ok\n")]


async def work(arguments):
    routes = []
    for pair in arguments.routes.split(","):
        listen, broker = pair.split(":")
        routes.append(Route(int(listen), int(broker), arguments.raw))
    await Proxy(routes).serve(arguments.control)


def main():
    if len(sys.argv) > 3 and sys.argv[1] == "--tell":
        try:
            print(tell(sys.argv[2], *sys.argv[3:]), end="")
        except (OSError, ValueError) as error:
            print(f"proxy: {error}", file=sys.stderr)
            return 1
        return 0
    parser = argparse.ArgumentParser(prog="proxy.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routes", required=True)
    parser.add_argument("--control", required=True)
    parser.add_argument("--raw", action="store_true")
    asyncio.run(work(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
