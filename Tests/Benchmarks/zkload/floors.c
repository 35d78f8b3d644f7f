/*
 * floors - the least that one machine can pay for what a server has to do.
 *
 *   floors log DIR BYTES BATCH SECONDS
 *       records of BYTES, BATCH of them in one write that is durable when it is
 *       done, as in log.h; a line of JSON for each of its two ways.
 *   floors commit DIR BYTES WINDOW SECONDS
 *       Three nodes, a process each, with a log each in DIR, and a client of
 *       the first, which leads; the messages of Zab as bytes of their size.
 *       Why it is a floor: a write cannot be answered before it is durable on
 *       the leader and one follower, and those learn of it by a message each;
 *       the second follower does the same work, since no leader knows which of
 *       them will be the faster. So there is for each write one PROPOSAL, one
 *       ACK and one COMMIT per follower, and one request and answer of the
 *       client. What has come meanwhile goes into one send and one sync. The
 *       leader sends before it syncs, so that all three disks work at a time;
 *       here they are one disk, as they are for servers on one machine. Nothing
 *       is decoded, ordered, applied or remembered. The client keeps WINDOW
 *       requests in flight. The CPU is that of the three nodes.
 *   floors hand-over DIR BYTES WINDOW SECONDS
 *       The same where each node has its log written by a thread, for which it
 *       waits no longer than PATIENCE_NS before it would go on: the least that
 *       a server costs which a slow disk does not stop. A node that writes by
 *       itself answers nobody, and loses its office, while its disk hangs.
 *
 * Permission to use, copy, modify and distribute this file for any purpose is
 * granted; it comes with no warranty.
 */
#define _GNU_SOURCE
#define TOOL "floors"
#include "common.h"
#include "log.h"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { MAX_SAMPLES = 1 << 20, PIECE = 1 << 20 };

static uint64_t latency[MAX_SAMPLES];
static uint8_t piece[PIECE];

static void print_latencies(const char *mode, const char *way, size_t n, uint64_t ops, double seconds, double cpu)
{
    if (!n) errno = ENODATA, fail("no sample");
    qsort(latency, n, sizeof *latency, compare);
    printf("{\"tool\":\"floors\",\"mode\":\"%s\",\"way\":\"%s\",\"ops\":%" PRIu64 ",\"seconds\":%.3f,"
           "\"ops_per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"server_cpu_us_per_op\":%.3f}\n",
           mode, way, ops, seconds, (double)ops / seconds, (double)latency[n / 2] / 1e3,
           (double)latency[n * 99 / 100] / 1e3, cpu / (double)ops);
    fflush(stdout);
}

/* ------------------------------------------------------------------- log */

static void run_log(const char *dir, bool direct, size_t bytes, int batch, double seconds)
{
    Log log;
    if (!log_open(&log, dir, direct)) return;
    size_t n = 0;
    double cpu = cpu_us();
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), t = begin;
    while (t < end && n < MAX_SAMPLES) {
        for (int i = 0; i < batch; i++) log_append(&log, piece, bytes);
        log_sync(&log);
        uint64_t u = now_ns();
        latency[n++] = u - t;
        t = u;
    }
    print_latencies("log", direct ? "direct" : "fdatasync", n, n * (uint64_t)batch, (double)(t - begin) / 1e9,
                    cpu_us() - cpu);
    close(log.fd);
    free(log.memory);
}

/* ------------------------------------------------------------ a node's log */

typedef struct { bool direct, threaded; } Way;

enum { PATIENCE_NS = 2000000 };

/* A log that is synced by its node, or by a thread. */
typedef struct {
    Log log;
    bool threaded, asked;
    pthread_mutex_t mutex;
    pthread_cond_t asking, done;
} Keeper;

static void *keep_log(void *argument)
{
    Keeper *keeper = argument;
    for (;;) {
        pthread_mutex_lock(&keeper->mutex);
        while (!keeper->asked) pthread_cond_wait(&keeper->asking, &keeper->mutex);
        pthread_mutex_unlock(&keeper->mutex);
        log_sync(&keeper->log);
        pthread_mutex_lock(&keeper->mutex);
        keeper->asked = false;
        pthread_mutex_unlock(&keeper->mutex);
        pthread_cond_signal(&keeper->done);
    }
    return NULL;
}

