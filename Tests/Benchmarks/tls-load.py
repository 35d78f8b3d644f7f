#!/usr/bin/env python3
"""The load of tls.sh, and its bars: measured, limit, verdict.

    tls-load.py SCALE CA ZKCLI NAME=PROCESS:PORT:SECURE-PORT...

Reads are getData of 100 bytes, 64 in flight on one connection. A handshake is a full one of TLS 1.3, with the
connection and its end. The CPU is that of the server's process, by the kernel's accounts.
"""
import os
import socket
import ssl
import statistics
import struct
import subprocess
import sys

READS_IN_FLIGHT = 64
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")

scale, authority, zkcli = float(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=authority)


def connect(port, encrypted):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_hostname="localhost") if encrypted else connection


def receive(connection, length):
    data = bytearray()
    while len(data) < length:
        piece = connection.recv(1 << 16)
        if not piece:
            raise EOFError("the server closed the connection")
        data += piece
    return data


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


def cpu_ms(process):
    fields = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_MS


def read_in_pipeline(process, port, encrypted, batches):
    """The server's CPU for one read, in microseconds."""
    connection = connect(port, encrypted)
    connection.sendall(frame(struct.pack(">iqiqi", 0, 0, 30000, 0, 16) + bytes(16) + b"\0"))
    receive(connection, 41)
    request = struct.pack(">ii", 1, 4) + struct.pack(">i", 6) + b"/bench" + b"\0"
    pipeline = frame(request) * READS_IN_FLIGHT
    # Length, head, data of 100 bytes and a stat.
    answer = (4 + 16 + 4 + 100 + 68) * READS_IN_FLIGHT
    before = cpu_ms(process)
    for _ in range(batches):
        connection.sendall(pipeline)
        receive(connection, answer)
    after = cpu_ms(process)
    connection.close()
    return (after - before) * 1000 / (batches * READS_IN_FLIGHT)


def shake_hands(process, port, count):
    """The server's CPU for one handshake, in microseconds."""
    before = cpu_ms(process)
    for _ in range(count):
        connect(port, True).close()
    return (cpu_ms(process) - before) * 1000 / count


def run_command(server, options):
    """The CPU of one command, in milliseconds."""
    process = subprocess.Popen([zkcli, "-s", server, *options, "get", "/bench"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{zkcli} -s {server} has failed")
    process.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1000


results = {}
print(f"{'server':<8} {'read, plain':>14} {'read, TLS':>14} {'handshake':>14}   (CPU, microseconds)")
for argument in sys.argv[4:]:
    name, place = argument.split("=")
    process, port, secure = map(int, place.split(":"))
    subprocess.run([zkcli, "-s", f"127.0.0.1:{port}", "create", "/bench", "v" * 100], check=True,
                   stdout=subprocess.DEVNULL)
    batches, handshakes = int(4000 * scale), int(1500 * scale)
    rows = []
    for measure in (
        lambda part: read_in_pipeline(process, port, False, batches // part),
        lambda part: read_in_pipeline(process, secure, True, batches // part),
        lambda part: shake_hands(process, secure, handshakes // part),
    ):
        # Java's compiler needs to have seen the code; afterwards the better of two counts.
        measure(2)
        rows.append(min(measure(1), measure(1)))
    results[name] = rows
    print(f"{name:<8} {rows[0]:>14.2f} {rows[1]:>14.2f} {rows[2]:>14.1f}")
# One after the other, so that a busy machine is as busy for both.
pairs = [
    (run_command(f"127.0.0.1:{port}", []), run_command(f"zks://localhost:{secure}", ["--cacert", authority]))
    for _ in range(int(100 * scale) or 1)
]
plain, encrypted = (statistics.median(column) for column in zip(*pairs))
print(f"zkcli get: {plain:.2f} ms of CPU in the clear, {encrypted:.2f} ms with TLS\n")

missed = False


def bar(name, value, limit, unit):
    global missed
    missed = missed or value > limit
    print(f"{name:<52} {value:9.3f} <= {limit:7.3f} {unit:<3} {'MISSED' if value > limit else 'ok'}")


bar("pipelined reads with TLS: CPU over Apache's", results["zkcli"][1] / results["apache"][1], 1 / 10, "x")
bar("handshakes: CPU over Apache's", results["zkcli"][2] / results["apache"][2], 1 / 3, "x")
bar("one-shot get: CPU that TLS adds", encrypted - plain, 5, "ms")
sys.exit(missed)
