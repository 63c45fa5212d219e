/*
 * What this kernel's io_uring can do, and why it cannot be had where it cannot. Plain C: no
 * Node-API, no libuv. Everything is found by asking the kernel, never by comparing version numbers.
 */
#ifndef UFS_PROBE_H
#define UFS_PROBE_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>

/* In no released header of liburing 2.3; the numbers are kernel ABI
 * (include/uapi/linux/io_uring.h). */
#define UFS_OP_FIXED_FD_INSTALL 54
#define UFS_OP_FTRUNCATE 55

/* Room for the longest text that ufs_explain_setup_failure() writes. */
#define UFS_REASON_SIZE 256

/* Asks `ring` which opcodes it knows; `supported[opcode]` is set for each below `count`. 0 or
 * -errno. */
int ufs_probe_opcodes(struct io_uring *ring, bool *supported, unsigned count);

/* Whether open -> read -> close may be linked on a direct descriptor (5.17: the file of a linked
 * request is looked up when it runs, not when it is submitted). */
bool ufs_probe_linked_files(const struct io_uring_params *params);

/* Whether a file is closed by the time that the close of its direct descriptor is complete,
 * whatever else is under way. Linux 6.1 puts it off for up to a second, 6.12 until all requests are
 * over that began before it on other direct descriptors, a reader at a FIFO among them: a program
 * just written could not be run (ETXTBSY), nor the space of a removed file be used. Tried on a ring
 * of its own, once in the process. */
bool ufs_probe_prompt_close(void);

/* One sentence on why io_uring_setup(2) failed with `error` (-errno). Returns the code for it,
 * which is static. */
const char *ufs_explain_setup_failure(int error, char *reason, size_t size);

#endif
