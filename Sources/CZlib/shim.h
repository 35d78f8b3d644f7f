// zlib, with the one call that is a macro in its header.
#ifndef ZKCLI_CZLIB_SHIM_H
#define ZKCLI_CZLIB_SHIM_H

#include <zlib.h>

// Begins to decompress a stream whose header zlib finds by itself: gzip (RFC 1952) or zlib (RFC 1950).
static inline int shim_inflate_init(z_stream *_Nonnull stream) { return inflateInit2(stream, 32 + MAX_WBITS); }

#endif