static void keeper_open(Keeper *keeper, const char *dir, Way way)
{
    if (!log_open(&keeper->log, dir, way.direct)) log_open(&keeper->log, dir, false);
    keeper->threaded = way.threaded;
    keeper->asked = false;
    if (!way.threaded) return;
    pthread_condattr_t clock;
    pthread_t thread;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&keeper->mutex, NULL);
    pthread_cond_init(&keeper->asking, NULL);
    pthread_cond_init(&keeper->done, &clock);
    if ((errno = pthread_create(&thread, NULL, keep_log, keeper))) fail("pthread_create");
}

static void keeper_sync(Keeper *keeper)
{
    if (!keeper->threaded) {
        log_sync(&keeper->log);
        return;
    }
    if (keeper->log.count == keeper->log.written) return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->asked = true;
    pthread_mutex_unlock(&keeper->mutex);
    pthread_cond_signal(&keeper->asking);
    pthread_mutex_lock(&keeper->mutex);
    while (keeper->asked) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_nsec += PATIENCE_NS;
        if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&keeper->done, &keeper->mutex, &t);
    }
    pthread_mutex_unlock(&keeper->mutex);
}

/* ---------------------------------------------------------------- commit */

/* A packet of Zab without its data; what a request and its answer of zkload's
 * setData of 100 bytes are. A PROPOSAL has the transaction without the 13 bytes
 * that the log puts around it, so that it is as long as the record and 7 more. */
enum { PACKET = 20, PROPOSAL_EXTRA = PACKET - 13, REQUEST = 141, REPLY = 88, FOLLOWERS = 2 };

