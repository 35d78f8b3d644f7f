/*
 * crowd - sessions that outlive their connections, which zkload's do not: it
 * keeps its sessions as a client does when servers end under it, and it can
 * leave many behind for a server to expire.
 *
 *   crowd leave N TIMEOUT_MS HOSTS
 *       opens N sessions and drops each connection without closing its session,
 *       so that N is not bounded by descriptors. Prints how long it took.
 *   crowd hold N TIMEOUT_MS HOSTS
 *       holds N sessions, each on a host of the list in turn, and goes to the
 *       next host with each that loses its connection. Prints a line when all
 *       are open, and at the end of standard input another one: how many had to
 *       find a server again, when the last of them had (CLOCK_REALTIME), how
 *       many were refused as expired, how many have no server now.
 *   crowd write 1 TIMEOUT_MS HOSTS
 *       the same with one session that writes, one setData of / after another;
 *       the last line has every time without an answer of over 5 ms, with its
 *       begin and end (CLOCK_REALTIME).
 *
 * A client of a library waits up to a second before it tries again; this one
 * waits 20 ms, so that the figures are the servers'. HOSTS are ports of
 * 127.0.0.1, with commas.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HOSTS = 16, UNDER_WAY = 512, RETRY_MS = 20, GIVE_UP_MS = 1000, IN_BYTES = 512, LEAVE_SECONDS = 300,
       GAP_NS = 5000000, MAX_GAPS = 100000 };
typedef enum { WAITING, CONNECTING, ASKED, ATTACHED, LOST, LEFT } State;
typedef struct {
    int fd, host;
    State state;
    bool was_attached;
    uint64_t id, due;                   /* due: ms; when to try again, to give up, to ping */
    uint8_t password[16], in[IN_BYTES];
    size_t in_bytes;
} Session;

static struct sockaddr_in hosts[MAX_HOSTS];
static int host_count, count, timeout_ms, epoll, attached, under_way, next_source;
static Session *sessions;
static bool leaves, writes;
static uint64_t reattached, lost, left, answers, last_back_ns, last_answer_ns, gaps[MAX_GAPS][2];
static int gap_count;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(2);
}
static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static uint64_t now_ms(void) { return clock_ns(CLOCK_MONOTONIC) / 1000000; }

static uint8_t *put32(uint8_t *p, uint32_t v) { v = htonl(v); memcpy(p, &v, 4); return p + 4; }
static uint8_t *put64(uint8_t *p, uint64_t v) { return put32(put32(p, (uint32_t)(v >> 32)), (uint32_t)v); }
static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return ntohl(v); }

static void send_all(Session *s, const uint8_t *p, size_t n)
{
    /* Small, and on a connection with nothing under way: it fits, or the read side sees the loss. */
    if (send(s->fd, p, n, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET) fail("send");
}
static void send_connect(Session *s)
{
    uint8_t bytes[49], *p = put32(bytes, 45);
    p = put64(put32(put64(put32(p, 0), 0), (uint32_t)timeout_ms), s->id);
    memcpy(put32(p, 16), s->password, 16);
    bytes[48] = 0;
    send_all(s, bytes, 49);
}
static void send_simple(Session *s, int32_t xid, int32_t type)
{
    uint8_t bytes[12];
    put32(put32(put32(bytes, 8), (uint32_t)xid), (uint32_t)type);
    send_all(s, bytes, 12);
}
static void send_write(Session *s)
{
    uint8_t bytes[125] = { 0 }, *p = put32(bytes, 121);
    p = put32(put32(put32(p, (uint32_t)answers + 1), 5), 1);
    *p++ = '/';
    put32(put32(p, 100) + 100, UINT32_MAX);
    send_all(s, bytes, 125);
}

static void dial(Session *s)
{
    int one = 1;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) fail("socket");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Many addresses, because each has but 28,000 ports for connections to one server. */
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)(next_source++ % 100)) };
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(s->fd, (struct sockaddr *)&a, sizeof a)) fail("bind");
    if (connect(s->fd, (struct sockaddr *)&hosts[s->host], sizeof *hosts) && errno != EINPROGRESS) fail("connect");
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = s };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &e)) fail("epoll_ctl");
    s->state = CONNECTING;
    s->in_bytes = 0;
    s->due = now_ms() + GIVE_UP_MS;
    under_way++;
}
static void hang_up(Session *s, State state)
{
    if (s->state == ATTACHED) attached--;
    else if (s->state == CONNECTING || s->state == ASKED) under_way--;
    close(s->fd);
    s->fd = -1;
    s->state = state;
    s->host = (s->host + 1) % host_count;
    s->due = now_ms() + RETRY_MS;
}

static void on_connected(Session *s, const uint8_t *p, uint32_t n)
{
    under_way--;
    s->state = ATTACHED;                /* hang_up takes it back */
    attached++;
    if (n < 36 || (int32_t)get32(p + 4) <= 0) {
        lost++;
        hang_up(s, LOST);
        return;
    }
    s->id = (uint64_t)get32(p + 8) << 32 | get32(p + 12);
    memcpy(s->password, p + 20, 16);
    if (leaves) {
        left++;
        hang_up(s, LEFT);
        return;
    }
    s->due = now_ms() + (uint64_t)timeout_ms / 3;
    if (s->was_attached) reattached++;
    s->was_attached = true;
    last_back_ns = clock_ns(CLOCK_REALTIME);
    if (writes) send_write(s);
}
static void on_answer(Session *s, const uint8_t *p, uint32_t n)
{
    if (!writes || n < 16 || (int32_t)get32(p) < 0) return;     /* a ping's */
    if (get32(p + 12)) {
        fprintf(stderr, "crowd: a write is answered with error %d\n", (int)get32(p + 12));
        exit(2);
    }
    uint64_t now = clock_ns(CLOCK_REALTIME);
    if (answers++ && now - last_answer_ns > GAP_NS && gap_count < MAX_GAPS) {
        gaps[gap_count][0] = last_answer_ns;
        gaps[gap_count++][1] = now;
    }
    last_answer_ns = now;
    send_write(s);
}
static void on_readable(Session *s)
{
    ssize_t n = recv(s->fd, s->in + s->in_bytes, IN_BYTES - s->in_bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        hang_up(s, WAITING);
        return;
    }
    s->in_bytes += (size_t)n;
    size_t at = 0;
    while (s->in_bytes - at >= 4 && s->fd >= 0) {
        uint32_t length = get32(s->in + at);
        if (length > IN_BYTES - 4) errno = EBADMSG, fail("an answer");
        if (s->in_bytes - at - 4 < length) break;
        (s->state == ASKED ? on_connected : on_answer)(s, s->in + at + 4, length);
        at += 4 + length;
    }
    memmove(s->in, s->in + at, s->in_bytes - at);
    s->in_bytes -= at;
}

