// zlib, with the calls that are macros in its header.
#ifndef ZKCLI_CZLIB_SHIM_H
#define ZKCLI_CZLIB_SHIM_H

#include <zlib.h>

// Begins to decompress a stream whose header zlib finds by itself: gzip (RFC 1952) or zlib (RFC 1950).
static inline int shim_inflate_init(z_stream *_Nonnull stream) { return inflateInit2(stream, 32 + MAX_WBITS); }

// Begins to compress to a file of gzip (RFC 1952).
static inline int shim_gzip_init(z_stream *_Nonnull stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}

#endif
