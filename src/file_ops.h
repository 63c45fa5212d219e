/*
 * The operations that are one SQE each: a row and a small function for every opcode.
 */
#ifndef UFS_FILE_OPS_H
#define UFS_FILE_OPS_H

#include "engine.h"

/* A copy out of the page cache runs in the submitting thread, which is JS's. From this size on a
 * kernel worker does it: the hand-over costs about as much as copying this many bytes. */
enum { UFS_ASYNC_TRANSFER = 256 * 1024 };

/* As much of the request's length as the kernel moves in one call. */
unsigned ufs_transfer_length(const ufs_request *request);

/* After a transfer of which a later part failed (a full disk, a bad sector) the kernel reports the
 * part that was moved, yet leaves the file's own position where it was: what comes next would be
 * written over it, or read twice. So the position is put right. */
void ufs_correct_position(const ufs_request *request, uint32_t asked);

extern const ufs_operation ufs_file_operations[];
extern const unsigned ufs_file_operation_count;

#endif
