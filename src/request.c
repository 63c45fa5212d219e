#include "request.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BITS = 6, CHUNK_SIZE = 1 << CHUNK_BITS };

static bool add_chunk(ufs_request_pool *pool) {
  ufs_request **chunks =
      realloc((void *)pool->chunks, (pool->chunk_count + 1) * sizeof *pool->chunks);
  if (chunks == NULL) return false;
  pool->chunks = chunks;
  ufs_request *chunk = calloc(CHUNK_SIZE, sizeof *chunk);
  if (chunk == NULL) return false;
  chunks[pool->chunk_count] = chunk;
  for (uint32_t i = CHUNK_SIZE; i-- > 0;) {
    chunk[i].id = (pool->chunk_count << CHUNK_BITS) | i;
    chunk[i].next = pool->free;
    pool->free = &chunk[i];
  }
  pool->chunk_count++;
  return true;
}

ufs_request *ufs_request_take(ufs_request_pool *pool) {
  if (pool->free == NULL && !add_chunk(pool)) return NULL;
  ufs_request *request = pool->free;
  pool->free = request->next;
  request->next = NULL;
  request->outstanding = 0;
  request->active = true;
  request->cancelled = false;
  request->in_worker = false;
  request->sync = false;
  request->superseded = false;
  request->slot_open = false;
  request->closing = false;
  request->installing = false;
  request->delivered = false;
  request->shielded = false;
  request->fd = -1;
  request->slot = -1;
  request->flags = 0;
  request->mode = 0;
  request->length = 0;
  request->vector_count = 0;
  request->size = 0;
  request->done = 0;
  request->offset = 0;
  request->start = -1;
  request->memory = NULL;
  request->shield = NULL;
  request->alignment = 0;
  request->vectors = NULL;
  request->statx = NULL;
  request->path = NULL;
  request->path2 = NULL;
  request->result = 0;
  request->extra = 0;
  return request;
}

/* Frees what a request owns. */
static void disown(ufs_request *request) {
  const char *inline_end = request->inline_paths + UFS_INLINE_PATHS;
  char *paths[] = {request->path, request->path2};
  for (int i = 0; i < 2; i++) {
    if (paths[i] < request->inline_paths || paths[i] >= inline_end) free(paths[i]);
  }
  free(request->shield);
  free(request->vectors);
  free(request->statx);
}

void ufs_request_release(ufs_request_pool *pool, ufs_request *request) {
  disown(request);
  request->active = false;
  request->next = pool->free;
  pool->free = request;
}

ufs_request *ufs_request_find(const ufs_request_pool *pool, uint32_t id) {
  if (id >= ufs_request_count(pool)) return NULL;
  ufs_request *request = &pool->chunks[id >> CHUNK_BITS][id & (CHUNK_SIZE - 1)];
  return request->active ? request : NULL;
}

bool ufs_request_add_path(ufs_request *request, const char *path, size_t length) {
  size_t used = 0;
  if (request->path != NULL && request->path == request->inline_paths) {
    used = strlen(request->path) + 1;
  }
  char *copy = request->inline_paths + used;
  if (length >= UFS_INLINE_PATHS - used) {
    copy = malloc(length + 1);
    if (copy == NULL) return false;
  }
  memcpy(copy, path, length);
  copy[length] = '\0';
  if (request->path == NULL) {
    request->path = copy;
  } else {
    request->path2 = copy;
  }
  return true;
}

uint32_t ufs_request_count(const ufs_request_pool *pool) {
  return pool->chunk_count << CHUNK_BITS;
}

void ufs_request_pool_destroy(ufs_request_pool *pool) {
  for (uint32_t id = 0; id < ufs_request_count(pool); id++) {
    ufs_request *request = ufs_request_find(pool, id);
    if (request != NULL) disown(request);
  }
  for (uint32_t i = 0; i < pool->chunk_count; i++)
    free(pool->chunks[i]);
  free((void *)pool->chunks);
  memset(pool, 0, sizeof *pool);
}
