#include "file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The kernel moves no more than this in one call, whatever is asked. */
enum { MAX_TRANSFER = 0x7ffff000 };

/* A copy out of the page cache runs in the submitting thread, which is JS's. From this size on a kernel
 * worker does it: the hand-over costs about as much as copying this many bytes. */
enum { ASYNC_TRANSFER = 256 * 1024 };

static unsigned transfer_length(const ufs_request *request) {
  return request->length > MAX_TRANSFER ? MAX_TRANSFER : request->length;
}

static void leave_large_to_worker(struct io_uring_sqe *sqe, uint64_t length) {
  if (length >= ASYNC_TRANSFER) sqe->flags |= IOSQE_ASYNC;
}

/* ---- open ---- */

static void prepare_open(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_openat(sqe, AT_FDCWD, request->path, request->flags | O_CLOEXEC, request->mode);
}

static bool would_block_on_fifo(const ufs_request *request) {
  return (request->flags & (O_ACCMODE | O_NONBLOCK)) == O_RDONLY;
}

/* Type and size of what was opened. Never waits for a server: attributes as of the open will do. */
static bool look_at(int fd, struct statx *stat) {
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, stat) == 0;
}

/*
 * The kernel tries an open inline with O_NONBLOCK, which a FIFO takes at its word: reading without a
 * writer succeeds at once, where open(2) waits; writing without a reader fails with ENXIO. Both are done
 * again by a worker, which waits. The first descriptor of a reader stays open meanwhile, so that a
 * writer who has seen it does not lose it.
 *
 * `extra` becomes the size of a regular file, or -1 for all else.
 */
static bool finish_open(ufs_engine *engine, ufs_request *request) {
  const int32_t result = request->steps[0];
  if (request->fd >= 0) (void)close(request->fd);
  request->fd = -1;
  request->result = result;
  if (result == -EINTR) return false;
  if (result == -ENXIO && !request->in_worker) {
    request->in_worker = true;
    return false;
  }
  if (result < 0) return true;

  struct statx stat;
  const bool known = look_at(result, &stat);
  const bool regular = known && S_ISREG(stat.stx_mode);
  request->extra = regular ? (double)stat.stx_size : -1;
  if (known && S_ISFIFO(stat.stx_mode) && !request->in_worker && would_block_on_fifo(request)) {
    request->in_worker = true;
    request->fd = result;
    ufs_engine_note_fd(engine, result, true);
    return false;
  }
  ufs_engine_note_fd(engine, result, true);
  return true;
}

/* ---- descriptors ---- */

static void prepare_close(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_close(sqe, request->fd);
}

static bool finish_close(ufs_engine *engine, ufs_request *request) {
  ufs_engine_note_fd(engine, request->fd, false);
  /* Linux has closed it even so; libuv says the same. */
  request->result = request->steps[0] == -EINTR ? 0 : request->steps[0];
  return true;
}

static void prepare_read(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_read(sqe, request->fd, request->memory, transfer_length(request), request->offset);
  leave_large_to_worker(sqe, request->length);
}

static void prepare_write(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_write(sqe, request->fd, request->memory, transfer_length(request), request->offset);
  leave_large_to_worker(sqe, request->length);
}

static void prepare_readv(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_readv(sqe, request->fd, request->vectors, request->vector_count, request->offset);
  leave_large_to_worker(sqe, request->length);
}

static void prepare_writev(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_writev(sqe, request->fd, request->vectors, request->vector_count, request->offset);
  leave_large_to_worker(sqe, request->length);
}

static void prepare_fsync(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_fsync(sqe, request->fd, 0);
}

static void prepare_fdatasync(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_fsync(sqe, request->fd, IORING_FSYNC_DATASYNC);
}

static void prepare_ftruncate(struct io_uring_sqe *sqe, const ufs_request *request) {
  /* The length goes where others have the offset; liburing 2.3 has no helper for it. */
  io_uring_prep_rw(UFS_OP_FTRUNCATE, sqe, request->fd, NULL, 0, request->offset);
}

