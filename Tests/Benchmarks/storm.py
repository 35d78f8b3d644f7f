#!/usr/bin/env python3
"""The load of storm.sh, and its bar.

    storm.py NAME PORT PROCESS SECONDS

The light client has one request in flight: a read of 100 bytes, then a write of as many. The storm is 2,000
connections a second, each of which asks for a session and ends it by closing, and four clients with sixteen writes of
500,000 bytes in flight each.
"""
import multiprocessing
import socket
import struct
import sys
import time

CONNECTIONS_A_SECOND = 2000
LARGE_CLIENTS = 4
LARGE_IN_FLIGHT = 16
LARGE_BYTES = 500_000
BAR_MS = 50

name, port, process, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


def text(value):
    return struct.pack(">i", len(value)) + value


def dial(timeout=30):
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(frame(struct.pack(">iqiqi", 0, 0, 30000, 0, 16) + bytes(16) + b"\0"))
    return connection


def receive(connection):
    data = bytearray()
    while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
        piece = connection.recv(1 << 16)
        if not piece:
            raise EOFError("the server closed the connection")
        data += piece
    return bytes(data[4:])


def session():
    """A connection with a session; the server may refuse some."""
    for _ in range(200):
        try:
            connection = dial()
            receive(connection)
            return connection
        except (OSError, EOFError):
            time.sleep(0.05)
    raise SystemExit("no session was granted in ten seconds")


def create(connection, path, data):
    acl = struct.pack(">ii", 1, 31) + text(b"world") + text(b"anyone")
    connection.sendall(frame(struct.pack(">ii", 1, 1) + text(path) + text(data) + acl + struct.pack(">i", 0)))
    receive(connection)


def write(path, data):
    return frame(struct.pack(">ii", 1, 5) + text(path) + text(data) + struct.pack(">i", -1))


def connect_often(until, made, refused):
    begin = time.monotonic()
    count = 0
    while (now := time.monotonic()) < until:
        if count > (now - begin) * CONNECTIONS_A_SECOND / 2:
            time.sleep(0.0005)
            continue
        count += 1
        try:
            connection = dial(5)
            if not connection.recv(64):
                refused.value += 1
            connection.close()
            made.value += 1
        except OSError:
            refused.value += 1


def write_much(until, sent, closed):
    request = write(b"/large", bytes(LARGE_BYTES))
    while time.monotonic() < until:
        connection = session()
        try:
            connection.settimeout(30)
            for _ in range(LARGE_IN_FLIGHT):
                connection.sendall(request)
            while time.monotonic() < until:
                receive(connection)
                sent.value += 1
                connection.sendall(request)
        except (OSError, EOFError):
            closed.value += 1
        finally:
            connection.close()


def measure(connection, until):
    """The latencies of the light client, in milliseconds, sorted."""
    read = frame(struct.pack(">ii", 1, 4) + text(b"/light") + b"\0")
    change = write(b"/light", bytes(100))
    latencies = []
    while time.monotonic() < until:
        for request in (read, change):
            begin = time.monotonic()
            connection.sendall(request)
            receive(connection)
            latencies.append((time.monotonic() - begin) * 1000)
        time.sleep(0.002)
    return sorted(latencies)


def memory_mb():
    for line in open(f"/proc/{process}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024


def report(what, latencies):
    def quantile(level):
        return latencies[min(len(latencies) - 1, int(len(latencies) * level))]

    print(
        f"{name:<8} {what:<10} {len(latencies):>6} requests  p50 {quantile(0.5):8.2f} ms  p99 {quantile(0.99):8.2f} ms"
        f"  worst {latencies[-1]:8.2f} ms  memory {memory_mb()} MB"
    )
    return quantile(0.99)


light = session()
create(light, b"/light", bytes(100))
create(light, b"/large", b"")
report("quiet", measure(light, time.monotonic() + min(3, seconds)))
made, refused, sent, closed = (multiprocessing.Value("i", 0) for _ in range(4))
until = time.monotonic() + seconds
storm = [multiprocessing.Process(target=connect_often, args=(until, made, refused)) for _ in range(2)]
storm += [multiprocessing.Process(target=write_much, args=(until, sent, closed)) for _ in range(LARGE_CLIENTS)]
for part in storm:
    part.start()
p99 = report("in a storm", measure(light, until))
for part in storm:
    part.join(40)
    part.terminate()
print(
    f"{name:<8} {made.value / seconds:.0f} connections a second, {refused.value} refused;"
    f" {sent.value} large writes, {closed.value} connections with them closed"
)
verdict = "ok" if p99 < BAR_MS else "MISSED"
print(f"{name:<8} p99 of the light client in a storm {p99:.2f} < {BAR_MS} ms {verdict}")
sys.exit(0 if p99 < BAR_MS else 1)
