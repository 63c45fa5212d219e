#include "file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cached.h"
#include "caller_memory.h"
#include "syscalls.h"

/* The kernel moves no more than this in one call, whatever is asked. */
enum { MAX_TRANSFER = 0x7ffff000 };

unsigned ufs_transfer_length(const ufs_request *request) {
  return request->length > MAX_TRANSFER ? MAX_TRANSFER : request->length;
}

static void leave_large_to_worker(struct io_uring_sqe *sqe, uint64_t length) {
  if (length >= UFS_ASYNC_TRANSFER) sqe->flags |= IOSQE_ASYNC;
}

/* ---- open ---- */

/*
 * The kernel tries an open inline with O_NONBLOCK, which a FIFO takes at its word: where open(2)
 * waits for the other end, writing fails with ENXIO, and reading succeeds at once.
 *
 * A writer is simply tried again by a worker, which waits. A reader can't be: its descriptor has
 * already let writers in, who may have come and gone by then. So it stays, and waits for either of
 * two things: a second open by a worker, which ends when a writer opens, or a poll, which ends when
 * one has written, or has come and gone, before that open began.
 */
enum { OPEN_FILE = 0, OPEN_WAIT_WRITER = 0, OPEN_POLL = 1 };

/* For the second open: the FIFO itself, whatever has become of its name. */
static bool add_own_path(ufs_request *request, int fd) {
  char path[32];
  const int length = snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return ufs_request_add_path(request, path, (size_t)length);
}

static void fill_open(ufs_engine *engine, ufs_request *request) {
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  if (request->fd < 0) {
    io_uring_prep_openat(sqe, AT_FDCWD, request->path, request->flags | O_CLOEXEC, request->mode);
    if (request->in_worker) sqe->flags |= IOSQE_ASYNC;
    ufs_engine_tag(sqe, request, OPEN_FILE);
    return;
  }
  io_uring_prep_openat(sqe, AT_FDCWD, request->path2, O_RDONLY | O_CLOEXEC, 0);
  sqe->flags |= IOSQE_ASYNC;
  ufs_engine_tag(sqe, request, OPEN_WAIT_WRITER);
  sqe = ufs_engine_sqe(engine);
  io_uring_prep_poll_add(sqe, request->fd, POLLIN);
  ufs_engine_tag(sqe, request, OPEN_POLL);
}

/* Whether the reader's end of a FIFO has or had a writer. tee(2) copies without taking: it finds
 * data, or says EAGAIN while there is a writer, or finds the end. */
static bool has_had_writer(int fd) {
  struct pollfd state = {.fd = fd, .events = POLLIN};
  if (poll(&state, 1, 0) != 0) return true; /* POLLIN, or POLLHUP: one has left */
  int scratch[2];
  if (pipe2(scratch, O_CLOEXEC | O_NONBLOCK) < 0) return true;
  const bool absent = tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK) == 0;
  (void)close(scratch[0]);
  (void)close(scratch[1]);
  return !absent;
}

static bool waits_for_writer(const ufs_request *request, int fd, const struct statx *stat) {
  return S_ISFIFO(stat->stx_mode) && (request->flags & (O_ACCMODE | O_NONBLOCK)) == O_RDONLY &&
         !has_had_writer(fd);
}

/* A FIFO's reader that waits has its descriptor already. */
static void abandon_open(ufs_engine *engine, ufs_request *request) {
  if (request->fd < 0) return;
  (void)close(request->fd);
  ufs_engine_note_fd(engine, request->fd, false);
  request->fd = -1;
}

/* A writer has come, or JS has given up. */
static bool finish_waiting_for_writer(ufs_engine *engine, ufs_request *request) {
  if (request->steps[OPEN_WAIT_WRITER] >= 0) (void)close(request->steps[OPEN_WAIT_WRITER]);
  request->result = request->fd;
  if (request->cancelled) {
    abandon_open(engine, request);
    request->result = -ECANCELED;
  }
  request->fd = -1;
  return true;
}

/* `extra` becomes the size of what has positions (a regular file; 0 for a block device), else -1.
 */