static bool send_all(int fd, size_t n)  /* n bytes of anything */
{
    while (n) {
        ssize_t sent = send(fd, piece, n < PIECE ? n : PIECE, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        n -= (size_t)sent;
    }
    return true;
}
static ssize_t receive(int fd)          /* what is there, at least a byte; 0 at the end */
{
    static uint8_t in[1 << 18];
    ssize_t n;
    do n = recv(fd, in, sizeof in, 0); while (n < 0 && errno == EINTR);
    return n < 0 ? 0 : n;
}

static void follow(int leader, const char *dir, Way way, size_t record)
{
    Keeper keeper;
    keeper_open(&keeper, dir, way);
    /* In front of each send the leader tells how many PROPOSALs and COMMITs it
     * has, in place of the type in each packet. */
    for (;;) {
        uint32_t head[2];
        if (recv(leader, head, sizeof head, MSG_WAITALL) != sizeof head) _exit(0);
        size_t left = head[0] * (record + PROPOSAL_EXTRA) + head[1] * (size_t)PACKET;
        while (left) {
            ssize_t n = recv(leader, piece, left < PIECE ? left : PIECE, MSG_WAITALL);
            if (n <= 0) _exit(0);
            left -= (size_t)n;
        }
        if (!head[0]) continue;
        for (uint32_t i = 0; i < head[0]; i++) log_append(&keeper.log, piece, record);
        keeper_sync(&keeper);
        if (!send_all(leader, head[0] * (size_t)PACKET)) _exit(0);
    }
}

static void lead(int client, int follower[FOLLOWERS], const char *dir, Way way, size_t record)
{
    Keeper keeper;
    keeper_open(&keeper, dir, way);
    uint64_t in = 0, proposed = 0, answered = 0, acked[FOLLOWERS] = { 0 };
    for (;;) {
        struct pollfd p[3] = { { client, POLLIN, 0 }, { follower[0], POLLIN, 0 }, { follower[1], POLLIN, 0 } };
        if (poll(p, 3, -1) < 0) fail("poll");
        for (int i = 0; i < FOLLOWERS; i++) {
            if (!p[i + 1].revents) continue;
            ssize_t n = receive(follower[i]);
            if (!n) _exit(0);
            acked[i] += (uint64_t)n;
        }
        if (p[0].revents) {
            ssize_t n = receive(client);
            if (!n) _exit(0);
            in += (uint64_t)n;
        }
        /* The leader's own log has all that is proposed when it comes here. */
        uint64_t best = (acked[0] > acked[1] ? acked[0] : acked[1]) / PACKET;
        uint32_t committed = (uint32_t)(best - answered), fresh = (uint32_t)(in / REQUEST - proposed);
        if (!committed && !fresh) continue;
        answered += committed;
        if (committed && !send_all(client, committed * (size_t)REPLY)) _exit(0);
        for (int i = 0; i < FOLLOWERS; i++) {
            uint32_t head[2] = { fresh, committed };
            if (send(follower[i], head, sizeof head, MSG_NOSIGNAL | MSG_MORE) != sizeof head) _exit(0);
            if (!send_all(follower[i], fresh * (record + PROPOSAL_EXTRA) + committed * (size_t)PACKET)) _exit(0);
        }
        for (uint32_t i = 0; i < fresh; i++) log_append(&keeper.log, piece, record);
        keeper_sync(&keeper);
        proposed += fresh;
    }
}

static double nodes_cpu_us(const pid_t nodes[3])
{
    double sum = 0;
    for (int node = 0; node < 3; node++) {
        clockid_t clock;
        struct timespec t;
        if (clock_getcpuclockid(nodes[node], &clock) || clock_gettime(clock, &t)) fail("a node has ended");
        sum += (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
    }
    return sum;
}

static void run_commit(const char *dir, Way way, size_t record, int window, double seconds)
{
    int client[2], follower[FOLLOWERS][2], lead_ends[FOLLOWERS];
    pair(client);
    for (int i = 0; i < FOLLOWERS; i++) pair(follower[i]), lead_ends[i] = follower[i][0];
    pid_t nodes[3];
    for (int node = 0; node < 3; node++) {
        if ((nodes[node] = fork()) < 0) fail("fork");
        if (nodes[node]) continue;
        close(client[0]);
        if (node > 0) close(client[1]);
        for (int i = 0; i < FOLLOWERS; i++) {
            if (node != 0) close(follower[i][0]);
            if (node != i + 1) close(follower[i][1]);
        }
        if (node) follow(follower[node - 1][1], dir, way, record);
        else lead(client[1], lead_ends, dir, way, record);
        _exit(0);
    }
    close(client[1]);
    for (int i = 0; i < FOLLOWERS; i++) close(follower[i][0]), close(follower[i][1]);
    static uint64_t sent[8192];         /* when each request in flight was sent */
    uint64_t issued = 0, bytes = 0, done = 0, now = now_ns(), begin = 0, end = UINT64_MAX, first = 0;
    size_t n = 0;
    double cpu = 0;
    while (now < end) {
        /* The nodes open their logs while the first window is on its way. */
        if (!begin && done >= (uint64_t)window) {
            begin = now, end = now + (uint64_t)(seconds * 1e9), first = done, n = 0;
            cpu = nodes_cpu_us(nodes);
        }
        uint32_t room = (uint32_t)(window - (int)(issued - done));
        for (uint32_t i = 0; i < room; i++) sent[(issued + i) % 8192] = now;
        issued += room;
        if (room && !send_all(client[0], room * (size_t)REQUEST)) fail("send");
        ssize_t got = receive(client[0]);
        if (!got) fail("a node has ended");
        bytes += (uint64_t)got;
        now = now_ns();
        for (; done < bytes / REPLY; done++)
            if (n < MAX_SAMPLES) latency[n++] = now - sent[done % 8192];
    }
    cpu = nodes_cpu_us(nodes) - cpu;
    close(client[0]);
    for (int node = 0; node < 3; node++) waitpid(nodes[node], NULL, 0);
    print_latencies(way.threaded ? "hand-over" : "commit", way.direct ? "direct" : "fdatasync", n, done - first,
                    (double)(now - begin) / 1e9, cpu);
}

/* ------------------------------------------------------------------ main */

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    const char *mode = argc > 1 ? argv[1] : "";
    bool threaded = !strcmp(mode, "hand-over");
    if (argc == 6 && (!strcmp(mode, "log") || !strcmp(mode, "commit") || threaded)) {
        size_t bytes = (size_t)number(argv[3], 1, 4096);
        int window = (int)number(argv[4], 1, 1000);
        double seconds = number(argv[5], 0.1, 60);
        for (int direct = 1; direct >= 0; direct--) {
            if (*mode == 'l') run_log(argv[2], direct, bytes, window, seconds);
            else run_commit(argv[2], (Way){ direct, threaded }, bytes, window, seconds);
        }
        return 0;
    }
    fputs("floors log DIR BYTES BATCH SECONDS | commit DIR BYTES WINDOW SECONDS | hand-over DIR BYTES WINDOW SECONDS\n",
          stderr);
    return 2;
}
