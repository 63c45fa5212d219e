#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cached.h"
#include "syscalls.h"

/* The file's own position: it starts at 0, and a FIFO or a terminal has no other. */
#define CURRENT_POSITION UINT64_MAX

static void set_extra(ufs_request *request, unsigned step) {
  request->extra = (double)request->slot * 16 + step;
}

static void leave_slot_to_js(ufs_engine *engine, ufs_request *request, unsigned step) {
  set_extra(request, UFS_UNFINISHED | step);
  ufs_engine_give_slot(engine, request->slot);
  request->slot = -1;
  request->slot_open = false;
}

static void prepare_open(struct io_uring_sqe *sqe, const ufs_request *request) {
  /* O_CLOEXEC means nothing for a descriptor that no exec can see, and is refused. */
  io_uring_prep_openat_direct(sqe, AT_FDCWD, request->path, request->flags & ~O_CLOEXEC,
                              request->mode, (unsigned)request->slot);
  if (request->in_worker) sqe->flags |= IOSQE_ASYNC;
}

/* The open failed, so the slot is empty. True when that is the result. */
static bool finish_without_file(ufs_request *request) {
  request->result = request->steps[0];
  set_extra(request, UFS_STEP_OPEN);
  if (request->result == -EINTR) return false;
  /* A FIFO without a reader (file_ops.c), or what must be waited for. */
  if ((request->result == -ENXIO || request->result == -EAGAIN) && !request->in_worker) {
    request->in_worker = true;
    return false;
  }
  return true;
}

/* ---- readFile: open ► read ► read until nothing comes ► close ---- */

/*
 * A step in each submission, of many files side by side. A chain of links would save submissions,
 * but costs the kernel more than they do: it sets each link going by work of its own.
 *
 * Only a read that finds nothing tells the end of any kind of file (/proc gives what it likes,
 * whatever its size says), unless it was found out before that it is a regular one, and its size.
 * Nothing at all is no end yet: a FIFO may wait for its first writer (file_ops.c), which JS finds
 * out.
 *
 * It is closed before JS has the result, as by Node: a FIFO whose reader is still there lets the
 * next writer in, and then fails its write.
 */

/* `fd`: what was opened but could not be read whole. */
static void help_read_file(const ufs_engine *engine, ufs_request *request) {
  ufs_opened_file file;
  request->result =
      ufs_cached_read(request, ufs_engine_block(engine, request), UFS_BLOCK_SIZE - 1, &file);
  request->fd = file.fd;
  request->size = file.size;
}

static bool finish_help_read_file(ufs_engine *engine, ufs_request *request) {
  if (request->fd >= 0) ufs_engine_adopt(engine, request, request->fd);
  request->fd = -1;
  if (!request->slot_open) request->size = 0;
  if (request->result == -EAGAIN) return false;
  set_extra(request, request->result < 0 ? UFS_STEP_OPEN : UFS_STEP_TRANSFER);
  return true;
}

