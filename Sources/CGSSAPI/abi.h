// The part of the binary interface of MIT's libgssapi_krb5.so.2 that is used, for a library that is loaded while the
// program runs. The names are the interface's own with a prefix, so that nothing can be linked by mistake.
//
// These are declarations of our own, and not <gssapi/gssapi.h>: no package has to be installed to build, and the
// interface is fixed by RFC 2744 and by the library's soname, which has not changed since 2004.
#ifndef ZKCLI_CGSSAPI_ABI_H
#define ZKCLI_CGSSAPI_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t length;
  void *value;
} zk_gss_buffer;

typedef struct {
  uint32_t length;
  void *elements;
} zk_gss_oid;

typedef struct {
  size_t count;
  zk_gss_oid *elements;
} zk_gss_oid_set;

typedef struct {
  const char *key;
  const char *value;
} zk_gss_key_value;

typedef struct {
  uint32_t count;
  const zk_gss_key_value *elements;
} zk_gss_key_value_set;

// Names, credentials and contexts are opaque.
typedef void *zk_gss_handle;

typedef uint32_t (*zk_gss_import_name)(uint32_t *minor, const zk_gss_buffer *text, const zk_gss_oid *type,
                                       zk_gss_handle *name);
typedef uint32_t (*zk_gss_display_name)(uint32_t *minor, zk_gss_handle name, zk_gss_buffer *text, zk_gss_oid **type);
typedef uint32_t (*zk_gss_release_handle)(uint32_t *minor, zk_gss_handle *handle);
typedef uint32_t (*zk_gss_release_buffer)(uint32_t *minor, zk_gss_buffer *buffer);
typedef uint32_t (*zk_gss_delete_context)(uint32_t *minor, zk_gss_handle *context, zk_gss_buffer *token);
typedef uint32_t (*zk_gss_acquire_cred_from)(uint32_t *minor, zk_gss_handle name, uint32_t lifetime,
                                             const zk_gss_oid_set *mechanisms, int usage,
                                             const zk_gss_key_value_set *store, zk_gss_handle *credential,
                                             zk_gss_oid_set **actual, uint32_t *actual_lifetime);
typedef uint32_t (*zk_gss_init_sec_context)(uint32_t *minor, zk_gss_handle credential, zk_gss_handle *context,
                                            zk_gss_handle target, const zk_gss_oid *mechanism, uint32_t flags,
                                            uint32_t lifetime, void *bindings, const zk_gss_buffer *input,
                                            zk_gss_oid **actual, zk_gss_buffer *output, uint32_t *actual_flags,
                                            uint32_t *actual_lifetime);
typedef uint32_t (*zk_gss_accept_sec_context)(uint32_t *minor, zk_gss_handle *context, zk_gss_handle credential,
                                              const zk_gss_buffer *input, void *bindings, zk_gss_handle *source,
                                              zk_gss_oid **mechanism, zk_gss_buffer *output, uint32_t *flags,
                                              uint32_t *lifetime, zk_gss_handle *delegated);
typedef uint32_t (*zk_gss_inquire_context)(uint32_t *minor, zk_gss_handle context, zk_gss_handle *source,
                                           zk_gss_handle *target, uint32_t *lifetime, zk_gss_oid **mechanism,
                                           uint32_t *flags, int *is_local, int *is_open);
typedef uint32_t (*zk_gss_wrap)(uint32_t *minor, zk_gss_handle context, int confidential, uint32_t protection,
                                const zk_gss_buffer *input, int *was_confidential, zk_gss_buffer *output);
typedef uint32_t (*zk_gss_unwrap)(uint32_t *minor, zk_gss_handle context, const zk_gss_buffer *input,
                                  zk_gss_buffer *output, int *was_confidential, uint32_t *protection);
typedef uint32_t (*zk_gss_display_status)(uint32_t *minor, uint32_t status, int kind, const zk_gss_oid *mechanism,
                                          uint32_t *more, zk_gss_buffer *text);

// Of libkrb5, which the library brings along.
typedef int32_t (*zk_krb5_init_context)(zk_gss_handle *context);
typedef void (*zk_krb5_free_context)(zk_gss_handle context);
typedef int32_t (*zk_krb5_get_default_realm)(zk_gss_handle context, char **realm);
typedef void (*zk_krb5_free_default_realm)(zk_gss_handle context, char *realm);

#endif
