// libdeflate, of which only the checksums are used.
#include <libdeflate.h>
