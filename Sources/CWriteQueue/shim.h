// A queue of one write, on Linux's io_uring: the C library has no calls for it.
//
// Source: io_uring(7), io_uring_setup(2), io_uring_enter(2).
#ifndef ZKCLI_CWRITEQUEUE_SHIM_H
#define ZKCLI_CWRITEQUEUE_SHIM_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// The rings that this process shares with the kernel, and the fields of them that are used.
typedef struct {
  int descriptor;
  void *_Nullable rings;
  size_t rings_bytes;
  void *_Nullable entries;
  size_t entries_bytes;
  uint32_t *_Nullable submission_head, *_Nullable submission_tail, *_Nullable submission_array;
  uint32_t *_Nullable completion_head, *_Nullable completion_tail;
  void *_Nullable completions;
  uint32_t submission_mask, completion_mask;
} write_queue;

// What has become of the write.
enum write_queue_progress { write_queue_not_started, write_queue_goes_on, write_queue_ended };

#if defined(__linux__) && __has_include(<linux/io_uring.h>) && defined(IORING_ENTER_EXT_ARG) && defined(SYS_io_uring_setup)

static inline void write_queue_close(write_queue *_Nonnull queue) {
  if (queue->entries) munmap(queue->entries, queue->entries_bytes);
  if (queue->rings) munmap(queue->rings, queue->rings_bytes);
  close(queue->descriptor);
}

// Opens a queue; an error number if the system has none, or not with limits on waiting (Linux 5.11), or forbids it.
static inline int write_queue_open(write_queue *_Nonnull queue) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  memset(queue, 0, sizeof *queue);
  queue->descriptor = (int)syscall(SYS_io_uring_setup, 1, &parameters);
  if (queue->descriptor < 0) return errno;
  uint32_t needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_EXT_ARG;
  if ((parameters.features & needed) != needed) {
    write_queue_close(queue);
    return ENOSYS;
  }
  size_t submissions = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  size_t completions = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
  queue->rings_bytes = submissions > completions ? submissions : completions;
  queue->entries_bytes = parameters.sq_entries * sizeof(struct io_uring_sqe);
  int protection = PROT_READ | PROT_WRITE;
  char *rings = (char *)mmap(NULL, queue->rings_bytes, protection, MAP_SHARED, queue->descriptor, IORING_OFF_SQ_RING);
  if (rings != MAP_FAILED) queue->rings = rings;
  void *entries = mmap(NULL, queue->entries_bytes, protection, MAP_SHARED, queue->descriptor, IORING_OFF_SQES);
  if (entries != MAP_FAILED) queue->entries = entries;
  if (!queue->rings || !queue->entries) {
    write_queue_close(queue);
    return ENOMEM;
  }
  queue->submission_head = (uint32_t *)(rings + parameters.sq_off.head);
  queue->submission_tail = (uint32_t *)(rings + parameters.sq_off.tail);
  queue->submission_array = (uint32_t *)(rings + parameters.sq_off.array);
  queue->submission_mask = *(uint32_t *)(rings + parameters.sq_off.ring_mask);
  queue->completion_head = (uint32_t *)(rings + parameters.cq_off.head);
  queue->completion_tail = (uint32_t *)(rings + parameters.cq_off.tail);
  queue->completion_mask = *(uint32_t *)(rings + parameters.cq_off.ring_mask);
  queue->completions = rings + parameters.cq_off.cqes;
  return 0;
}

// Takes the result of the write, which is a number of bytes or an error number below 0, if it has ended.
static inline int write_queue_take(write_queue *_Nonnull queue, int *_Nonnull result) {
  uint32_t head = *queue->completion_head;
  if (head == __atomic_load_n(queue->completion_tail, __ATOMIC_ACQUIRE)) return 0;
  *result = ((struct io_uring_cqe *)queue->completions)[head & queue->completion_mask].res;
  // These say that nothing was tried to its end: not a byte is written.
  if (*result == -EAGAIN || *result == -EINTR || *result == -ECANCELED) *result = 0;
  __atomic_store_n(queue->completion_head, head + 1, __ATOMIC_RELEASE);
  return 1;
}

// Submits what is in the ring, and waits until the write has ended, or the time is over, or a signal has come.
static inline void write_queue_enter(write_queue *_Nonnull queue, uint32_t count, uint64_t nanoseconds) {
  struct __kernel_timespec limit = {
    .tv_sec = (int64_t)(nanoseconds / 1000000000), .tv_nsec = (long long)(nanoseconds % 1000000000)};
  struct io_uring_getevents_arg argument;
  memset(&argument, 0, sizeof argument);
  argument.ts = (uint64_t)(uintptr_t)&limit;
  uint32_t flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  syscall(SYS_io_uring_enter, queue->descriptor, count, 1, flags, &argument, sizeof argument);
}

// Waits for the write that goes on for at most so long.
static inline enum write_queue_progress write_queue_wait(
    write_queue *_Nonnull queue, uint64_t nanoseconds, int *_Nonnull result) {
  if (write_queue_take(queue, result)) return write_queue_ended;
  write_queue_enter(queue, 0, nanoseconds);
  return write_queue_take(queue, result) ? write_queue_ended : write_queue_goes_on;
}

// Begins a write, and waits for it for at most so long. The call returns in time even if the write cannot begin at once:
// a thread of the kernel then does the whole write.
static inline enum write_queue_progress write_queue_write(
    write_queue *_Nonnull queue, int file, const void *_Nonnull bytes, uint32_t count, uint64_t offset,
    uint64_t nanoseconds, int *_Nonnull result) {
  uint32_t tail = *queue->submission_tail, index = tail & queue->submission_mask;
  struct io_uring_sqe *entry = (struct io_uring_sqe *)queue->entries + index;
  memset(entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_WRITE;
  entry->fd = file;
  entry->addr = (uint64_t)(uintptr_t)bytes;
  entry->len = count;
  entry->off = offset;
  queue->submission_array[index] = index;
  __atomic_store_n(queue->submission_tail, tail + 1, __ATOMIC_RELEASE);
  write_queue_enter(queue, 1, nanoseconds);
  // The kernel reads the tail only while it is entered, so that what it has not taken can be taken back.
  if (__atomic_load_n(queue->submission_head, __ATOMIC_ACQUIRE) == tail) {
    __atomic_store_n(queue->submission_tail, tail, __ATOMIC_RELEASE);
    return write_queue_not_started;
  }
  return write_queue_take(queue, result) ? write_queue_ended : write_queue_goes_on;
}

#else

static inline void write_queue_close(write_queue *_Nonnull queue) { (void)queue; }

static inline int write_queue_open(write_queue *_Nonnull queue) {
  memset(queue, 0, sizeof *queue);
  return ENOSYS;
}

static inline enum write_queue_progress write_queue_wait(
    write_queue *_Nonnull queue, uint64_t nanoseconds, int *_Nonnull result) {
  (void)queue, (void)nanoseconds, (void)result;
  return write_queue_goes_on;
}

static inline enum write_queue_progress write_queue_write(
    write_queue *_Nonnull queue, int file, const void *_Nonnull bytes, uint32_t count, uint64_t offset,
    uint64_t nanoseconds, int *_Nonnull result) {
  (void)queue, (void)file, (void)bytes, (void)count, (void)offset, (void)nanoseconds, (void)result;
  return write_queue_not_started;
}

#endif
#endif
