/*
 * A request: one operation from the moment JS asks for it until JS has its result.
 *
 * Ownership. A request owns all that the kernel may touch but the caller's memory: the copies of
 * its paths, its iovecs, its statx buffer. The caller's memory (Buffers) is pinned by JS: the table
 * of pending requests (lib/request.js) refers to it from the call until the request has been handed
 * over, and C holds that table for as long as the ring exists. So only the hand-over that follows
 * the last CQE lets go of anything; ufs_request_release() is the one place that frees. What pins
 * keep is the Buffer, not its memory, which JS can move elsewhere: see caller_memory.h.
 *
 * Requests live in chunks that are never moved or returned: the kernel's user_data points at them.
 * All of it on the environment's own thread, but what helper_thread.h says.
 */
#ifndef UFS_REQUEST_H
#define UFS_REQUEST_H

#include <linux/stat.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

typedef struct ufs_request ufs_request;
typedef struct ufs_operation ufs_operation; /* engine.h */

/* Steps of a chain; user_data is the request's address with the step in the low bits. */
enum { UFS_STEP_MASK = 7, UFS_MAX_STEPS = 5 };

/* Most paths fit in the request itself. */
enum { UFS_INLINE_PATHS = 104 };

struct ufs_request {
  ufs_request *next; /* in the one list it is on: free, waiting, done or delivered */
  const ufs_operation *operation;
  uint32_t id;
  uint8_t outstanding; /* CQEs that have not come */
  bool active;         /* between ufs_request_take() and ufs_request_release() */
  bool cancelled;      /* JS asked for it: ECANCELED is then no surprise */
  bool in_worker;      /* to be run by a kernel worker, where it may block */
  bool sync;           /* fsync before the close */
  bool superseded;     /* its remaining steps are to be cancelled */
  bool slot_open;      /* `slot` holds a file */
  bool closing;        /* and is being closed */
  bool installing;     /* which is one of engine->installing */
  bool delivered;      /* JS is looking at it */
  bool shielded;       /* the kernel must not be given the caller's memory: caller_memory.h */
  int32_t fd;          /* what to work on, or what was opened and is not done with */
  int32_t slot;        /* direct descriptor that is its own, or -1 */
  int32_t flags;
  uint32_t mode;
  uint32_t length;
  uint32_t vector_count;
  uint32_t round;         /* of the engine, when JS asked for it */
  uint32_t size;          /* bytes of the file to read whole, where known, or 0 */
  uint32_t done;          /* bytes of a read that are in the caller's memory already */
  uint64_t offset;        /* UINT64_MAX: the file's own position */
  int64_t start;          /* the file's own position before a transfer that moves it, or -1 */
  uint8_t *memory;        /* the caller's, pinned by JS */
  uint64_t memory_offset; /* where in its view that begins */
  uint8_t *shield;        /* takes the caller's memory's place, or NULL */
  uint32_t alignment;     /* bytes: what O_DIRECT wants of memory, or 0 */
  struct iovec *vectors;
  struct statx *statx;
  char *path;
  char *path2;
  int64_t result; /* >= 0, or -errno */
  double extra;   /* beside the result; its meaning is the operation's */
  int32_t steps[UFS_MAX_STEPS];
  char inline_paths[UFS_INLINE_PATHS];
};

typedef struct {
  ufs_request **chunks;
  uint32_t chunk_count;
  ufs_request *free;
} ufs_request_pool;

/* A blank request, or NULL without memory. */
ufs_request *ufs_request_take(ufs_request_pool *pool);

/* Frees what the request owns and takes it back. */
void ufs_request_release(ufs_request_pool *pool, ufs_request *request);

/* The request with `id` if there is one that is not free, else NULL. */
ufs_request *ufs_request_find(const ufs_request_pool *pool, uint32_t id);

/* Copies a path (of `length` bytes, without the terminator) into the request; the second call sets
 * path2. False without memory. */
bool ufs_request_add_path(ufs_request *request, const char *path, size_t length);

/* Number of ids ever given out: each is below. */
uint32_t ufs_request_count(const ufs_request_pool *pool);

/* Frees the pool, with everything that is still in it. */
void ufs_request_pool_destroy(ufs_request_pool *pool);

#endif
