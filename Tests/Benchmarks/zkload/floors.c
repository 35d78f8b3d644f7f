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
 *   floors sendfile FILE RUNS
 *       FILE to a process that reads and drops it, over loopback, by sendfile:
 *       what sending a snapshot to a learner costs where nothing looks at its
 *       bytes. `floor_us` is the wall time until the last byte is read. The
 *       reader's copying is part of it; its tree is not.
 *   floors names FILE RUNS
 *       reads a snapshot with read(2), a mebibyte at a time, hashes the path of
 *       each znode and puts it into a table with room for all: no server can
 *       have a tree again with less, whatever the rest of its znode is. No
 *       checksum, no copy of data, no lists of children. The first run is
 *       dropped where there are more, so that the file is in the page cache, as
 *       it is for the server that has just been measured.
 *   floors snapshot FILE ZNODES BYTES
 *       writes a snapshot as servers do, with ZNODES in folders of 1,000 and
 *       BYTES of data each: the same input for the floor and for all servers.
 *
 * Permission to use, copy, modify and distribute this file for any purpose is
 * granted; it comes with no warranty.
 */
#define _GNU_SOURCE
#include "log.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { MAX_SAMPLES = 1 << 20, PIECE = 1 << 20 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}
static void fail(const char *what)
{
    fprintf(stderr, "floors: %s: %s\n", what, strerror(errno));
    exit(2);
}
static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}
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

/* ---------------------------------------------------------------- commit */

/* A packet of Zab without its data; what a request and its answer of zkload's
 * setData of 100 bytes are. A PROPOSAL has the transaction without the 13 bytes
 * that the log puts around it, so that it is as long as the record and 7 more. */
enum { PACKET = 20, PROPOSAL_EXTRA = PACKET - 13, REQUEST = 141, REPLY = 88, FOLLOWERS = 2 };

static void pair(int ends[2])           /* a TCP connection over loopback */
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr *address = (struct sockaddr *)&a;
    if (bind(l, address, size) || listen(l, 1) || getsockname(l, address, &size)) fail("listen");
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(ends[0], address, size) || (ends[1] = accept(l, NULL, NULL)) < 0) fail("connect");
    for (int i = 0; i < 2; i++) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(l);
}
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

static void follow(int leader, const char *dir, bool direct, size_t record)
{
    Log log;
    if (!log_open(&log, dir, direct)) log_open(&log, dir, false);
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
        for (uint32_t i = 0; i < head[0]; i++) log_append(&log, piece, record);
        log_sync(&log);
        if (!send_all(leader, head[0] * (size_t)PACKET)) _exit(0);
    }
}

static void lead(int client, int follower[FOLLOWERS], const char *dir, bool direct, size_t record)
{
    Log log;
    if (!log_open(&log, dir, direct)) log_open(&log, dir, false);
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
        for (uint32_t i = 0; i < fresh; i++) log_append(&log, piece, record);
        log_sync(&log);
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

static void run_commit(const char *dir, bool direct, size_t record, int window, double seconds)
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
        if (node) follow(follower[node - 1][1], dir, direct, record);
        else lead(client[1], lead_ends, dir, direct, record);
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
    print_latencies("commit", direct ? "direct" : "fdatasync", n, done - first, (double)(now - begin) / 1e9, cpu);
}

/* -------------------------------------------------------------- sendfile */

static void run_sendfile(const char *path, int runs)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status)) fail(path);
    for (int run = 0; run < runs; run++) {
        int ends[2];
        pair(ends);
        pid_t reader = fork();
        if (reader < 0) fail("fork");
        if (!reader) {
            close(ends[0]);
            for (off_t left = status.st_size; left > 0;) {
                ssize_t n = receive(ends[1]);
                if (!n) _exit(1);
                left -= n;
            }
            _exit(send(ends[1], "", 1, MSG_NOSIGNAL) != 1);
        }
        close(ends[1]);
        double cpu = cpu_us();
        uint64_t begin = now_ns();
        for (off_t at = 0; at < status.st_size;)
            if (sendfile(ends[0], file, &at, (size_t)(status.st_size - at)) <= 0) fail("sendfile");
        if (receive(ends[0]) != 1) fail("the reader");
        uint64_t end = now_ns();
        cpu = cpu_us() - cpu;
        waitpid(reader, NULL, 0);
        close(ends[0]);
        printf("{\"tool\":\"floors\",\"mode\":\"sendfile\",\"bytes\":%" PRId64 ",\"ms\":%.2f,\"cpu_ms\":%.2f}\n",
               (int64_t)status.st_size, (double)(end - begin) / 1e6, cpu / 1e3);
    }
    fflush(stdout);
}

