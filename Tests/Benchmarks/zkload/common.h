/*
 * What the tools of this directory that measure floors share.
 *
 * TOOL is the name that errors are reported under. A tool does not use all of
 * it.
 */
#ifndef COMMON_H
#define COMMON_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SHARED __attribute__((unused)) static

SHARED uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
SHARED double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}
SHARED void fail(const char *what)
{
    fprintf(stderr, TOOL ": %s: %s\n", what, strerror(errno));
    exit(2);
}
SHARED int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}
SHARED void pair(int ends[2])           /* a TCP connection over loopback */
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
SHARED double number(const char *text, double low, double high)
{
    char *end;
    double v = strtod(text, &end);
    if (*end || end == text || v < low || v > high) {
        fprintf(stderr, TOOL ": %s: not between %g and %g\n", text, low, high);
        exit(2);
    }
    return v;
}
SHARED uint64_t hash(const uint8_t *p, size_t n)    /* of a path, eight bytes a step */
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
SHARED void *fresh(size_t bytes)        /* memory that the system has to give first, in large pages if it has any */
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

#endif
