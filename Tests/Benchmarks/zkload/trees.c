/*
 * trees - the least that one machine can pay for a tree of znodes: to read it,
 * to have it in memory, to send it.
 *
 *   trees snapshot FILE ZNODES BYTES
 *       writes a snapshot as servers do, with ZNODES in folders of 1,000 and
 *       BYTES of data each: the same input for the floors and for all servers.
 *   trees names FILE RUNS
 *       reads a snapshot with read(2), a mebibyte at a time, hashes the path of
 *       each znode and puts it into a table with room for all: no server can
 *       have a tree again with less, whatever the rest of its znode is. No
 *       checksum, no copy of data, no lists of children.
 *   trees keep FILE RUNS
 *       the same, and each znode's name, data and stat are copied into memory
 *       that the system has to give first, in pages as large as it has: what
 *       names leaves out, and no server can.
 *   trees send FILE RUNS
 *       FILE to a process that reads and drops it, over loopback, by sendfile:
 *       what sending a snapshot to a learner costs where nothing looks at its
 *       bytes. `ms` is the wall time until the last byte is read. The reader's
 *       copying is part of it; its tree is not.
 *   trees learn FILE DIR RUNS
 *       the same to a process that keeps the tree as `keep` does, and writes
 *       the bytes to a file in DIR that is synced before the last one counts as
 *       read: a learner may not acknowledge a history that it could lose.
 *
 * The first run is dropped where there are more, so that the file is in the
 * page cache, as it is for the server that has just been measured. A line of
 * JSON comes out for each other one.
 *
 * Permission to use, copy, modify and distribute this file for any purpose is
 * granted; it comes with no warranty.
 */
#define _GNU_SOURCE
#define TOOL "trees"
#include "common.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PIECE = 1 << 20, ROOM = 4 << 20 };

static uint8_t piece[PIECE];

/* --------------------------------------------------------------- reading */

/* A snapshot that is read from a file or a connection; what was read goes to
 * `copy` too, unless that is -1. */
typedef struct { int fd, copy; uint8_t *memory; size_t at, count; } Input;