static bool finish_open(ufs_engine *engine, ufs_request *request) {
  if (request->fd >= 0) return finish_waiting_for_writer(engine, request);
  const int32_t fd = request->steps[OPEN_FILE];
  request->result = fd;
  if (fd == -EINTR) return false;
  if ((fd == -ENXIO || fd == -EAGAIN) && !request->in_worker) {
    request->in_worker = true;
    return false;
  }
  if (fd < 0) return true;
  if (!request->operation->lets_go) ufs_engine_note_fd(engine, fd, true);

  /* Type and size as of the open will do, so no server is asked. */
  struct statx stat;
  request->extra = -1;
  if (ufs_statx_fd(fd, STATX_TYPE | STATX_SIZE, &stat) < 0) return true;
  if (S_ISREG(stat.stx_mode) || S_ISBLK(stat.stx_mode)) request->extra = (double)stat.stx_size;
  if (request->cancelled || !waits_for_writer(request, fd, &stat)) return true;
  if (!add_own_path(request, fd)) return true;
  request->fd = fd;
  return false;
}

/* ---- descriptors ---- */

static void prepare_close(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_close(sqe, request->fd);
}

static bool finish_close(ufs_engine *engine, ufs_request *request) {
  /* Given up at the environment's end, it is closed there; given up by the kernel, by the pool. */
  if (request->steps[0] != -ECANCELED || !request->cancelled) {
    ufs_engine_note_fd(engine, request->fd, false);
  }
  /* Linux has closed it even so; libuv says the same. */
  request->result = request->steps[0] == -EINTR ? 0 : request->steps[0];
  return true;
}

static void prepare_read(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_read(sqe, request->fd, request->memory, ufs_transfer_length(request),
                     request->offset);
  leave_large_to_worker(sqe, request->length);
}

/*
 * A read into memory that nobody has touched: its pages are made in one go first, not by a fault
 * each in the middle of the copy (on a virtual machine a fault can cost more than copying its
 * page). An older kernel refuses that step (MADV_POPULATE_WRITE: 5.14), and the read does without.
 */
enum { FRESH_POPULATE = 1 }; /* the read is step 0, whose result is the request's */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void fill_read_fresh(ufs_engine *engine, ufs_request *request) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t from = (uintptr_t)request->memory & ~(page - 1);
  const uintptr_t to = ((uintptr_t)request->memory + ufs_transfer_length(request)) & ~(page - 1);
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  /* The first page, which it may share with others, is in use already or will be: populating
   * changes no byte. */
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): rounded down to its page */
  io_uring_prep_madvise(sqe, (void *)from, (off_t)(to - from), MADV_POPULATE_WRITE);
  sqe->flags |= IOSQE_IO_HARDLINK;
  ufs_engine_tag(sqe, request, FRESH_POPULATE);
  ufs_engine_fill_one(engine, request);
}

static void prepare_write(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_write(sqe, request->fd, request->memory, ufs_transfer_length(request),
                      request->offset);
  leave_large_to_worker(sqe, request->length);
}

static void prepare_writev(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_writev(sqe, request->fd, request->vectors, request->vector_count, request->offset);
  leave_large_to_worker(sqe, request->length);
}

void ufs_correct_position(const ufs_request *request, uint32_t asked) {
  const int32_t moved = request->steps[0];
  if (request->start >= 0 && moved > 0 && (uint32_t)moved < asked &&
      lseek(request->fd, 0, SEEK_CUR) == request->start) {
    (void)lseek(request->fd, request->start + moved, SEEK_SET);
  }
}

static void fill_transfer(ufs_engine *engine, ufs_request *request) {
  const bool own_position = request->offset == UINT64_MAX;
  request->start = own_position ? lseek(request->fd, 0, SEEK_CUR) : -1; /* -1: it has none */
  ufs_engine_fill_one(engine, request);
}

