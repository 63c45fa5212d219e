/*
 * Whole small files in one submission, on a direct descriptor: it never enters the process's table
 * of descriptors, so that no number of files at once fails with EMFILE.
 *
 * Both hand over `extra` = slot * 16 + (UFS_UNFINISHED or 0) + the step that decided the result.
 * An unfinished request leaves its slot to JS, which goes on with readSlot/writeSlot and ends with
 * close_slot. A regular file that is larger than a block is left to JS with UFS_LARGE too, as a
 * descriptor of the process: the result is its size, and `extra` has (descriptor + 1) * UFS_SLOTS
 * added to the slot, whose block holds the beginning.
 */
#ifndef UFS_WHOLE_FILE_H
#define UFS_WHOLE_FILE_H

#include "engine.h"

enum {
  UFS_STEP_OPEN,
  UFS_STEP_TRANSFER,
  UFS_STEP_SYNC,
  UFS_STEP_CLOSE,
  UFS_LARGE = 4,
  UFS_UNFINISHED = 8
};

extern const ufs_operation ufs_whole_file_operations[];
extern const unsigned ufs_whole_file_operation_count;

#endif
