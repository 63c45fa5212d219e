/*
 * System calls that cannot block: on what the kernel has in its caches, of a local file system.
 *
 * The ring gives every statx to a kernel worker, which costs a single one more than the call
 * itself; and the three submissions of a single small file cost more than its four calls.
 */
#ifndef UFS_CACHED_H
#define UFS_CACHED_H

#include <stddef.h>

#include "request.h"

/* Tries a request of the operation stat in this thread. True when its result is set (ENOENT
 * too); false when it would have to wait, or nobody can say whether it would. */
bool ufs_cached_stat(ufs_request *request);

/* The same for a request of the operation fstat. */
bool ufs_cached_fstat(ufs_request *request);

/* Reads what is in memory of an open file. Returns the number of bytes, fewer where the rest would
 * have to be waited for, or -1. */
long ufs_cached_read_at(int fd, const struct iovec *pieces, uint32_t count, uint64_t offset);

typedef struct {
  int fd;        /* or -1 */
  uint32_t size; /* bytes that it has, if it is a regular one of no more than was asked for, or 0 */
} ufs_opened_file;

/*
 * Reads all of the request's file, if it is a regular one of no more than `size` bytes. Returns
 * their number, -ENOENT, or -EAGAIN: then it would have to wait, or nobody can say whether it
 * would. A file that was opened even so is in `*opened`, at its start, and the caller's: a FIFO
 * cannot be opened again as if nobody had been there. It has O_NONBLOCK where the ring then reads
 * it without a worker.
 */
int64_t ufs_cached_read(const ufs_request *request, uint8_t *memory, size_t size,
                        ufs_opened_file *opened);

#endif
