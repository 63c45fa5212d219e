#include "cached_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* In newer headers than Debian 12's only; the numbers are the kernel's (include/uapi/linux). */
enum { RESOLVE_CACHED_ONLY = 0x20 };
#define XFS_MAGIC 0x58465342
#define F2FS_MAGIC 0xf2f52010

/* Where attributes are in memory once the file is, and no server has newer ones. */
static bool is_local(int fd) {
  struct statfs file_system;
  if (fstatfs(fd, &file_system) < 0) return false;
  switch ((uint32_t)file_system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_MAGIC:
    case TMPFS_MAGIC:
      return true;
    default:
      return false;
  }
}

/* is_local(), remembered for the last block device asked about. A device without a major number (of
 * NFS, FUSE, btrfs, tmpfs) may be another file system by the next time. Each thread has its own. */
static bool is_local_device(int fd, const struct statx *stat) {
  static _Thread_local uint32_t known_major;
  static _Thread_local uint32_t known_minor;
  const bool is_known = stat->stx_dev_major != 0 && stat->stx_dev_major == known_major &&
                        stat->stx_dev_minor == known_minor;
  if (is_known) return true;
  if (!is_local(fd)) return false;
  known_major = stat->stx_dev_major;
  known_minor = stat->stx_dev_minor;
  return true;
}

static bool stat_open_file(int fd, struct statx *stat) {
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, stat) ==
             0 &&
         is_local_device(fd, stat);
}

bool ufs_cached_fstat(ufs_request *request) {
  request->result = 0;
  return stat_open_file(request->fd, request->statx);
}

bool ufs_cached_stat(ufs_request *request) {
  const bool follow = (request->flags & AT_SYMLINK_NOFOLLOW) == 0;
  const struct open_how how = {
      .flags = O_PATH | O_CLOEXEC | (follow ? 0U : (unsigned)O_NOFOLLOW),
      .resolve = RESOLVE_CACHED_ONLY, /* 5.12; EINVAL before */
  };
  const int fd = (int)syscall(SYS_openat2, AT_FDCWD, request->path, &how, sizeof how);
  if (fd < 0) {
    request->result = -errno;
    return errno == ENOENT;
  }
  const bool is_answer = stat_open_file(fd, request->statx);
  (void)close(fd);
  request->result = 0;
  return is_answer;
}