static const uint8_t *take(Input *in, size_t n)
{
    if (!in->memory && !(in->memory = malloc(ROOM))) fail("malloc");
    if (in->count - in->at < n) {
        memmove(in->memory, in->memory + in->at, in->count - in->at);
        in->count -= in->at;
        in->at = 0;
        while (in->count < n) {
            ssize_t got = n > ROOM - PIECE ? 0 : read(in->fd, in->memory + in->count, PIECE);
            if (got <= 0) errno = EBADMSG, fail("not a snapshot, or cut off");
            if (in->copy >= 0 && write(in->copy, in->memory + in->count, (size_t)got) != got) fail("write");
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

static uint64_t read_tree(Input *in, size_t bytes, bool keeps)
{
    enum { STAT = 8 + 60 };
    size_t places = 1024;
    while (places < bytes / 100) places *= 2;
    uint64_t *table = fresh(places * sizeof *table), znodes = 0;
    uint8_t *kept = keeps ? fresh(bytes) : NULL, *end = kept;
    take(in, 16);
    for (uint32_t n = take32(in); n; n--) take(in, 12);
    for (uint32_t n = take32(in); n; n--) {
        take(in, 8);
        for (uint32_t k = take32(in); k; k--) take32(in), take(in, take32(in)), take(in, take32(in));
    }
    for (;;) {
        uint32_t size = take32(in);
        const uint8_t *path = take(in, size);
        if (size == 1 && *path == '/') break;
        uint64_t h = hash(path, size) | 1, at = h & (places - 1);
        while (table[at] && table[at] != h) at = (at + 1) & (places - 1);
        table[at] = h;
        znodes++;
        if (keeps) {
            const uint8_t *slash = memrchr(path, '/', size), *name = slash ? slash : path;
            size_t length = size - (size_t)(name - path);
            memcpy(end, name, length);
            end += length;
        }
        uint32_t data = take32(in), rest = (data == UINT32_MAX ? 0 : data) + STAT;
        const uint8_t *p = take(in, rest);
        if (keeps) memcpy(end, p, rest), end += rest;
    }
    munmap(table, places * sizeof *table);
    if (keeps) munmap(kept, bytes);
    return znodes;
}

static void print_run(const char *mode, uint64_t znodes, off_t bytes, uint64_t begin, uint64_t end, double cpu)
{
    printf("{\"tool\":\"trees\",\"mode\":\"%s\",\"znodes\":%" PRIu64 ",\"bytes\":%" PRId64
           ",\"ms\":%.2f,\"cpu_ms\":%.2f}\n",
           mode, znodes, (int64_t)bytes, (double)(end - begin) / 1e6, cpu / 1e3);
    fflush(stdout);
}

static void run_read(const char *mode, const char *path, int runs)
{
    struct stat status;
    if (stat(path, &status)) fail(path);
    for (int run = 0; run < runs; run++) {
        double cpu = cpu_us();
        uint64_t begin = now_ns();
        Input in = { .fd = open(path, O_RDONLY | O_CLOEXEC), .copy = -1 };
        if (in.fd < 0) fail(path);
        uint64_t znodes = read_tree(&in, (size_t)status.st_size, *mode == 'k'), end = now_ns();
        cpu = cpu_us() - cpu;
        close(in.fd);
        free(in.memory);
        if (run || runs == 1) print_run(mode, znodes, status.st_size, begin, end, cpu);
    }
}

/* --------------------------------------------------------------- sending */

static void drop(int fd, off_t left)
{
    while (left > 0) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0) _exit(1);
        left -= n;
    }
}

static void learn(int fd, off_t bytes, const char *dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/trees.learn.%d", dir, getpid());
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) fail(path);
    unlink(path);
    Input in = { .fd = fd, .copy = file };
    read_tree(&in, (size_t)bytes, true);
    /* The sum of the snapshot follows the tree. */
    while (lseek(file, 0, SEEK_CUR) < bytes) take(&in, in.count - in.at + 1);
    if (fsync(file)) fail("fsync");
}

static void run_send(const char *path, const char *dir, int runs)
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
            dir ? learn(ends[1], status.st_size, dir) : drop(ends[1], status.st_size);
            _exit(send(ends[1], "", 1, MSG_NOSIGNAL) != 1);
        }
        close(ends[1]);
        double cpu = cpu_us();
        uint64_t begin = now_ns();
        for (off_t at = 0; at < status.st_size;)
            if (sendfile(ends[0], file, &at, (size_t)(status.st_size - at)) <= 0) fail("sendfile");
        uint8_t answer;
        if (recv(ends[0], &answer, 1, 0) != 1) fail("the reader");
        uint64_t end = now_ns();
        cpu = cpu_us() - cpu;
        waitpid(reader, NULL, 0);
        close(ends[0]);
        if (run || runs == 1) print_run(dir ? "learn" : "send", 0, status.st_size, begin, end, cpu);
    }
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

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc == 4 && (!strcmp(mode, "names") || !strcmp(mode, "keep")))
        return run_read(mode, argv[2], (int)number(argv[3], 1, 100)), 0;
    if (argc == 4 && !strcmp(mode, "send")) return run_send(argv[2], NULL, (int)number(argv[3], 1, 100)), 0;
    if (argc == 5 && !strcmp(mode, "learn")) return run_send(argv[2], argv[3], (int)number(argv[4], 1, 100)), 0;
    if (argc == 5 && !strcmp(mode, "snapshot"))
        return write_snapshot(argv[2], (uint64_t)number(argv[3], 1, 1e8), (size_t)number(argv[4], 0, PIECE)), 0;
    fputs("trees snapshot FILE ZNODES BYTES | names FILE RUNS | keep FILE RUNS | send FILE RUNS |"
          " learn FILE DIR RUNS\n", stderr);
    return 2;
}
