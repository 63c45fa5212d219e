#include "cached.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "syscalls.h"

/* In newer headers than Debian 12's only; the numbers are the kernel's (include/uapi/linux). */
enum { RESOLVE_CACHED_ONLY = 0x20 };
#define XFS_MAGIC 0x58465342
#define F2FS_MAGIC 0xf2f52010

/* What of the kernel's file systems those of disks support, and tmpfs (6.0), and not those that ask
 * a server, who may not answer even when asked for its type; overlayfs passes on what the file
 * below supports. */
static bool has_attributes_of_disk(const struct statx *stat) {
  return (stat->stx_attributes_mask & STATX_ATTR_NODUMP) != 0;
}

/* The type of the file system, or 0 for one that may ask a server, or that does not tell. */
static uint32_t type_of_disk(int fd, const struct statx *stat) {
  struct statfs file_system;
  if (!has_attributes_of_disk(stat) || fstatfs(fd, &file_system) < 0) return 0;
  return (uint32_t)file_system.f_type;
}

/* Where attributes are in memory once the file is, and no server has newer ones. What overlayfs is
 * made of (the root of most containers) must not be changed but by way of it. */
static bool is_local(int fd, const struct statx *stat) {
  switch (type_of_disk(fd, stat)) {
    case EXT4_SUPER_MAGIC:
    case XFS_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

typedef struct {
  uint32_t major;
  uint32_t minor;
  bool known;
} device;

enum { REMOTE_DEVICES = 8 };

/* What was found out, by each thread for itself. */
static _Thread_local device local;
static _Thread_local device remote[REMOTE_DEVICES];
/* By any thread. */
static _Atomic bool has_met_remote;

static bool is_on(const device *device, const struct statx *stat) {
  return device->known && device->major == stat->stx_dev_major &&
         device->minor == stat->stx_dev_minor;
}

/* is_local(), remembered by device: asking costs more than the answer is worth. A device without a
 * major number (of NFS, FUSE, btrfs, tmpfs, overlayfs) may be another file system by the next time,
 * so that of these it is remembered only that they are not local. */
static bool is_local_device(int fd, const struct statx *stat) {
  device *place = &remote[stat->stx_dev_minor % REMOTE_DEVICES];
  if (is_on(&local, stat)) return true;
  if (is_on(place, stat)) return false;
  const bool answer = is_local(fd, stat);
  if (answer && stat->stx_dev_major == 0) return true;
  if (answer) place = &local;
  *place = (device){stat->stx_dev_major, stat->stx_dev_minor, true};
  if (!answer) has_met_remote = true;
  return answer;
}

static bool stat_open_file(int fd, unsigned mask, struct statx *stat) {
  /* FUSE may ask its server for attributes that it holds for old; for none it asks nobody. */
  if (has_met_remote && (ufs_statx_fd(fd, 0, stat) < 0 || !is_local_device(fd, stat))) return false;
  return ufs_statx_fd(fd, mask, stat) == 0 && is_local_device(fd, stat);
}

static int open_cached(const char *path, unsigned flags) {
  const struct open_how how = {
      .flags = flags | O_CLOEXEC, .resolve = RESOLVE_CACHED_ONLY, /* 5.12; EINVAL before */
  };
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

bool ufs_cached_fstat(ufs_request *request) {
  request->result = 0;
  return stat_open_file(request->fd, STATX_BASIC_STATS | STATX_BTIME, request->statx);
}

bool ufs_cached_stat(ufs_request *request) {
  const bool follow = (request->flags & AT_SYMLINK_NOFOLLOW) == 0;
  const int fd = open_cached(request->path, O_PATH | (follow ? 0U : (unsigned)O_NOFOLLOW));
  if (fd < 0) {
    request->result = -errno;
    return errno == ENOENT;
  }
  const bool is_answer = stat_open_file(fd, STATX_BASIC_STATS | STATX_BTIME, request->statx);
  (void)close(fd);
  request->result = 0;
  return is_answer;
}

/* Whether no read of it can wait, though tmpfs does not say so: without swap it is in memory. The
 * devices in /dev are on a tmpfs, too. */
static bool is_in_memory(int fd) {
  struct statx stat;
  struct sysinfo system;
  return ufs_statx_fd(fd, STATX_TYPE, &stat) == 0 && S_ISREG(stat.stx_mode) &&
         type_of_disk(fd, &stat) == TMPFS_MAGIC && sysinfo(&system) == 0 && system.totalswap == 0;
}

long ufs_cached_read_at(int fd, const struct iovec *pieces, uint32_t count, uint64_t offset) {
  const long result = ufs_preadv(fd, pieces, count, offset, RWF_NOWAIT);
  if (result >= 0 || errno != EOPNOTSUPP || !is_in_memory(fd)) return result;
  return ufs_preadv(fd, pieces, count, offset, 0);
}

/* overlayfs hands a read on to the file below, with IOCB_NOWAIT, but refuses RWF_NOWAIT. io_uring
 * does not ask it: what is open with O_NONBLOCK it reads at once if that is in memory, else by a
 * worker. Of a file below that asks a server even so it must not be let do that. */
static bool is_overlay_of_disk(int fd, const struct statx *stat) {
  return type_of_disk(fd, stat) == OVERLAYFS_SUPER_MAGIC;
}

/* The whole of a regular file, or -EAGAIN. What is not in the page cache cuts a read short. */
static int64_t read_open_file(ufs_opened_file *file, uint8_t *memory, size_t size,
                              bool *keeps_nonblock) {
  struct statx stat;
  if (!stat_open_file(file->fd, STATX_TYPE | STATX_SIZE, &stat)) return -EAGAIN;
  if (!S_ISREG(stat.stx_mode) || stat.stx_size > size) return -EAGAIN;
  if (stat.stx_size == 0) return 0;
  file->size = (uint32_t)stat.stx_size;
  const struct iovec vector = {.iov_base = memory, .iov_len = size};
  const long count = ufs_cached_read_at(file->fd, &vector, 1, 0);
  *keeps_nonblock = count < 0 && is_overlay_of_disk(file->fd, &stat);
  return count >= 0 && (uint64_t)count >= stat.stx_size ? count : -EAGAIN;
}

int64_t ufs_cached_read(const ufs_request *request, uint8_t *memory, size_t size,
                        ufs_opened_file *opened) {
  bool keeps_nonblock = false;
  opened->size = 0;
  /* O_NONBLOCK, as the ring's own first try, for FIFOs and leases; it means nothing to the reads of
   * a regular file. */
  opened->fd = open_cached(request->path, (unsigned)request->flags | O_NONBLOCK);
  if (opened->fd < 0) return errno == ENOENT ? -ENOENT : -EAGAIN;
  const int64_t result = read_open_file(opened, memory, size, &keeps_nonblock);
  if (result == -EAGAIN) {
    if (!keeps_nonblock) (void)fcntl(opened->fd, F_SETFL, request->flags & ~O_NONBLOCK);
    return result;
  }
  (void)close(opened->fd);
  opened->fd = -1;
  return result;
}
