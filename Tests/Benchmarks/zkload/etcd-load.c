/*
 * etcd-load - zkload's reads and writes for etcd: closed loop, HTTP/2 frames
 * made by hand, one thread. Prints the fields of zkload's line that matter.
 *
 *   etcd-load read|write HOST:PORT[,HOST:PORT...] CONNS WINDOW SECONDS KEYS BYTES [PID[,PID...]]
 *
 * Reads are serializable: answered by the member that is asked, as ZooKeeper's
 * reads are. Headers are sent as gRPC's own clients do, from the second request
 * on as indices into the table of HPACK. Values are written first, outside of
 * what is measured. Loopback only.
 *
 * Permission to use, copy, modify and distribute this file for any purpose is
 * granted; it comes with no warranty.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { MAX_CONNS = 64, MAX_WINDOW = 256, BUFFER = 1 << 20, WIDE = 1 << 30, MAX_SAMPLES = 1 << 22 };

typedef struct {
    int fd;
    bool has_table;                     /* whether the headers are in the server's table */
    uint32_t stream, head, inflight;    /* the next stream; the oldest slot in use */
    int64_t room, taken;                /* bytes that may be sent, and that were received since the last update */
    size_t in_count, out_count;
    uint8_t *in, *out;
    struct { uint32_t stream; size_t bytes; uint64_t sent; bool done; } slot[MAX_WINDOW];
} Conn;

static Conn conns[MAX_CONNS];
static int count_conns, window, keys, value_bytes;
static bool is_write;
static uint8_t value[1 << 16];
static uint64_t issued, done, limit, stop_at, seed = 88172645463325252ull, next_key;
static uint32_t *latency;               /* units of 100 ns */
static size_t samples;
static bool is_recording, is_setup;

