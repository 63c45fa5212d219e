/*
 * System calls by their number. The C libraries have these as functions only in newer versions
 * (statx: glibc 2.28, musl 1.2.5), which the binary would then need; what goes with them is the
 * kernel's.
 */
#ifndef UFS_SYSCALLS_H
#define UFS_SYSCALLS_H

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* statx(2) of an open file, from what the kernel knows: no server is asked. */
static inline int ufs_statx_fd(int fd, unsigned mask, struct statx *stat) {
  return (int)syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, stat);
}

#endif
