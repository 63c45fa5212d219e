#include "args.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool ufs_read_bytes(napi_env env, napi_value value, uint8_t **memory, size_t *size) {
  bool is_typed_array = false;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array) return false;
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, size, &data, NULL, NULL) != napi_ok) return false;
  *memory = data;
  return type == napi_uint8_array;
}

static bool set_path(ufs_request *request, const char *path, size_t length) {
  if (length == 0 || length >= PATH_MAX || memchr(path, 0, length) != NULL) return false;
  return ufs_request_add_path(request, path, length);
}

/* A path is a string, or the bytes themselves. Refused: one with a null byte; one that is empty or
 * too long, which io_uring finds out before it looks at another path, and system calls after. */
static bool read_path(napi_env env, napi_value value, ufs_request *request) {
  char buffer[PATH_MAX + 4];
  uint8_t *bytes = (uint8_t *)buffer;
  size_t length = 0;
  /* Fails, without an exception, for what is no string. */
  if (napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length) != napi_ok &&
      !ufs_read_bytes(env, value, &bytes, &length)) {
    return false;
  }
  return set_path(request, (const char *)bytes, length);
}

/* view, byte offset, byte length */
static bool read_memory(napi_env env, const napi_value *values, ufs_request *request) {
  uint8_t *memory = NULL;
  size_t size = 0;
  int64_t offset = 0;
  int64_t length = 0;
  if (!ufs_read_bytes(env, values[0], &memory, &size) ||
      napi_get_value_int64(env, values[1], &offset) != napi_ok ||
      napi_get_value_int64(env, values[2], &length) != napi_ok) {
    return false;
  }
  if (offset < 0 || (uint64_t)offset > size || length < 0 ||
      (uint64_t)length > size - (uint64_t)offset || length > UINT32_MAX) {
    return false;
  }
  request->memory = memory == NULL ? NULL : memory + offset;
  request->memory_offset = (uint64_t)offset;
  request->length = (uint32_t)length;
  return true;
}

bool ufs_read_views(napi_env env, napi_value array, uint32_t count, struct iovec *pieces) {
  napi_value *views = malloc(count * sizeof *views);
  if (views == NULL) return false;
  bool is_read = true;
  /* All of them before the memory of any: to get one may run JS (a getter, a proxy), which could
   * take the memory of another away. */
  for (uint32_t i = 0; i < count && is_read; i++) {
    is_read = napi_get_element(env, array, i, &views[i]) == napi_ok;
  }
  for (uint32_t i = 0; i < count && is_read; i++) {
    uint8_t *memory = NULL;
    size_t size = 0;
    is_read = ufs_read_bytes(env, views[i], &memory, &size);
    pieces[i] = (struct iovec){.iov_base = memory, .iov_len = size};
  }
  free((void *)views);
  return is_read;
}

static bool read_vectors(napi_env env, napi_value array, ufs_request *request) {
  uint32_t count = 0;
  if (napi_get_array_length(env, array, &count) != napi_ok || count == 0 || count > IOV_MAX) {
    return false;
  }
  request->vectors = calloc(count, sizeof *request->vectors);
  if (request->vectors == NULL) return false;
  request->vector_count = count;
  if (!ufs_read_views(env, array, count, request->vectors)) return false;
  uint64_t total = 0;
  for (uint32_t i = 0; i < count; i++)
    total += request->vectors[i].iov_len;
  request->length = total > UINT32_MAX ? UINT32_MAX : (uint32_t)total;
  return true;
}

static bool read_offset(napi_env env, napi_value value, ufs_request *request) {
  int64_t offset = 0;
  if (napi_get_value_int64(env, value, &offset) != napi_ok || offset < -1) return false;
  request->offset = (uint64_t)offset; /* -1: the file's own position */
  return true;
}

static bool add_statx(ufs_request *request) {
  request->statx = calloc(1, sizeof *request->statx);
  return request->statx != NULL;
}

/* How many JS arguments a letter of the format stands for. */
static size_t width(char letter) {
  return letter == 'b' ? 3 : letter == 's' ? 0 : 1;
}

static bool read_argument(napi_env env, char letter, const napi_value *values,
                          ufs_request *request) {
  switch (letter) {
    case 'p':
      return read_path(env, values[0], request);
    case 'd':
      return napi_get_value_int32(env, values[0], &request->fd) == napi_ok && request->fd >= 0;
    case 'f':
      return napi_get_value_int32(env, values[0], &request->flags) == napi_ok;
    case 'm':
      return napi_get_value_uint32(env, values[0], &request->mode) == napi_ok;
    case 'b':
      return read_memory(env, values, request);
    case 'v':
      return read_vectors(env, values[0], request);
    case 'o':
      return read_offset(env, values[0], request);
    case 'y':
      return napi_get_value_bool(env, values[0], &request->sync) == napi_ok;
    case 's':
      return add_statx(request);
    default:
      return false;
  }
}

bool ufs_read_arguments(napi_env env, const char *format, size_t count, const napi_value *values,
                        ufs_request *request) {
  size_t next = 0;
  for (; *format != '\0'; format++) {
    if (next + width(*format) > count) return false;
    if (!read_argument(env, *format, values + next, request)) return false;
    next += width(*format);
  }
  return true;
}

bool ufs_set_arguments(const char *format, const char *path, size_t length, int32_t flags,
                       ufs_request *request) {
  request->flags = flags;
  if (strchr(format, 's') != NULL && !add_statx(request)) return false;
  return set_path(request, path, length);
}