static _Noreturn void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("etcd-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}
static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static void put(Conn *c, const void *bytes, size_t n)
{
    if (c->out_count + n > BUFFER) die("too much to send");
    memcpy(c->out + c->out_count, bytes, n);
    c->out_count += n;
}
static void put_frame(Conn *c, size_t n, uint8_t type, uint8_t flags, uint32_t stream)
{
    uint8_t head[9] = { (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, type, flags, (uint8_t)(stream >> 24),
                        (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };
    put(c, head, 9);
}
static void put32(Conn *c, uint32_t v) { v = htonl(v); put(c, &v, 4); }
static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return ntohl(v); }
static void flush(Conn *c)
{
    for (size_t at = 0; at < c->out_count;) {
        ssize_t n = send(c->fd, c->out + at, c->out_count - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) die("send: %s", strerror(errno));
        if (n > 0) at += (size_t)n;
    }
    c->out_count = 0;
}

static void put_headers(Conn *c)
{
    static const uint8_t indexed[] = { 0x83, 0x86, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62 };
    if (c->has_table) {
        put_frame(c, sizeof indexed, HEADERS, END_HEADERS, c->stream);
        put(c, indexed, sizeof indexed);
        return;
    }
    uint8_t block[256];
    const char *path = is_write || is_setup ? "/etcdserverpb.KV/Put" : "/etcdserverpb.KV/Range";
    const char *fields[4][2] = { { "\x44", path }, { "\x41", "localhost" }, { "\x5f", "application/grpc" },
                                 { "\x40\x02te", "trailers" } };
    size_t n = 2;
    block[0] = 0x83, block[1] = 0x86;   /* POST, http */
    for (int i = 0; i < 4; i++) {
        size_t name = strlen(fields[i][0]), size = strlen(fields[i][1]);
        memcpy(block + n, fields[i][0], name);
        block[n + name] = (uint8_t)size;
        memcpy(block + n + name + 1, fields[i][1], size);
        n += name + 1 + size;
    }
    put_frame(c, n, HEADERS, END_HEADERS, c->stream);
    put(c, block, n);
    c->has_table = true;
}
static size_t put_varint(uint8_t *p, uint32_t v)
{
    size_t n = 0;
    for (; v >= 128; v >>= 7) p[n++] = (uint8_t)(v | 128);
    p[n++] = (uint8_t)v;
    return n;
}
static bool request(Conn *c, uint64_t now)
{
    uint8_t message[64];
    bool writes = is_write || is_setup;
    uint64_t key = is_setup ? next_key++ : any() % (uint64_t)keys;
    size_t n = 7 + (size_t)sprintf((char *)message + 7, "/zkload/k%08" PRIu64, key);
    message[5] = 0x0a, message[6] = (uint8_t)(n - 7);
    if (writes) {
        message[n++] = 0x12;
        n += put_varint(message + n, (uint32_t)value_bytes);
    } else {
        message[n++] = 0x38, message[n++] = 1;
    }
    size_t all = n + (writes ? (size_t)value_bytes : 0);
    if (c->room < (int64_t)all) return false;
    c->room -= (int64_t)all;
    message[0] = 0;
    uint32_t length = htonl((uint32_t)(all - 5));
    memcpy(message + 1, &length, 4);
    put_headers(c);
    put_frame(c, all, DATA, END_STREAM, c->stream);
    put(c, message, n);
    if (writes) put(c, value, (size_t)value_bytes);
    uint32_t at = (c->head + c->inflight++) % MAX_WINDOW;
    c->slot[at].stream = c->stream;
    c->slot[at].bytes = 0;
    c->slot[at].sent = now;
    c->slot[at].done = false;
    c->stream += 2;
    return true;
}
static void pump(Conn *c, uint64_t now)
{
    while (c->inflight < (uint32_t)window && issued < limit && (!stop_at || now < stop_at)) {
        if (!request(c, now)) break;
        issued++;
    }
    if (c->out_count) flush(c);
}

static void on_frame(Conn *c, uint8_t type, uint8_t flags, uint32_t stream, const uint8_t *p, size_t n, uint64_t now)
{
    if (type == RST_STREAM) die("the server ended a stream");
    if (type == GOAWAY) die("the server ended the connection");
    if (type == WINDOW_UPDATE && !stream) c->room += get32(p);
    if (type == SETTINGS && !(flags & ACK)) put_frame(c, 0, SETTINGS, ACK, 0);
    if (type == PING && !(flags & ACK)) {
        put_frame(c, n, PING, ACK, 0);
        put(c, p, n);
    }
    if (type != DATA && type != HEADERS) return;
    if (type == DATA && (c->taken += (int64_t)n) > WIDE / 2) {
        put_frame(c, 4, WINDOW_UPDATE, 0, 0);
        put32(c, (uint32_t)c->taken);
        c->taken = 0;
    }
    for (uint32_t i = 0; i < c->inflight; i++) {
        uint32_t at = (c->head + i) % MAX_WINDOW;
        if (c->slot[at].stream != stream) continue;
        if (type == DATA) c->slot[at].bytes += n;
        if (!(flags & END_STREAM)) return;
        bool reads = !is_write && !is_setup;
        if (c->slot[at].bytes < (reads ? (size_t)value_bytes : 5)) die("an answer of %zu bytes", c->slot[at].bytes);
        if (is_recording && samples < MAX_SAMPLES) latency[samples++] = (uint32_t)((now - c->slot[at].sent) / 100);
        c->slot[at].done = true;
        done++;
        while (c->inflight && c->slot[c->head].done) c->head = (c->head + 1) % MAX_WINDOW, c->inflight--;
        return;
    }
    die("an answer on stream %u, where nothing was asked", stream);
}
static void readable(Conn *c)
{
    ssize_t got = recv(c->fd, c->in + c->in_count, BUFFER - c->in_count, 0);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) die("connection lost");
    c->in_count += (size_t)got;
    uint64_t now = now_ns();
    size_t at = 0;
    while (c->in_count - at >= 9) {
        const uint8_t *p = c->in + at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (n + 9 > BUFFER) die("a frame of %zu bytes", n);
        if (c->in_count - at - 9 < n) break;
        on_frame(c, p[3], p[4], get32(p + 5) & INT32_MAX, p + 9, n, now);
        at += 9 + n;
    }
    memmove(c->in, c->in + at, c->in_count - at);
    c->in_count -= at;
    pump(c, now);
}
static void run(uint64_t count, double seconds)
{
    issued = done = 0;
    limit = count ? count : UINT64_MAX;
    uint64_t begin = now_ns(), end = begin + 300000000000ull;
    stop_at = seconds > 0 ? begin + (uint64_t)(seconds * 1e9) : 0;
    for (int i = 0; i < count_conns; i++) pump(&conns[i], begin);
    struct pollfd p[MAX_CONNS];
    for (;;) {
        uint64_t now = now_ns();
        if (done == issued && (issued >= limit || (stop_at && now >= stop_at))) return;
        if (now > end) die("no end after 300 s");
        for (int i = 0; i < count_conns; i++) p[i] = (struct pollfd){ conns[i].fd, POLLIN, 0 };
        poll(p, (nfds_t)count_conns, 100);
        for (int i = 0; i < count_conns; i++)
            if (p[i].revents) readable(&conns[i]);
    }
}

static void open_conn(Conn *c, const char *place)
{
    char host[64];
    const char *colon = strchr(place, ':');
    struct sockaddr_in a = { .sin_family = AF_INET };
    if (!colon || colon - place > 60) die("%s: not HOST:PORT", place);
    snprintf(host, sizeof host, "%.*s", (int)(colon - place), place);
    a.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || ntohl(a.sin_addr.s_addr) >> 24 != 127)
        die("%s: not loopback", host);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a)) die("connect: %s", strerror(errno));
    if (!c->in) c->in = malloc(BUFFER), c->out = malloc(BUFFER);
    if (!c->in || !c->out) die("out of memory");
    c->stream = 1;
    c->room = 65535;
    c->has_table = false;
    c->head = c->inflight = 0;
    c->in_count = c->out_count = 0;
    c->taken = 0;
    put(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(c, 6, SETTINGS, 0, 0);
    put(c, "\0\4", 2);                  /* the window of each stream */
    put32(c, WIDE);
    put_frame(c, 4, WINDOW_UPDATE, 0, 0);
    put32(c, WIDE);
    flush(c);
}
static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}
static double cpu_seconds(const char *pids)
{
    double sum = 0;
    for (const char *p = pids; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char path[64], line[2048];
        snprintf(path, sizeof path, "/proc/%d/stat", atoi(p));
        FILE *f = fopen(path, "r");
        unsigned long user = 0, system = 0;
        if (!f || !fgets(line, sizeof line, f) ||
            sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
            die("%s: unreadable", path);
        fclose(f);
        sum += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 8 || argc > 9) {
        fputs("etcd-load read|write HOST:PORT[,...] CONNS WINDOW SECONDS KEYS BYTES [PID[,...]]\n", stderr);
        return 2;
    }
    int wanted = atoi(argv[3]), depth = atoi(argv[4]);
    double seconds = atof(argv[5]);
    keys = atoi(argv[6]);
    value_bytes = atoi(argv[7]);
    const char *pids = argc > 8 ? argv[8] : NULL, *places[16];
    int place_count = 0;
    for (char *s = strtok(argv[2], ","); s && place_count < 16; s = strtok(NULL, ",")) places[place_count++] = s;
    if (wanted < 1 || wanted > MAX_CONNS || depth < 1 || depth > MAX_WINDOW || seconds <= 0 || seconds > 600 ||
        keys < 1 || value_bytes < 0 || value_bytes > (int)sizeof value || !place_count)
        die("an argument is out of range");
    latency = malloc(MAX_SAMPLES * sizeof *latency);
    if (!latency) die("out of memory");
    for (size_t i = 0; i < sizeof value; i++) value[i] = (uint8_t)(any() >> 24);
    /* The set-up has a connection of its own: the table of headers holds one path. */
    is_setup = true;
    count_conns = 1;
    window = 64;
    open_conn(&conns[0], places[0]);
    run((uint64_t)keys, 0);
    close(conns[0].fd);
    is_setup = false;
    is_write = !strcmp(argv[1], "write");
    count_conns = wanted;
    window = depth;
    for (int i = 0; i < wanted; i++) open_conn(&conns[i], places[i % place_count]);
    run(0, seconds / 4);
    is_recording = true;
    double cpu = cpu_seconds(pids);
    uint64_t begin = now_ns();
    run(0, seconds);
    double wall = (double)(now_ns() - begin) / 1e9, ops = (double)done;
    cpu = cpu_seconds(pids) - cpu;
    if (!samples) die("no answer");
    qsort(latency, samples, sizeof *latency, compare);
    printf("{\"tool\":\"etcd-load\",\"mode\":\"%s\",\"ops\":%.0f,\"seconds\":%.3f,\"ops_per_s\":%.1f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"server_cpu_us_per_op\":%.2f}\n",
           argv[1], ops, wall, ops / wall, latency[samples / 2] / 10.0, latency[samples * 99 / 100] / 10.0,
           cpu / ops * 1e6);
    return 0;
}