static void prepare_fstat(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_statx(sqe, request->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME,
                      request->statx);
}

/* ---- direct descriptors that JS was given by a whole-file read or write ---- */

static void prepare_close_slot(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_close_direct(sqe, (unsigned)request->fd);
}

static bool finish_close_slot(ufs_engine *engine, ufs_request *request) {
  ufs_engine_free_slot(engine, request->fd);
  request->result = request->steps[0];
  return true;
}

/* ---- paths ---- */

static void prepare_stat(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_statx(sqe, AT_FDCWD, request->path, request->flags, STATX_BASIC_STATS | STATX_BTIME,
                      request->statx);
}

static void prepare_rename(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_renameat(sqe, AT_FDCWD, request->path, AT_FDCWD, request->path2, 0);
}

static void prepare_unlink(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_unlinkat(sqe, AT_FDCWD, request->path, 0);
}

static void prepare_rmdir(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_unlinkat(sqe, AT_FDCWD, request->path, AT_REMOVEDIR);
}

static void prepare_mkdir(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_mkdirat(sqe, AT_FDCWD, request->path, request->mode);
}

static void prepare_symlink(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_symlinkat(sqe, request->path, AT_FDCWD, request->path2);
}

static void prepare_link(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_linkat(sqe, AT_FDCWD, request->path, AT_FDCWD, request->path2, 0);
}

/* Arguments, in the order of the call (args.c): p path, d descriptor, f flags, m mode, b memory (view,
 * offset, length), v array of views, o 64-bit offset, s room for a statx result (no argument), y whether to sync. */
#define ROW(op, args, code) \
  .name = #op, .arguments = (args), .opcode = (code), .sqes = 1, .prepare = prepare_##op

const ufs_operation ufs_file_operations[] = {
    {ROW(open, "pfm", IORING_OP_OPENAT), .finish = finish_open},
    {ROW(close, "d", IORING_OP_CLOSE), .finish = finish_close},
    {ROW(read, "dbo", IORING_OP_READ)},
    {ROW(write, "dbo", IORING_OP_WRITE)},
    {ROW(readv, "dvo", IORING_OP_READV)},
    {ROW(writev, "dvo", IORING_OP_WRITEV)},
    {ROW(fsync, "d", IORING_OP_FSYNC)},
    {ROW(fdatasync, "d", IORING_OP_FSYNC)},
    {ROW(ftruncate, "do", UFS_OP_FTRUNCATE)},
    {ROW(fstat, "ds", IORING_OP_STATX)},
    {ROW(stat, "pfs", IORING_OP_STATX)},
    {ROW(rename, "pp", IORING_OP_RENAMEAT)},
    {ROW(unlink, "p", IORING_OP_UNLINKAT)},
    {ROW(rmdir, "p", IORING_OP_UNLINKAT)},
    {ROW(mkdir, "pm", IORING_OP_MKDIRAT)},
    {ROW(symlink, "pp", IORING_OP_SYMLINKAT)},
    {ROW(link, "pp", IORING_OP_LINKAT)},
    {.name = "readSlot",
     .arguments = "dbo",
     .opcode = IORING_OP_READ,
     .sqes = 1,
     .on_slot = true,
     .prepare = prepare_read},
    {.name = "writeSlot",
     .arguments = "dbo",
     .opcode = IORING_OP_WRITE,
     .sqes = 1,
     .on_slot = true,
     .prepare = prepare_write},
    {.name = "fsyncSlot",
     .arguments = "d",
     .opcode = IORING_OP_FSYNC,
     .sqes = 1,
     .on_slot = true,
     .prepare = prepare_fsync},
    {ROW(close_slot, "d", IORING_OP_CLOSE), .finish = finish_close_slot},
};

const unsigned ufs_file_operation_count =
    sizeof ufs_file_operations / sizeof ufs_file_operations[0];
