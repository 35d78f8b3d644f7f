// What starting a process needs of the C library, and its headers hide from Swift.
#ifndef ZKCLI_CSPAWN_SHIM_H
#define ZKCLI_CSPAWN_SHIM_H

#include <errno.h>
#include <spawn.h>

#ifdef __GLIBC__
// From glibc 2.34 on; null before.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *_Nonnull actions, int first)
    __attribute__((weak));
#endif

// Closes the descriptors from `first` on in the new process, at this place among the actions. ENOSYS if the library
// cannot do that.
static inline int spawn_add_close_from(posix_spawn_file_actions_t *_Nonnull actions, int first) {
#ifdef __GLIBC__
  if (posix_spawn_file_actions_addclosefrom_np) return posix_spawn_file_actions_addclosefrom_np(actions, first);
#endif
  (void)actions;
  (void)first;
  return ENOSYS;
}

#endif
