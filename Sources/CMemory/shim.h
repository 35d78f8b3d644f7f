// What large structures in memory need of the processor and the system, and Swift has no words for.
#ifndef ZKCLI_CMEMORY_SHIM_H
#define ZKCLI_CMEMORY_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// Asks the processor to load a line of memory that is needed soon. It does not wait; any address is allowed.
static inline void memory_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

// Takes memory from the system, filled with zeros, at a multiple of `alignment`: a power of two and a multiple of the
// page's size. Null if there is none.
static inline void *_Nullable memory_map(size_t bytes, size_t alignment) {
  char *start = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (start == MAP_FAILED) return NULL;
  char *aligned = (char *)(((uintptr_t)start + alignment - 1) & ~(uintptr_t)(alignment - 1));
  if (aligned > start) munmap(start, (size_t)(aligned - start));
  size_t rest = alignment - (size_t)(aligned - start);
  if (rest > 0) munmap(aligned + bytes, rest);
  return aligned;
}

// Gives memory of memory_map back to the system, at once.
static inline void memory_unmap(void *_Nonnull start, size_t bytes) { munmap(start, bytes); }

// Takes the pages of all variables that begin as zeros from the system at once. Where it cannot do that, each is taken
// when it is first used, as usual.
static inline void memory_populate_zeros(void) {
#if defined(__linux__) && defined(MADV_POPULATE_WRITE)
  // The linker's names for where they begin and end.
  extern char __bss_start[], _end[];
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)__bss_start + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)_end + page - 1) & ~(page - 1);
  if (start < end) madvise((void *)start, end - start, MADV_POPULATE_WRITE);
#endif
}

// Asks the system for large pages for a range of memory.
static inline void memory_prefer_huge_pages(void *_Nonnull start, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(start, bytes, MADV_HUGEPAGE);
#else
  (void)start;
  (void)bytes;
#endif
}

#endif
