/*
 * The operations that are one SQE each: a row and a small function for every opcode.
 */
#ifndef UFS_FILE_OPS_H
#define UFS_FILE_OPS_H

#include "engine.h"

extern const ufs_operation ufs_file_operations[];
extern const unsigned ufs_file_operation_count;

#endif
