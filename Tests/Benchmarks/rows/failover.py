"""What clients see of a leader that is killed, or paused: how long nothing is written, and where their sessions are."""
import json
import signal
import subprocess
import time

from figures import Figure
from loads import Load, Others
from machine import Failure
from serving import peers
import servers

SYNC_LIMIT = 2
SESSION_TIMEOUT_MS = 30_000
# A write that the leader has sent on before it ends may be answered so much later.
UNDER_WAY_NS = 50_000_000


class Crowd(Load):
    """Sessions of crowd.c, open when this is made."""

    def __init__(self, context, mode, count, hosts):
        super().__init__(
            [context.kit / "crowd", mode, count, SESSION_TIMEOUT_MS, ",".join(hosts)], stdin=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise Failure(f"crowd: {self.process.communicate()[1]}")

    def result(self):
        """What became of them; communicate closes its input, which ends it."""
        output, errors = self.process.communicate(timeout=120)
        if self.process.returncode:
            raise Failure(f"crowd: {errors}")
        return json.loads(output)


def failover(context):
    count, sessions = context.scaled(1_000_000, least=10_000), context.scaled(10_000, least=200)
    what = f"leader of {count:,} znodes and {sessions:,} sessions killed"
    write = Figure("failover.write", f"{what}: until the next write is acknowledged", "ms")
    back = Figure("failover.sessions", f"{what}: until all sessions are back", "ms")
    lost = Figure("failover.lost", f"{what}: sessions lost", "")
    paused = Figure("failover.paused", "leader paused: the next write, beyond syncLimit", "ms")
    figures = [write, back, lost, paused]
    for name in ["zkcli", *peers(context, figures, context.slow_peers)]:
        ensemble = servers.start_ensemble(
            context, name, data=context.snapshot(count), keys={"syncLimit": SYNC_LIMIT})
        for _ in range(context.runs if name == "zkcli" else 1):
            kill_leader(context, ensemble, sessions, write, back, lost)
        for _ in range(context.runs if name == "zkcli" else 1):
            pause_leader(context, ensemble, paused)
        servers.stop(context, ensemble)
    return figures


def split(context, ensemble):
    """The leader's index, and the hosts of the followers."""
    leader = servers.leader_index(context, ensemble)
    return leader, [host for index, host in enumerate(ensemble.hosts) if index != leader]


def silence_ms(written, since):
    """How long after `since` the first write is answered: the end of the longest gap that begins before, or with what
    was under way then."""
    gaps = [(end - begin, end) for begin, end in written["gaps"] if begin < since + UNDER_WAY_NS and end > since]
    if not gaps:
        raise Failure("the writer has seen nothing of it, or no write was acknowledged any more")
    return (max(gaps)[1] - since) / 1e6


def kill_leader(context, ensemble, sessions, write, back, lost):
    context.quiet.wait()
    leader, followers = split(context, ensemble)
    crowd = Crowd(context, "hold", sessions, ensemble.hosts)
    writer = Crowd(context, "write", 1, followers)
    time.sleep(0.5)
    victim = ensemble.processes[leader]
    survivors = [pid for pid in ensemble.pids if pid != victim.pid]
    others, since = Others(survivors), time.time_ns()
    victim.kill()
    victim.wait()
    time.sleep(1.5 if context.is_smoke else 8)
    written, held = writer.result(), crowd.result()
    cores = others.cores()
    write.add(ensemble.name, silence_ms(written, since), cores)
    back.add(ensemble.name, max(0, held["last_back_ns"] - since) / 1e6, cores)
    lost.add(ensemble.name, held["lost"] + held["without_server"], cores)
    context.processes.stop([victim])
    ensemble.processes[leader] = context.processes.start(
        ensemble.launch[leader], ensemble.directory / str(leader + 1) / "log")
    servers.wait(context, ensemble, "write", hosts=[ensemble.hosts[leader]])


def pause_leader(context, ensemble, paused):
    context.quiet.wait()
    leader, followers = split(context, ensemble)
    writer = Crowd(context, "write", 1, followers)
    time.sleep(0.5)
    limit = SYNC_LIMIT * servers.TICK_MS
    victim = ensemble.processes[leader]
    others, since = Others([pid for pid in ensemble.pids if pid != victim.pid]), time.time_ns()
    victim.send_signal(signal.SIGSTOP)
    try:
        # Apache's followers may need several elections, since each of them waits for the leader for a while.
        time.sleep(limit / 1000 + (1 if ensemble.name == "zkcli" else 20))
        written = writer.result()
    finally:
        victim.send_signal(signal.SIGCONT)
    paused.add(ensemble.name, silence_ms(written, since) - limit, others.cores())
    servers.wait(context, ensemble, "write", hosts=[ensemble.hosts[leader]])
