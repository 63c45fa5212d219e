/*
 * JS values to the fields of a request. Nothing here throws: lib/ sends only what it has
 * recognised, and a call that cannot be taken all the same is refused, for Node's own function to
 * serve or to reject.
 */
#ifndef UFS_ARGS_H
#define UFS_ARGS_H

#include <node_api.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "request.h"

/* The most JS arguments any operation has. */
enum { UFS_MAX_ARGUMENTS = 8 };

/* Reads `count` values into the request as `format` says (see the table in file_ops.c). */
bool ufs_read_arguments(napi_env env, const char *format, size_t count, const napi_value *values,
                        ufs_request *request);

/* The same for a call on one of many paths: that path, and the flags. */
bool ufs_set_arguments(const char *format, const char *path, size_t length, int32_t flags,
                       ufs_request *request);

/* Address and size of a Uint8Array's memory (an on-heap one is moved out of V8's heap first, so
 * that the address stays). False for all else. */
bool ufs_read_bytes(napi_env env, napi_value value, uint8_t **memory, size_t *size);

/* The same for each of the first `count` elements of an array of them. */
bool ufs_read_views(napi_env env, napi_value array, uint32_t count, struct iovec *pieces);

#endif