static bool finish_transfer(ufs_engine *engine, ufs_request *request) {
  (void)engine;
  const int32_t moved = request->steps[0];
  request->result = moved;
  ufs_correct_position(request, request->length);
  return moved != -EINTR;
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

static bool attempt_fstat(ufs_engine *engine, ufs_request *request) {
  (void)engine;
  return ufs_cached_fstat(request);
}

static void prepare_fstat(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_statx(sqe, request->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME,
                      request->statx);
}

/* ---- direct descriptors that JS was given by a whole-file read or write ---- */

static void prepare_poll_slot(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_poll_add(sqe, request->fd, POLLIN); /* and, unasked, POLLHUP */
}

static void prepare_close_slot(struct io_uring_sqe *sqe, const ufs_request *request) {
  io_uring_prep_close_direct(sqe, (unsigned)request->fd);
}

static bool finish_close_slot(ufs_engine *engine, ufs_request *request) {
  const int32_t closed = request->steps[0];
  if (closed == -ECANCELED) { /* given up: nobody but us can close it */
    ufs_engine_close_slot(engine, request->fd);
  } else {
    ufs_engine_free_slot(engine, request->fd);
  }
  request->result = closed == -EINTR || closed == -ECANCELED ? 0 : closed;
  return true;
}

/* ---- paths ---- */

static void help_stat(const ufs_engine *engine, ufs_request *request) {
  (void)engine;
  if (!ufs_cached_stat(request)) request->result = -EAGAIN;
}

static bool finish_help_stat(ufs_engine *engine, ufs_request *request) {
  (void)engine;
  request->in_worker = request->result == -EAGAIN; /* as the ring has it done, and once is enough */
  return !request->in_worker;
}

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

/* Arguments, in the order of the call (args.c): p path, d descriptor, f flags, m mode, b memory
 * (view, offset, length), v array of views, o 64-bit offset, s room for a statx result (no
 * argument), y whether to sync. */
#define ROW(op, args, code) \
  .name = #op, .arguments = (args), .opcode = (code), .sqes = 1, .prepare = prepare_##op

#define OPEN_ROW(op)                                                                              \
  .name = (op), .arguments = "pfm", .opcode = IORING_OP_OPENAT, .sqes = 2, .first_decides = true, \
  .fill = fill_open, .abandon = abandon_open, .finish = finish_open

#define READ_INTO_ROW(op, args, code)                                             \
  .name = (op), .arguments = (args), .opcode = (code), .sqes = 1,                 \
  .choose_memory = ufs_choose_memory, .attempt = ufs_attempt_read_into, .few = 4, \
  .prepare = ufs_prepare_read_into, .finish = ufs_finish_read_into

const ufs_operation ufs_file_operations[] = {
    {OPEN_ROW("open")},
    {OPEN_ROW("openForProgram"), .lets_go = true},
    {ROW(close, "d", IORING_OP_CLOSE), .finish = finish_close},
    {READ_INTO_ROW("read", "dbo", IORING_OP_READ)},
    {READ_INTO_ROW("readv", "dvo", IORING_OP_READV)},
    {.name = "readOwn",
     .arguments = "dbo",
     .opcode = IORING_OP_READ,
     .sqes = 1,
     .prepare = prepare_read,
     .fill = fill_transfer,
     .finish = finish_transfer},
    {.name = "readWhole",
     .arguments = "dbo",
     .opcode = IORING_OP_READ,
     .sqes = 1,
     .copies = true,
     .prepare = prepare_read},
    {.name = "readFresh",
     .arguments = "dbo",
     .opcode = IORING_OP_MADVISE,
     .sqes = 2,
     .prepare = prepare_read,
     .fill = fill_read_fresh},
    {ROW(write, "dbo", IORING_OP_WRITE), .fill = fill_transfer, .finish = finish_transfer},
    {ROW(writev, "dvo", IORING_OP_WRITEV), .fill = fill_transfer, .finish = finish_transfer},
    {ROW(fsync, "d", IORING_OP_FSYNC)},
    {ROW(fdatasync, "d", IORING_OP_FSYNC)},
    {ROW(ftruncate, "do", UFS_OP_FTRUNCATE)},
    {ROW(fstat, "ds", IORING_OP_STATX), .attempt = attempt_fstat, .few = UFS_HANDOVER_SIZE},
    {ROW(stat, "pfs", IORING_OP_STATX), .many = "statMany", .help = help_stat,
     .finish_help = finish_help_stat, .few = 64, .stays_here = true},
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
     .of_js = true,
     .prepare = prepare_read},
    {.name = "writeSlot",
     .arguments = "dbo",
     .opcode = IORING_OP_WRITE,
     .sqes = 1,
     .on_slot = true,
     .of_js = true,
     .prepare = prepare_write},
    {.name = "fsyncSlot",
     .arguments = "d",
     .opcode = IORING_OP_FSYNC,
     .sqes = 1,
     .on_slot = true,
     .of_js = true,
     .prepare = prepare_fsync},
    {ROW(poll_slot, "d", IORING_OP_POLL_ADD), .on_slot = true, .of_js = true},
    {ROW(close_slot, "d", IORING_OP_CLOSE), .of_js = true, .finish = finish_close_slot},
};

const unsigned ufs_file_operation_count =
    sizeof ufs_file_operations / sizeof ufs_file_operations[0];