/* ----------------------------------------------------------------- names */

typedef struct { int fd; uint8_t *memory; size_t at, count; } Input;

static const uint8_t *take(Input *in, size_t n)
{
    enum { ROOM = 4 << 20 };
    if (!in->memory && !(in->memory = malloc(ROOM))) fail("malloc");
    if (in->count - in->at < n) {
        memmove(in->memory, in->memory + in->at, in->count - in->at);
        in->count -= in->at;
        in->at = 0;
        while (in->count < n) {
            ssize_t got = n > ROOM - PIECE ? 0 : read(in->fd, in->memory + in->count, PIECE);
            if (got <= 0) errno = EBADMSG, fail("not a snapshot, or cut off");
            in->count += (size_t)got;
        }
    }
    in->at += n;
    return in->memory + in->at - n;
}
static uint32_t take32(Input *in)
{
    uint32_t v;
    memcpy(&v, take(in, 4), 4);
    return ntohl(v);
}
static uint64_t hash(const uint8_t *p, size_t n)    /* eight bytes a step */
{
    uint64_t h = n * 0x9e3779b97f4a7c15ull, word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, p, n);
    h = (h ^ word) * 0xc4ceb9fe1a85ec53ull;
    return h ^ h >> 29;
}

static void run_names(const char *path, int runs)
{
    struct stat status;
    if (stat(path, &status)) fail(path);
    size_t places = 1024;
    while (places < (size_t)status.st_size / 100) places *= 2;
    for (int run = 0; run < runs; run++) {
        double cpu = cpu_us();
        uint64_t begin = now_ns(), znodes = 0;
        uint64_t *table = calloc(places, sizeof *table);
        Input in = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
        if (in.fd < 0 || !table) fail(path);
        take(&in, 16);
        for (uint32_t n = take32(&in); n; n--) take(&in, 12);
        for (uint32_t n = take32(&in); n; n--) {
            take(&in, 8);
            for (uint32_t k = take32(&in); k; k--) take32(&in), take(&in, take32(&in)), take(&in, take32(&in));
        }
        for (;;) {
            uint32_t size = take32(&in);
            const uint8_t *name = take(&in, size);
            if (size == 1 && *name == '/') break;
            uint64_t h = hash(name, size) | 1, at = h & (places - 1);
            while (table[at] && table[at] != h) at = (at + 1) & (places - 1);
            table[at] = h;
            znodes++;
            uint32_t data = take32(&in);
            if (data != UINT32_MAX) take(&in, data);
            take(&in, 8 + 60);
        }
        uint64_t end = now_ns();
        cpu = cpu_us() - cpu;
        close(in.fd);
        free(in.memory);
        free(table);
        if (run || runs == 1)
            printf("{\"tool\":\"floors\",\"mode\":\"names\",\"znodes\":%" PRIu64 ",\"bytes\":%" PRId64
                   ",\"ms\":%.2f,\"cpu_ms\":%.2f}\n",
                   znodes, (int64_t)status.st_size, (double)(end - begin) / 1e6, cpu / 1e3);
    }
    fflush(stdout);
}

/* -------------------------------------------------------------- snapshot */

static FILE *out;
static uint32_t sum_a = 1, sum_b;       /* Adler-32 */

