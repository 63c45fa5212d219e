#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The last bytes of a block are for the read that finds the end of the file. A file that fits into
 * the rest is read whole, its end seen, in one submission. */
enum { TAIL_SIZE = 64, BODY_SIZE = UFS_BLOCK_SIZE - TAIL_SIZE };

/* The file's own position: it starts at 0, and a FIFO or a terminal has no other. */
#define CURRENT_POSITION UINT64_MAX

static void set_extra(ufs_request *request, int32_t slot, unsigned step) {
  request->extra = (double)slot * 16 + step;
}

static void leave_slot_to_js(ufs_request *request, unsigned step) {
  set_extra(request, request->slot, UFS_UNFINISHED | step);
  request->slot = -1;
}

static void prepare_open(struct io_uring_sqe *sqe, const ufs_request *request) {
  /* O_CLOEXEC means nothing for a descriptor that no exec can see, and is refused. */
  io_uring_prep_openat_direct(sqe, AT_FDCWD, request->path, request->flags & ~O_CLOEXEC,
                              request->mode, (unsigned)request->slot);
  sqe->flags |= IOSQE_IO_LINK;
  if (request->in_worker) sqe->flags |= IOSQE_ASYNC;
}

/* The open failed, so the slot is empty. True when that is the result. */
static bool finish_without_file(ufs_engine *engine, ufs_request *request) {
  const int32_t slot = request->slot;
  request->slot = -1;
  ufs_engine_free_slot(engine, slot);
  request->result = request->steps[0];
  set_extra(request, slot, UFS_STEP_OPEN);
  if (request->result == -EINTR) return false;
  if (request->result == -ENXIO && !request->in_worker) { /* a FIFO without a reader: file_ops.c */
    request->in_worker = true;
    return false;
  }
  return true;
}

/*
 * A chain can be cut: a kernel short of memory may take a part of a submission, and what is left of
 * a chain then runs by itself and meets a slot whose open has not ended. Its EBADF means that the
 * step has never been.
 */

/* ---- readFile: open ► read ► read; the close follows the hand-over ---- */

/*
 * Two reads, since only a read that finds nothing tells the end of any kind of file (/proc gives
 * what it likes, whatever its size says). A short read breaks a plain link but not a hard one. The
 * close is not part of the chain: with more to come it must not happen, and a FIFO can't be opened
 * again without loss.
 */
enum { READ_OPEN, READ_BODY, READ_TAIL };

static void fill_read_file(ufs_engine *engine, ufs_request *request) {
  uint8_t *block = engine->shared.slab + (size_t)request->slot * UFS_BLOCK_SIZE;
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  prepare_open(sqe, request);
  ufs_engine_tag(sqe, request, READ_OPEN);

  sqe = ufs_engine_sqe(engine);
  io_uring_prep_read(sqe, request->slot, block, BODY_SIZE, CURRENT_POSITION);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
  ufs_engine_tag(sqe, request, READ_BODY);

  sqe = ufs_engine_sqe(engine);
  io_uring_prep_read(sqe, request->slot, block + BODY_SIZE, TAIL_SIZE, CURRENT_POSITION);
  sqe->flags |= IOSQE_FIXED_FILE;
  ufs_engine_tag(sqe, request, READ_TAIL);
}

/* The result is the number of bytes in the block. None at all is no end yet: a FIFO may wait for
 * its first writer (file_ops.c), which JS finds out. */
static bool finish_read_file(ufs_engine *engine, ufs_request *request) {
  if (request->steps[READ_OPEN] < 0) return finish_without_file(engine, request);
  int32_t body = request->steps[READ_BODY];
  int32_t tail = request->steps[READ_TAIL];
  if (body == -EBADF || tail == -EBADF) { /* the chain was cut */
    ufs_engine_close_slot(engine, request->slot);
    request->slot = -1;
    return false;
  }
  const bool interrupted = body == -EINTR || tail == -EINTR;
  if (body == -EINTR) body = 0;
  if (tail == -EINTR) tail = 0;
  set_extra(request, request->slot, UFS_STEP_TRANSFER);
  if (body < 0 || tail < 0) {
    request->result = body < 0 ? body : tail;
    return true;
  }
  request->result = body + tail;
  if (tail > 0 && body < BODY_SIZE) {
    uint8_t *block = engine->shared.slab + (size_t)request->slot * UFS_BLOCK_SIZE;
    memmove(block + body, block + BODY_SIZE, (size_t)tail);
  }
  if (tail > 0 || request->result == 0 || interrupted) leave_slot_to_js(request, UFS_STEP_TRANSFER);
  return true;
}

/* ---- writeFile: open ► write ► (fsync) ► close ---- */

/*
 * Plain links: a write that fails or is short breaks the chain, so that the file is still open to
 * go on with. A failed fsync may or may not break it, by kernel; its CQE tells.
 */
enum { WRITE_OPEN, WRITE_DATA, WRITE_SYNC, WRITE_CLOSE };

static void fill_write_file(ufs_engine *engine, ufs_request *request) {
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  prepare_open(sqe, request);
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
  ufs_engine_tag(sqe, request, WRITE_CLOSE);
}

/* Whether a step of the write chain has done nothing: cut off, interrupted or given up by the
 * kernel. */
static bool never_ran(const ufs_request *request, int32_t result) {
  return result == -EBADF || result == -EINTR || (result == -ECANCELED && !request->cancelled);
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
    const bool finished = finish_without_file(engine, request);
    if (request->result == -ECANCELED) abandon_write_file(engine, request);
    return finished;
  }
  const int32_t slot = request->slot;
  const int32_t closed = request->steps[WRITE_CLOSE];
  const bool is_open = closed == -ECANCELED || closed == -EBADF;
  const int32_t synced = request->steps[WRITE_SYNC];
  int32_t written = request->steps[WRITE_DATA];
  if (never_ran(request, written)) written = 0;
  if (!is_open) { /* even if the close reports an error */
    request->slot = -1;
    ufs_engine_free_slot(engine, slot);
  }
  set_extra(request, slot, UFS_STEP_TRANSFER);
  if (written < 0) {
    request->result = written;
    return true;
  }
  const bool unfinished = (uint32_t)written < request->length || never_ran(request, synced);
  if (unfinished && !is_open) return begin_rest(request, written);
  request->result = (int64_t)request->offset + written;
  if (unfinished) {
    leave_slot_to_js(request, UFS_STEP_TRANSFER);
  } else if (synced < 0) {
    request->result = synced;
    set_extra(request, slot, UFS_STEP_SYNC);
  } else if (closed < 0 && !is_open && closed != -EINTR) {
    request->result = closed;
    set_extra(request, slot, UFS_STEP_CLOSE);
  }
  return true;
}

const ufs_operation ufs_whole_file_operations[] = {
    {.name = "readFile",
     .many = "readFileMany",
     .arguments = "pf",
     .opcode = IORING_OP_OPENAT,
     .sqes = 3,
     .takes_slot = true,
     .fill = fill_read_file,
     .finish = finish_read_file},
    {.name = "writeFile",
     .arguments = "pfmby",
     .opcode = IORING_OP_OPENAT,
     .sqes = 4,
     .takes_slot = true,
     .fill = fill_write_file,
     .abandon = abandon_write_file,
     .finish = finish_write_file},
};

const unsigned ufs_whole_file_operation_count =
    sizeof ufs_whole_file_operations / sizeof ufs_whole_file_operations[0];
