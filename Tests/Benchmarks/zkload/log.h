/*
 * The least that a log with the layout of ours costs: blocks of 4096 bytes, of
 * which the last, begun one is written again with what follows; a mark of 12
 * bytes after each batch; the file extended by 64 MiB at a time, ahead of the
 * writes. Records are bytes of a given size: nothing is encoded and no checksum
 * is taken, because that is what the program adds to the floor.
 *
 * Two ways, as the log has them: direct writes that return when they are
 * durable (O_DIRECT | O_DSYNC), and where the file system refuses them, pwrite
 * of exactly the new bytes with fdatasync. Measure both: which one is the floor
 * depends on the disk, and the faster one counts.
 */
#ifndef LOG_H
#define LOG_H
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BLOCK = 4096, LOG_STEP = 64 << 20, LOG_MARK = 12, LOG_ROOM = 16 << 20 };

typedef struct {
    int fd;
    bool direct;
    uint8_t *memory;                    /* the file from `offset` on, which is a multiple of the block */
    size_t count, written;
    off_t offset, allocated;
} Log;

static void log_fail(const char *what)
{
    fprintf(stderr, "log: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void log_allocate(Log *log)
{
    off_t needed = log->offset + (off_t)log->count + LOG_BLOCK;
    while (needed >= log->allocated) {
        int code = posix_fallocate(log->fd, log->allocated, LOG_STEP);
        if (code) errno = code, log_fail("posix_fallocate");
        log->allocated += LOG_STEP;
    }
}

/* The file is gone from its folder at once: only the blocks matter. */
static bool log_open(Log *log, const char *directory, bool direct)
{
    static int number;
    char path[4096];
    snprintf(path, sizeof path, "%s/floor.%d.%d", directory, getpid(), number++);
    *log = (Log){ .direct = direct };
    log->fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | (direct ? O_DIRECT | O_DSYNC : 0), 0600);
    if (log->fd < 0 && direct) return false;
    if (log->fd < 0) log_fail(path);
    unlink(path);
    if (posix_memalign((void **)&log->memory, LOG_BLOCK, LOG_ROOM)) log_fail("posix_memalign");
    memset(log->memory, 0, LOG_ROOM);
    log_allocate(log);
    if (direct && pwrite(log->fd, log->memory, LOG_BLOCK, 0) != LOG_BLOCK) {
        close(log->fd);
        free(log->memory);
        return false;
    }
    log->count = log->written = 16;     /* the header */
    return true;
}

static void log_append(Log *log, const void *record, size_t size)
{
    if (log->count + size + 2 * LOG_BLOCK > LOG_ROOM) errno = ENOBUFS, log_fail("batch");
    memcpy(log->memory + log->count, record, size);
    log->count += size;
}

static void log_sync(Log *log)
{
    size_t end = log->count;
    if (end == log->written) return;
    memset(log->memory + end, 1, LOG_MARK);
    log_allocate(log);
    size_t first = log->direct ? 0 : log->written, last = end + LOG_MARK;
    if (log->direct) last = (last + LOG_BLOCK - 1) / LOG_BLOCK * LOG_BLOCK;
    if (pwrite(log->fd, log->memory + first, last - first, log->offset + (off_t)first) != (ssize_t)(last - first))
        log_fail("pwrite");
    if (!log->direct && fdatasync(log->fd)) log_fail("fdatasync");
    size_t whole = end / LOG_BLOCK * LOG_BLOCK;
    memmove(log->memory, log->memory + whole, end - whole);
    memset(log->memory + end - whole, 0, whole + LOG_MARK);
    log->offset += (off_t)whole;
    log->count = log->written = end - whole;
}
#endif
