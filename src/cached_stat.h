/*
 * stat(2) that cannot block: of what the kernel has in its caches, on a local file system.
 *
 * The ring gives every statx to a kernel worker, which costs a single one more than the call
 * itself.
 */
#ifndef UFS_CACHED_STAT_H
#define UFS_CACHED_STAT_H

#include "request.h"

/* Tries a request of the operation stat in this thread. True when its result is set (ENOENT
 * too); false when it would have to wait, or nobody can say whether it would. */
bool ufs_cached_stat(ufs_request *request);

/* The same for a request of the operation fstat. */
bool ufs_cached_fstat(ufs_request *request);

#endif