static void put(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        sum_a += p[i];
        if (sum_a >= 65521) sum_a -= 65521;
        sum_b += sum_a;
        if (sum_b >= 65521) sum_b -= 65521;
    }
    if (fwrite(bytes, 1, n, out) != n) fail("write");
}
static void put32(uint32_t v) { v = htonl(v); put(&v, 4); }
static void put64(uint64_t v) { put32((uint32_t)(v >> 32)); put32((uint32_t)v); }
static void put_znode(const char *path, size_t bytes, uint32_t children)
{
    put32((uint32_t)strlen(path));
    put(path, strlen(path));
    put32((uint32_t)bytes);
    put(piece, bytes);
    put64(UINT64_MAX);                  /* the ACL list that lets anyone do anything */
    put64(1), put64(1), put64(1700000000000), put64(1700000000000);
    put32(0), put32(children), put32(0);
    put64(0), put64(1);
}
static void write_snapshot(const char *path, uint64_t count, size_t bytes)
{
    if (bytes > PIECE) errno = ERANGE, fail("BYTES");
    if (!(out = fopen(path, "wxe"))) fail(path);
    setvbuf(out, NULL, _IOFBF, PIECE);
    for (size_t i = 0; i < bytes; i++) piece[i] = (uint8_t)('a' + i % 26);
    put("ZKSN", 4);
    put32(2), put64(UINT64_MAX);
    put32(0), put32(0);
    uint32_t folders = (uint32_t)((count + 999) / 1000);
    put_znode("", 0, 2);
    put_znode("/zookeeper", 0, 2);
    put_znode("/zookeeper/config", 0, 0);
    put_znode("/zookeeper/quota", 0, 0);
    put_znode("/zkload", 0, folders);
    for (uint64_t i = 0; i < count; i++) {
        char name[64];
        uint64_t folder = i / 1000, rest = count - folder * 1000;
        snprintf(name, sizeof name, "/zkload/d%05" PRIu64, folder);
        if (i % 1000 == 0) put_znode(name, 0, (uint32_t)(rest < 1000 ? rest : 1000));
        snprintf(name, sizeof name, "/zkload/d%05" PRIu64 "/n%08" PRIu64, folder, i);
        uint32_t key = htonl((uint32_t)i);  /* as zkload -F wants it */
        if (bytes >= sizeof key) memcpy(piece, &key, sizeof key);
        put_znode(name, bytes, 0);
    }
    put32(1), put("/", 1);
    uint64_t sum = (uint64_t)sum_b << 16 | sum_a;
    put64(sum), put32(1), put("/", 1);
    if (fclose(out)) fail("close");
}

/* ------------------------------------------------------------------ main */

static double number(const char *text, double low, double high)
{
    char *end;
    double v = strtod(text, &end);
    if (*end || end == text || v < low || v > high) {
        fprintf(stderr, "floors: %s: not between %g and %g\n", text, low, high);
        exit(2);
    }
    return v;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc == 6 && (!strcmp(mode, "log") || !strcmp(mode, "commit"))) {
        size_t bytes = (size_t)number(argv[3], 1, 4096);
        int window = (int)number(argv[4], 1, 1000);
        double seconds = number(argv[5], 0.1, 60);
        for (int direct = 1; direct >= 0; direct--)
            (*mode == 'l' ? run_log : run_commit)(argv[2], direct, bytes, window, seconds);
        return 0;
    }
    if (argc == 4 && !strcmp(mode, "sendfile")) return run_sendfile(argv[2], (int)number(argv[3], 1, 100)), 0;
    if (argc == 4 && !strcmp(mode, "names")) return run_names(argv[2], (int)number(argv[3], 1, 100)), 0;
    if (argc == 5 && !strcmp(mode, "snapshot"))
        return write_snapshot(argv[2], (uint64_t)number(argv[3], 1, 1e8), (size_t)number(argv[4], 0, PIECE)), 0;
    fputs("floors log DIR BYTES BATCH SECONDS | commit DIR BYTES WINDOW SECONDS | sendfile FILE RUNS |"
          " names FILE RUNS | snapshot FILE ZNODES BYTES\n", stderr);
    return 2;
}
