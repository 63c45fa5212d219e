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
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* statx(2) of an open file, from what the kernel knows: no server is asked. */
static inline int ufs_statx_fd(int fd, unsigned mask, struct statx *stat) {
  return (int)syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, stat);
}

/* preadv2(2) */
static inline long ufs_preadv(int fd, const struct iovec *pieces, uint32_t count, uint64_t offset,
                              int flags) {
  /* The offset in two longs, as the kernel takes it on any architecture. */
  const unsigned bits = sizeof(long) * 8;
  return syscall(SYS_preadv2, (long)fd, pieces, (long)count, (long)offset,
                 (long)(offset >> (bits - 1) >> 1), (long)flags);
}

#endif