static void fill_read_file(ufs_engine *engine, ufs_request *request) {
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  if (request->closing) {
    io_uring_prep_close_direct(sqe, (unsigned)request->slot);
  } else if (request->installing) {
    /* No flags: the descriptor is closed by an exec. */
    io_uring_prep_rw(UFS_OP_FIXED_FD_INSTALL, sqe, request->slot, NULL, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
  } else if (request->slot_open) {
    /* No more than there is: for what is missing the kernel may ask a worker. */
    const uint32_t size = request->size > 0 ? request->size : UFS_BLOCK_SIZE;
    io_uring_prep_read(sqe, request->slot, ufs_engine_block(engine, request) + request->length,
                       size - request->length, CURRENT_POSITION);
    sqe->flags |= IOSQE_FIXED_FILE;
    if (request->in_worker) sqe->flags |= IOSQE_ASYNC;
  } else {
    prepare_open(sqe, request);
  }
  ufs_engine_tag(sqe, request, 0);
}

static bool begin_install(ufs_engine *engine, ufs_request *request) {
  request->installing = engine->ring.opcodes[UFS_OP_FIXED_FD_INSTALL] &&
                        engine->installing < UFS_INSTALLS &&
                        engine->installing < engine->shared.counters[UFS_COUNT_FREE_TURNS];
  if (request->installing) engine->installing++;
  return request->installing;
}

/* A regular file that has more than the block holds goes on as a descriptor of the process, since
 * the size of a slot's file cannot be asked for. */
static bool finish_install(ufs_engine *engine, ufs_request *request) {
  const int32_t fd = request->steps[0];
  if (fd == -EINTR) return false;
  request->result = request->length;
  struct statx stat;
  if (fd >= 0 && ufs_statx_fd(fd, STATX_TYPE | STATX_SIZE, &stat) == 0 && S_ISREG(stat.stx_mode) &&
      stat.stx_size > request->length) {
    ufs_engine_note_fd(engine, fd, true);
    request->result = (int64_t)stat.stx_size;
    request->extra = (((double)fd + 1) * UFS_SLOTS + request->slot) * 16 +
                     (UFS_UNFINISHED | UFS_LARGE | UFS_STEP_TRANSFER);
    return true;
  }
  if (fd >= 0) (void)close(fd);
  leave_slot_to_js(engine, request, UFS_STEP_TRANSFER);
  return true;
}

static bool begin_close(ufs_request *request, int64_t result) {
  request->result = result;
  set_extra(request, UFS_STEP_TRANSFER);
  request->closing = true;
  return false;
}

/* Given up, it is closed with its slot. */
static bool finish_closing(ufs_request *request) {
  request->slot_open = request->steps[0] == -ECANCELED;
  return true;
}

/* `length` and then the result is the number of bytes in the block. */
static bool finish_read_file(ufs_engine *engine, ufs_request *request) {
  if (request->closing) return finish_closing(request);
  if (request->installing) return finish_install(engine, request);
  const int32_t result = request->steps[0];
  if (!request->slot_open) {
    request->slot_open = result >= 0;
    return result < 0 && finish_without_file(request);
  }
  if (result == -EINTR) return false;
  if (result == -EOPNOTSUPP && !request->in_worker) {
    /* Not without waiting: overlayfs of something that cannot (cached.c). */
    request->in_worker = true;
    return false;
  }
  if (result > 0) request->length += (uint32_t)result;
  if (result > 0 && request->size > 0 && request->length >= request->size) {
    return begin_close(request, request->length);
  }
  if (result > 0 && request->length < UFS_BLOCK_SIZE) return false;
  if (result > 0 && begin_install(engine, request)) return false;
  /* What the kernel gave up amid the file is gone on with, not begun anew. */
  const bool given_up = result == -ECANCELED && !request->cancelled && request->length > 0;
  if (result < 0 && !given_up) return begin_close(request, result);
  if (result == 0 && request->length > 0) return begin_close(request, request->length);
  request->result = request->length;
  leave_slot_to_js(engine, request, UFS_STEP_TRANSFER);
  return true;
}

/* ---- writeFile: open ► write ► (fsync) ► close ► closed ---- */

/*
 * A chain, which one kernel worker does from end to end: by steps, each would be one more
 * submission and one more worker to wake. Plain links: a write that fails or is short breaks the
 * chain, so that the file is still open to go on with. A failed fsync may or may not break it, by
 * kernel; its CQE tells.
 *
 * The close is complete before the file is closed: the worker lets go of it after that, before it
 * takes what it does next. A NOP is the next. Without it, one file in some hundreds was still open
 * for writing when its promise resolved, so that it could not be run (ETXTBSY).
 *
 * A chain can be cut: a kernel short of memory may take a part of a submission, and what is left of
 * a chain then runs by itself and meets a slot whose open has not ended. Its EBADF means that the
 * step has never been.
 */
enum { WRITE_OPEN, WRITE_DATA, WRITE_SYNC, WRITE_CLOSE, WRITE_CLOSED };

static void fill_write_file(ufs_engine *engine, ufs_request *request) {
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  prepare_open(sqe, request);
  sqe->flags |= IOSQE_IO_LINK;
  ufs_engine_tag(sqe, request, WRITE_OPEN);

  request->steps[WRITE_DATA] = 0;
  if (request->length > 0) { /* as with Node, no data is no write */
    sqe = ufs_engine_sqe(engine);
    io_uring_prep_write(sqe, request->slot, request->memory, request->length,
                        request->offset > 0 ? request->offset : CURRENT_POSITION);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK;
    ufs_engine_tag(sqe, request, WRITE_DATA);
  }
  request->steps[WRITE_SYNC] = 0;
  if (request->sync) {
    sqe = ufs_engine_sqe(engine);
    io_uring_prep_fsync(sqe, request->slot, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK;
    ufs_engine_tag(sqe, request, WRITE_SYNC);
  }
  sqe = ufs_engine_sqe(engine);
  io_uring_prep_close_direct(sqe, (unsigned)request->slot);
  sqe->flags |= IOSQE_IO_HARDLINK;
  ufs_engine_tag(sqe, request, WRITE_CLOSE);

  sqe = ufs_engine_sqe(engine);
  io_uring_prep_nop(sqe);
  ufs_engine_tag(sqe, request, WRITE_CLOSED);
}

/* Whether a step of the write chain has done nothing: cut off, interrupted, not waited for, or
 * given up by the kernel. With O_PATH, EBADF is but the answer. */
static bool never_ran(const ufs_request *request, int32_t result) {
  return (result == -EBADF && (request->flags & O_PATH) == 0) || result == -EINTR ||
         result == -EAGAIN || (result == -ECANCELED && !request->cancelled);
}

/* A cut chain's close came before all was written, or synced: the rest once more, on the file that
 * is there now. `offset` counts what has been written. */
static bool begin_rest(ufs_request *request, int32_t written) {
  request->flags &= ~O_EXCL;
  if (written > 0) request->flags &= ~(O_TRUNC | O_CREAT);
  request->offset += (uint64_t)written;
  request->memory += written;
  request->length -= (uint32_t)written;
  return false;
}

/* Of what is written in part the pool must not begin anew. */
static void abandon_write_file(ufs_engine *engine, ufs_request *request) {
  (void)engine;
  if (request->offset > 0) request->result = -EIO;
}

/* The result is the number of bytes written. ECANCELED, upon which the pool begins anew, is left to
 * a file that has not been touched. */
static bool finish_write_file(ufs_engine *engine, ufs_request *request) {
  if (request->steps[WRITE_OPEN] < 0) {
    const bool finished = finish_without_file(request);
    if (request->result == -ECANCELED) abandon_write_file(engine, request);
    return finished;
  }
  const int32_t closed = request->steps[WRITE_CLOSE];
  const int32_t synced = request->steps[WRITE_SYNC];
  int32_t written = request->steps[WRITE_DATA];
  if (never_ran(request, written)) written = 0;
  /* Closed even if the close reports an error. */
  request->slot_open = closed == -ECANCELED || closed == -EBADF;
  set_extra(request, UFS_STEP_TRANSFER);
  if (written < 0) {
    request->result = written;
    return true;
  }
  const bool unfinished = (uint32_t)written < request->length || never_ran(request, synced);
  if (unfinished && !request->slot_open) return begin_rest(request, written);
  request->result = (int64_t)request->offset + written;
  if (unfinished) {
    leave_slot_to_js(engine, request, UFS_STEP_TRANSFER);
  } else if (synced < 0) {
    request->result = synced;
    set_extra(request, UFS_STEP_SYNC);
  } else if (closed < 0 && !request->slot_open && closed != -EINTR) {
    request->result = closed;
    set_extra(request, UFS_STEP_CLOSE);
  }
  return true;
}

const ufs_operation ufs_whole_file_operations[] = {
    {.name = "readFile",
     .many = "readFileMany",
     .arguments = "pf",
     .opcode = IORING_OP_OPENAT,
     .sqes = 1,
     .takes_slot = true,
     .help = help_read_file,
     .finish_help = finish_help_read_file,
     .few = 4, /* the ring opens and reads in this thread, too, and many for less */
     .fill = fill_read_file,
     .finish = finish_read_file},
    {.name = "writeFile",
     .arguments = "pfmby",
     .opcode = IORING_OP_OPENAT,
     .sqes = 5,
     .closes_file = true,
     .takes_slot = true,
     .fill = fill_write_file,
     .abandon = abandon_write_file,
     .finish = finish_write_file},
};

const unsigned ufs_whole_file_operation_count =
    sizeof ufs_whole_file_operations / sizeof ufs_whole_file_operations[0];
