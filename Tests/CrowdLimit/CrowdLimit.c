// Limits how many tests run at a time, for `swift test` as it stands.
//
// Tests start servers, JVMs and terminals. All of them at once starve each other, so that time limits strike which are
// generous for each alone; and they take longer altogether. Swift Testing reads the limit from the environment when its
// runner begins, and has no other way to set it; a trait that lets tests in would let their time limits run while they
// wait at the door. So the variable is set before `main`, unless it is set already.

#include "CrowdLimit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Many tests only wait, for an election or a timeout: a core would idle with one test.
static const long testsPerCore = 2;

__attribute__((constructor)) static void limitCrowd(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  char width[24];
  snprintf(width, sizeof width, "%ld", testsPerCore * (cores > 0 ? cores : 1));
  setenv("SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH", width, 0);
}
