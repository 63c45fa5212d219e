#include "caller_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cached.h"
#include "file_ops.h"
#include "syscalls.h"

enum { PAGE_MASK = 4095 };

/* A pipe holds no more, unless it was enlarged by root: that is then read in parts. */
enum { PIPE_SIZE_MOST = 1024 * 1024 };

static bool is_own_position(const ufs_request *request) {
  return request->offset == UINT64_MAX;
}

/* A pipe, a terminal: what is read there can wait as long as it likes. */
static bool has_no_position(const ufs_request *request) {
  return is_own_position(request) && request->start < 0;
}

static bool is_for_worker(const ufs_request *request) {
  return request->length >= UFS_ASYNC_TRANSFER && !has_no_position(request);
}

static unsigned missing(const ufs_request *request) {
  const unsigned length = ufs_transfer_length(request) - request->done;
  return has_no_position(request) && length > PIPE_SIZE_MOST ? PIPE_SIZE_MOST : length;
}

/* Whether O_DIRECT is known to take the caller's memory. What it makes of pieces that do not end
 * with a page differs by kernel. */
static bool suits_direct(const ufs_request *request) {
  if (request->vectors == NULL) return (uintptr_t)request->memory % request->alignment == 0;
  for (uint32_t i = 0; i < request->vector_count; i++) {
    const struct iovec *piece = &request->vectors[i];
    if ((uintptr_t)piece->iov_base % request->alignment != 0) return false;
    if (i + 1 < request->vector_count && (piece->iov_len & PAGE_MASK) != 0) return false;
  }
  return true;
}

/* As far from the start of a page as the caller's memory is: O_DIRECT goes by that. Or there, where
 * the caller's is known to be taken: a device needs up to twice as long to fill parts of two pages.
 */
static uint8_t *shield_start(const ufs_request *request) {
  const void *memory = request->vectors == NULL ? request->memory : request->vectors[0].iov_base;
  const uintptr_t away = request->alignment > 0 ? 0 : (uintptr_t)memory;
  return request->shield + ((away - (uintptr_t)request->shield) & PAGE_MASK);
}

static bool add_shield(ufs_request *request) {
  if (request->shield == NULL) request->shield = malloc((size_t)missing(request) + PAGE_MASK);
  return request->shield != NULL;
}

static void note_start(ufs_request *request) {
  request->start = is_own_position(request) ? lseek(request->fd, 0, SEEK_CUR) : -1;
}

bool ufs_choose_memory(ufs_engine *engine, ufs_request *request) {
  const bool is_stale = !ufs_engine_count_checked(engine, request);
  note_start(request);
  if (!request->shielded && !is_for_worker(request)) {
    /* JS has run since it looked; or a kernel thread reads, which JS does not wait for. */
    request->shielded = is_stale || (engine->ring.setup_flags & IORING_SETUP_SQPOLL) != 0 ||
                        has_no_position(request);
  }
  if (!request->shielded) return true;
  if (request->alignment > 0 && !suits_direct(request)) return false;
  return add_shield(request);
}

void ufs_prepare_read_into(struct io_uring_sqe *sqe, const ufs_request *request) {
  const uint64_t offset =
      is_own_position(request) ? request->offset : request->offset + request->done;
  if (request->shielded) {
    io_uring_prep_read(sqe, request->fd, shield_start(request), missing(request), offset);
  } else if (request->vectors != NULL) {
    io_uring_prep_readv(sqe, request->fd, request->vectors, request->vector_count, offset);
  } else {
    io_uring_prep_read(sqe, request->fd, request->memory, missing(request), offset);
  }
  if (is_for_worker(request)) {
    sqe->flags |= IOSQE_ASYNC;
  } else if (!request->shielded) {
    sqe->rw_flags = RWF_NOWAIT;
  }
}

/* Whether a read without waiting that ended there can have ended for no other reason. */
static bool is_end(const ufs_request *request, uint64_t reached) {
  struct statx stat;
  if (ufs_statx_fd(request->fd, STATX_TYPE | STATX_SIZE, &stat) < 0) return false;
  return S_ISREG(stat.stx_mode) ? reached >= stat.stx_size : !S_ISBLK(stat.stx_mode);
}

static uint64_t first_byte(const ufs_request *request) {
  return is_own_position(request) ? (uint64_t)request->start : request->offset;
}

/* By a call that waits for nothing, which takes less than the ring for one. It moves no position:
 * what brings less than there is to read begins anew in the ring, with a shield. Nor does it
 * overtake what the ring has, which may be a write. */
bool ufs_attempt_read_into(ufs_engine *engine, ufs_request *request) {
  if (engine->in_flight > 0 || request->shielded) return false;
  note_start(request);
  if (is_for_worker(request) || has_no_position(request)) return false;
  if (!ufs_engine_count_checked(engine, request)) return false;
  const struct iovec whole = {.iov_base = request->memory, .iov_len = request->length};
  const bool is_whole = request->vectors == NULL;
  const long count = ufs_cached_read_at(request->fd, is_whole ? &whole : request->vectors,
                                        is_whole ? 1 : request->vector_count, first_byte(request));
  if (count < 0) return false;
  const uint64_t reached = first_byte(request) + (uint64_t)count;
  if ((uint64_t)count < request->length && !is_end(request, reached)) return false;
  if (is_own_position(request) && count > 0) (void)lseek(request->fd, (off_t)reached, SEEK_SET);
  request->result = count;
  return true;
}

/* Whether a read without waiting has left something to a read that may wait. */
static bool is_left(const ufs_request *request, int32_t moved) {
  if (request->shielded || is_for_worker(request)) return false;
  if (moved == -EAGAIN || moved == -EOPNOTSUPP) return true;
  /* Also of nothing: Linux 5.10 says so amid a file, of a page that is not in memory. */
  if (moved < 0 || (uint32_t)moved == missing(request)) return false;
  return !is_end(request, first_byte(request) + (uint32_t)moved);
}

bool ufs_finish_read_into(ufs_engine *engine, ufs_request *request) {
  (void)engine;
  const int32_t moved = request->steps[0];
  ufs_correct_position(request, missing(request));
  if (moved == -EINTR) return false;
  if (is_left(request, moved)) {
    if (moved > 0) request->done = (uint32_t)moved;
    request->shielded = true;
    return false;
  }
  if (moved > 0 && request->shielded) request->extra = moved;
  request->result = moved < 0 ? moved : (int64_t)request->done + moved;
  if (moved < 0 && request->done > 0) request->result = request->done;
  return true;
}

void ufs_take_from_shield(const ufs_request *request, const struct iovec *pieces, uint32_t count) {
  const uint8_t *from = shield_start(request);
  uint64_t begin = 0; /* of the piece, among the bytes of the read */
  const uint64_t end = (uint64_t)request->result;
  for (uint32_t i = 0; i < count && begin < end; i++) {
    const bool is_whole = request->vectors == NULL;
    const uint64_t size = is_whole ? request->length : request->vectors[i].iov_len;
    const uint64_t first = begin > request->done ? begin : request->done;
    const uint64_t last = begin + size < end ? begin + size : end;
    if (first < last && pieces[i].iov_len == size) {
      memcpy((uint8_t *)pieces[i].iov_base + (first - begin), from + (first - request->done),
             last - first);
    }
    begin += size;
  }
}