static void keep(void)                  /* what is due: tries, pings */
{
    uint64_t now = now_ms();
    for (int i = 0; i < count; i++) {
        Session *s = &sessions[i];
        if (s->due > now) continue;
        if (s->state == WAITING && under_way < UNDER_WAY) dial(s);
        else if (s->state == CONNECTING || s->state == ASKED) hang_up(s, WAITING);
        else if (s->state == ATTACHED) {
            send_simple(s, -2, 11);
            s->due = now + (uint64_t)timeout_ms / 3;
        }
    }
}
static void turn(void)
{
    static uint64_t next_keep;
    struct epoll_event events[512];
    int ready = epoll_wait(epoll, events, 512, 5);
    for (int i = 0; i < ready; i++) {
        Session *s = events[i].data.ptr;
        if (!s) continue;               /* standard input */
        if (s->fd < 0) continue;
        if (s->state == CONNECTING) {
            int code = 0;
            socklen_t size = sizeof code;
            getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &code, &size);
            if (code) {
                hang_up(s, WAITING);
                continue;
            }
            struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };
            epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &e);
            s->state = ASKED;
            send_connect(s);
        }
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(s);
    }
    if (now_ms() >= next_keep) {
        keep();
        next_keep = now_ms() + 5;
    }
}

static bool is_input_over(void)
{
    char byte;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}
static void close_sessions(void)        /* so that nothing is left to expire under what follows */
{
    for (int i = 0; i < count; i++)
        if (sessions[i].state == ATTACHED) send_simple(&sessions[i], 1 << 30, -11);
    uint64_t end = now_ms() + 10000;
    while (attached > 0 && now_ms() < end) {
        struct epoll_event events[512];
        int ready = epoll_wait(epoll, events, 512, 50);
        for (int i = 0; i < ready; i++) {
            Session *s = events[i].data.ptr;
            char bytes[4096];
            if (s && s->fd >= 0 && recv(s->fd, bytes, sizeof bytes, 0) == 0) hang_up(s, LEFT);
        }
    }
}

static int run_leave(void)
{
    leaves = true;
    uint64_t begin = now_ms();
    while (left + lost < (uint64_t)count) {
        turn();
        if (now_ms() - begin > LEAVE_SECONDS * 1000ull) errno = ETIMEDOUT, fail("leave");
    }
    printf("{\"sessions\":%llu,\"seconds\":%.3f}\n", (unsigned long long)left, (double)(now_ms() - begin) / 1000);
    return lost > 0;
}
static int run_hold(void)
{
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    while (attached < count || (writes && !answers)) {
        turn();
        if (is_input_over()) return 2;
    }
    printf("{\"open\":%d}\n", attached);
    fflush(stdout);
    while (!is_input_over()) turn();
    printf("{\"sessions\":%d,\"reattached\":%llu,\"lost\":%llu,\"without_server\":%llu,\"last_back_ns\":%llu,"
           "\"writes\":%llu,\"gaps\":[",
           count, (unsigned long long)reattached, (unsigned long long)lost,
           (unsigned long long)((uint64_t)(count - attached) - lost), (unsigned long long)last_back_ns,
           (unsigned long long)answers);
    for (int i = 0; i < gap_count; i++)
        printf("%s[%llu,%llu]", i ? "," : "", (unsigned long long)gaps[i][0], (unsigned long long)gaps[i][1]);
    printf("]}\n");
    fflush(stdout);
    close_sessions();
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    const char *mode = argc == 5 ? argv[1] : "";
    count = argc == 5 ? atoi(argv[2]) : 0;
    timeout_ms = argc == 5 ? atoi(argv[3]) : 0;
    writes = !strcmp(mode, "write");
    for (char *word = argc == 5 ? strtok(argv[4], ",") : NULL; word && host_count < MAX_HOSTS; word = strtok(NULL, ","))
        if (!strncmp(word, "127.0.0.1:", 10) && atoi(word + 10) > 0)
            hosts[host_count++] = (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_port = htons((uint16_t)atoi(word + 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if ((strcmp(mode, "leave") && strcmp(mode, "hold") && !writes) || count < 1 || count > 1000000 ||
        (writes && count != 1) || timeout_ms < 1 || !host_count) {
        fputs("crowd leave|hold|write N TIMEOUT_MS 127.0.0.1:PORT[,...]; write has one session\n", stderr);
        return 2;
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if ((epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll");
    if (!(sessions = calloc((size_t)count, sizeof *sessions))) fail("sessions");
    for (int i = 0; i < count; i++) sessions[i].fd = -1, sessions[i].host = i % host_count;
    return strcmp(mode, "leave") ? run_hold() : run_leave();
}
