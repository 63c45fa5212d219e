#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Bytes that one submission may copy in this thread: about a millisecond's worth. */
enum { ROUND_BYTES = 4 * 1024 * 1024 };

/* Requests whose memory JS looks at again and again while they wait. */
enum { MAX_UNCHECKED = 8192 };

/* user_data of a slot's close: a number too small to be an address, with this in the step bits. */
enum { STEP_CLOSE_SLOT = 7, STEP_BITS = 3 };

/* Fewer where RLIMIT_NOFILE does not allow all of them. */
static const unsigned fewer_slots[] = {128, 32};

enum { NS_PER_MS = 1000 * 1000 };

/* ---- queues ---- */

static void queue_push(ufs_queue *queue, ufs_request *request) {
  request->next = NULL;
  if (queue->head == NULL) {
    queue->head = request;
  } else {
    queue->tail->next = request;
  }
  queue->tail = request;
  queue->length++;
}

static ufs_request *queue_pop(ufs_queue *queue) {
  ufs_request *request = queue->head;
  queue->head = request->next;
  queue->length--;
  return request;
}

static uint32_t queued(const ufs_engine *engine) {
  return engine->begun.length + engine->waiting.length + engine->waiting_for_slot.length;
}

/* ---- direct descriptors ---- */

static bool register_slots_of(ufs_engine *engine, unsigned count) {
  if (io_uring_register_files_sparse(&engine->ring.uring, count + 1) < 0) return false;
  engine->slot_count = count;
  engine->ring.spare_slot = (int)count;
  return true;
}

static void register_slots(ufs_engine *engine, unsigned wanted) {
  engine->slot_count = 0;
  if (!engine->ring.linked_files) return;
  bool done = register_slots_of(engine, wanted);
  for (size_t i = 0; i < sizeof fewer_slots / sizeof fewer_slots[0] && !done; i++) {
    if (fewer_slots[i] < wanted) done = register_slots_of(engine, fewer_slots[i]);
  }
  /* The lowest on top: a few slots, and so a few blocks of the slab, serve again and again. */
  engine->free_slots = engine->slot_count;
  for (unsigned i = 0; i < engine->slot_count; i++) {
    engine->free_slot[i] = (uint16_t)(engine->slot_count - 1 - i);
  }
}

void ufs_engine_free_slot(ufs_engine *engine, int32_t slot) {
  engine->free_slot[engine->free_slots++] = (uint16_t)slot;
}

void ufs_engine_close_slot(ufs_engine *engine, int32_t slot) {
  engine->closing_slot[engine->closing_slots++] = (uint16_t)slot;
}

uint8_t *ufs_engine_block(const ufs_engine *engine, const ufs_request *request) {
  return engine->shared.slab + (size_t)request->slot * UFS_BLOCK_SIZE;
}

void ufs_engine_adopt(ufs_engine *engine, ufs_request *request, int fd) {
  request->slot_open =
      io_uring_register_files_update(&engine->ring.uring, (unsigned)request->slot, &fd, 1) == 1;
  (void)close(fd);
}

void ufs_engine_give_slot(ufs_engine *engine, int32_t slot) {
  engine->js_slots[slot / 64] |= 1ULL << ((unsigned)slot % 64);
}

bool ufs_engine_is_slot_of_js(ufs_engine *engine, const ufs_request *request) {
  if (request->fd >= UFS_SLOTS) return false;
  uint64_t *word = &engine->js_slots[request->fd / 64];
  const uint64_t bit = 1ULL << ((unsigned)request->fd % 64);
  const bool is_its = (*word & bit) != 0;
  if (request->operation->opcode == IORING_OP_CLOSE) *word &= ~bit;
  return is_its;
}

/* A slot may serve again only when the CQE of its close has come: an open that overtakes the close
 * would lose its file to it. */
static void fill_slot_closes(ufs_engine *engine) {
  while (engine->closing_slots > 0 && ufs_ring_room(&engine->ring) > 0) {
    const unsigned slot = engine->closing_slot[--engine->closing_slots];
    struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
    io_uring_prep_close_direct(sqe, slot);
    io_uring_sqe_set_data64(sqe, ((uint64_t)slot << STEP_BITS) | STEP_CLOSE_SLOT);
  }
}

/* Without an SQE, which the kernel had no memory for. */
static void empty_slot(ufs_engine *engine, int32_t slot) {
  const int nothing = -1;
  (void)io_uring_register_files_update(&engine->ring.uring, (unsigned)slot, &nothing, 1);
}

/* ---- descriptors that must not outlive the environment ---- */

void ufs_engine_note_fd(ufs_engine *engine, int fd, bool open) {
  const uint32_t word = (uint32_t)fd / 64;
  const uint64_t bit = 1ULL << ((uint32_t)fd % 64);
  if (word >= engine->open_fds_words) {
    if (!open) return;
    const uint32_t words = word + 16;
    uint64_t *grown = realloc(engine->open_fds, words * sizeof *grown);
    if (grown == NULL) return; /* then this descriptor is closed by its handle only */
    memset(grown + engine->open_fds_words, 0, (words - engine->open_fds_words) * sizeof *grown);
    engine->open_fds = grown;
    engine->open_fds_words = words;
  }
  if (open) {
    engine->open_fds[word] |= bit;
  } else {
    engine->open_fds[word] &= ~bit;
  }
}

static void close_noted_fds(ufs_engine *engine) {
  for (uint32_t word = 0; word < engine->open_fds_words; word++) {
    for (uint32_t bit = 0; bit < 64; bit++) {
      if ((engine->open_fds[word] >> bit & 1) != 0) (void)close((int)(word * 64 + bit));
    }
  }
}

/* ---- into the ring ---- */

struct io_uring_sqe *ufs_engine_sqe(ufs_engine *engine) {
  return ufs_ring_take(&engine->ring);
}

void ufs_engine_tag(struct io_uring_sqe *sqe, ufs_request *request, unsigned step) {
  request->outstanding++;
  io_uring_sqe_set_data64(sqe, (uint64_t)(uintptr_t)request | step);
}

void ufs_engine_fill_one(ufs_engine *engine, ufs_request *request) {
  const ufs_operation *operation = request->operation;
  struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
  operation->prepare(sqe, request);
  if (request->in_worker) sqe->flags |= IOSQE_ASYNC;
  if (operation->on_slot) sqe->flags |= IOSQE_FIXED_FILE;
  ufs_engine_tag(sqe, request, 0);
}

static uint32_t under_way(const ufs_engine *engine) {
  return engine->in_flight + engine->helper.held;
}

static void note_peak(ufs_engine *engine) {
  if (under_way(engine) > engine->peak_in_flight) engine->peak_in_flight = under_way(engine);
}

static void fill(ufs_engine *engine, ufs_request *request) {
  engine->in_flight++;
  note_peak(engine);
  if (request->operation->fill != NULL) {
    request->operation->fill(engine, request);
  } else {
    ufs_engine_fill_one(engine, request);
  }
}

bool ufs_engine_count_checked(ufs_engine *engine, ufs_request *request) {
  if (request->round != engine->round) return false;
  request->round = engine->round - 1; /* once: JS will have run before it goes a second time */
  if (engine->unchecked > 0) engine->unchecked--;
  return true;
}

static void finish_early(ufs_engine *engine, ufs_request *request) {
  if (request->operation->choose_memory != NULL) (void)ufs_engine_count_checked(engine, request);
  request->result = -ECANCELED;
  if (request->operation->abandon != NULL) request->operation->abandon(engine, request);
  queue_push(&engine->done, request);
}

static void finish_here(ufs_engine *engine, ufs_request *request) {
  if (engine->flushing) engine->shared.counters[UFS_COUNT_INLINE]++;
  queue_push(&engine->done, request);
}

/* Of what the ring has not begun. */
static bool attempt(ufs_engine *engine, ufs_request *request) {
  const ufs_operation *operation = request->operation;
  if (request->slot_open || request->in_worker) return false;
  bool finished;
  if (operation->help != NULL) {
    operation->help(engine, request);
    finished = operation->finish_help(engine, request);
  } else {
    finished = operation->attempt(engine, request);
  }
  if (finished) finish_here(engine, request);
  return finished;
}

static bool are_few(const ufs_engine *engine, const ufs_operation *operation) {
  return under_way(engine) + queued(engine) < operation->few;
}

/*
 * Many files of middling size: their copies are most of the work, and half of them can be made by a
 * kernel worker on another CPU meanwhile. A few are copied here sooner than a worker wakes up.
 */
enum { COPY_SHARED = 32 * 1024, COPY_AHEAD = 256 * 1024 };

static void share_copies(ufs_engine *engine, ufs_request *request) {
  if (!request->operation->copies || request->length < COPY_SHARED || !engine->ring.many_cpus)
    return;
  if (request->in_worker) return; /* it would have to wait */
  request->in_worker = engine->copied_elsewhere + COPY_AHEAD <= engine->copied_here;
  if (request->in_worker) {
    engine->copied_elsewhere += request->length;
  } else {
    engine->copied_here += request->length;
  }
}

/* Where there is none for a copy, or the caller's is nothing for O_DIRECT, the pool reads, which
 * makes no copy; but not once more what has been read already. */
static bool choose_memory(ufs_engine *engine, ufs_request *request) {
  const ufs_operation *operation = request->operation;
  if (operation->choose_memory == NULL || operation->choose_memory(engine, request)) return true;
  request->result = request->done > 0 ? (int64_t)request->done : -ECANCELED;
  queue_push(&engine->done, request);
  return false;
}

static bool may_run(const ufs_engine *engine, const ufs_queue *queue) {
  if (queue->head == NULL) return false;
  const ufs_operation *operation = queue->head->operation;
  if (operation->takes_slot && queue->head->slot < 0 && engine->free_slots == 0) return false;
  return ufs_ring_room(&engine->ring) >= operation->sqes;
}

static void reserve_slot(ufs_engine *engine, ufs_request *request) {
  if (!request->operation->takes_slot || request->slot >= 0) return;
  request->slot = engine->free_slot[--engine->free_slots];
}

/* Takes requests from the queue into the SQ, as many as may run now. Returns how many left it. */
static unsigned fill_from(ufs_engine *engine, ufs_queue *queue) {
  unsigned count = 0;
  uint64_t bytes = 0;
  for (; queue->head != NULL && bytes < ROUND_BYTES; count++) {
    if (queue->head->cancelled || engine->ring.failure < 0) {
      finish_early(engine, queue_pop(queue));
      continue;
    }
    if (!may_run(engine, queue)) break;
    ufs_request *request = queue_pop(queue);
    reserve_slot(engine, request);
    if (are_few(engine, request->operation) && attempt(engine, request)) continue;
    if (!choose_memory(engine, request)) continue;
    bytes += request->length;
    share_copies(engine, request);
    fill(engine, request);
  }
  return count;
}

/* ---- to the helper ---- */

/*
 * Of many requests, as soon as that many wait. JS takes about as long for each as the kernel does,
 * so while JS is at those that are done the helper does as many, and no more are left to it: what
 * is beyond that is taken back, some at a time, until the helper has begun the rest.
 */
enum { HELP_LEAST = 20, TAKE_BACK = 32 };

/* What cannot be had without waiting (it is not in memory, or larger) is the ring's to read, and
 * the helper's attempt was in vain. Then it makes none until that is known here: each may hold a
 * descriptor. Of the requests to come so many are not shared, and ever more. */
enum { PAUSE_LEAST = 256, PAUSE_MOST = 16 * 1024 };

/* What JS gets next. */
static uint32_t work_for_js(const ufs_engine *engine) {
  return engine->done.length + engine->begun.length;
}

static bool may_be_helped(const ufs_engine *engine, const ufs_queue *queue) {
  const ufs_request *request = queue->head;
  if (request == NULL || request->operation->help == NULL) return false;
  const bool has_slot = !request->operation->takes_slot || engine->free_slots > 0;
  return !request->cancelled && !request->in_worker && has_slot &&
         ufs_helper_has_room(&engine->helper);
}

static void share(ufs_engine *engine, ufs_queue *queue) {
  ufs_helper *helper = &engine->helper;
  if (!engine->has_helper || engine->ring.failure < 0) return;
  if (engine->shared.counters[UFS_COUNT_SUBMITTED] < engine->help_again) return;
  if (queue->length + ufs_helper_untouched(helper) < HELP_LEAST) return;
  if (!may_be_helped(engine, queue)) return;
  /* What is asked for with few rights must not be opened with those that are back by then. */
  if (ufs_credentials_may_return() || !ufs_helper_start(helper, engine->in_flight > 0)) return;
  do {
    ufs_request *request = queue_pop(queue);
    reserve_slot(engine, request);
    ufs_helper_give(helper, request);
  } while (may_be_helped(engine, queue));
  note_peak(engine);
  ufs_helper_wake(helper);
}

/* By the ring, from where it is. */
static void go_on(ufs_engine *engine, ufs_request *request) {
  queue_push(request->operation->takes_slot ? &engine->begun : &engine->waiting, request);
}

static void note_vain(ufs_engine *engine) {
  engine->help_pause = engine->help_pause == 0 ? PAUSE_LEAST : engine->help_pause * 2;
  if (engine->help_pause > PAUSE_MOST) engine->help_pause = PAUSE_MOST;
  engine->help_again = engine->shared.counters[UFS_COUNT_SUBMITTED] + engine->help_pause;
}

static bool take_back(ufs_engine *engine) {
  ufs_request *request = ufs_helper_take_back(&engine->helper);
  if (request == NULL) return false;
  const ufs_operation *operation = request->operation;
  const bool stays_here = operation->stays_here && !request->cancelled;
  if (stays_here && attempt(engine, request)) return true;
  if (stays_here) note_vain(engine);
  go_on(engine, request);
  return true;
}

static bool has_too_much(const ufs_engine *engine) {
  return ufs_helper_untouched(&engine->helper) > work_for_js(engine);
}

static unsigned collect(ufs_engine *engine) {
  unsigned count = 0;
  bool in_vain = false;
  ufs_request *request;
  for (; (request = ufs_helper_collect(&engine->helper)) != NULL; count++) {
    if (request->operation->finish_help(engine, request)) {
      engine->shared.counters[UFS_COUNT_HELPED]++;
      finish_here(engine, request);
    } else {
      in_vain = true;
      go_on(engine, request);
    }
  }
  if (count > 0 && !in_vain) engine->help_pause = 0;
  /* Not once more for those that were not even attempted, and are collected later. */
  if (in_vain && atomic_exchange(&engine->help_in_vain, false)) note_vain(engine);
  return count;
}

static void work(ufs_helper *helper, ufs_request *request) {
  ufs_engine *engine = helper->owner;
  request->result = -EAGAIN;
  if (atomic_load(&engine->help_in_vain)) return;
  request->operation->help(engine, request);
  if (request->result == -EAGAIN) atomic_store(&engine->help_in_vain, true);
}

static void on_idle(ufs_helper *helper) {
  ufs_engine *engine = helper->owner;
  ufs_ring_wake(&engine->ring); /* which does no more than write to the eventfd */
}

static const ufs_helper_hooks helper_hooks = {.work = work, .idle = on_idle};

/* ---- out of the ring ---- */

/* A file that would have to be waited for, which the kernel mostly sees to itself. Nothing has
 * happened, and a worker, which may wait, gets what the system call would. */
static bool must_wait(const ufs_request *request) {
  const ufs_operation *operation = request->operation;
  /* Of what is read into a caller's memory without waiting, finish() knows what to do. */
  if (operation->choose_memory != NULL && !request->shielded) return false;
  return (operation->sqes == 1 || operation->finish == NULL) && request->steps[0] == -EAGAIN &&
         !request->in_worker;
}

static void complete_request(ufs_engine *engine, ufs_request *request) {
  const ufs_operation *operation = request->operation;
  engine->in_flight--;
  bool finished = true;
  if (must_wait(request)) {
    request->in_worker = true;
    finished = false;
  } else if (operation->finish != NULL) {
    finished = operation->finish(engine, request);
  } else {
    request->result = request->steps[0];
    /* Nothing has happened yet when a call is interrupted; libuv starts it again, too. */
    finished = request->result != -EINTR;
  }
  if (finished) {
    finish_here(engine, request);
  } else if (request->cancelled) {
    finish_early(engine, request);
  } else {
    go_on(engine, request);
  }
}

/* The kernel's own codes for "interrupted, begin again" (ERESTARTSYS and its kin), which a
 * cancelled worker lets slip. */
static bool is_restart(int32_t result) {
  return result <= -512 && result >= -516;
}

static void on_complete(ufs_ring *ring, uint64_t user_data, int32_t result) {
  ufs_engine *engine = (ufs_engine *)ring;
  const unsigned step = user_data & UFS_STEP_MASK;
  if (step == STEP_CLOSE_SLOT) {
    const int32_t slot = (int32_t)(user_data >> STEP_BITS);
    if (result == -ECANCELED) empty_slot(engine, slot);
    ufs_engine_free_slot(engine, slot);
    return;
  }
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel hands our own address back as a number */
  ufs_request *request = (ufs_request *)(uintptr_t)(user_data & ~(uint64_t)UFS_STEP_MASK);
  request->steps[step] = is_restart(result) ? -EINTR : result;
  if (--request->outstanding == 0) {
    complete_request(engine, request);
  } else if ((request->operation->first_decides && result >= 0) || request->cancelled) {
    /* A cancelled step of a chain may set the next one going, which was not there to be cancelled.
     */
    request->superseded = true;
    engine->cancel_due = true;
  }
}

static void fill_cancellations(ufs_engine *engine, const ufs_request *request) {
  /* Every step that it may have; those that are over, or never were, answer ENOENT to nobody. */
  for (unsigned step = 0; step < request->operation->sqes; step++) {
    if (ufs_ring_room_to_cancel(&engine->ring) == 0) return;
    struct io_uring_sqe *sqe = ufs_engine_sqe(engine);
    io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)request | step, 0);
    io_uring_sqe_set_data64(sqe, UFS_NOBODY);
  }
}

/* Rare enough (FIFOs, aborted calls) to look through all requests for them. */
static void cancel_superseded(ufs_engine *engine) {
  engine->cancel_due = false;
  for (uint32_t id = 0; id < ufs_request_count(&engine->requests); id++) {
    const ufs_request *request = ufs_request_find(&engine->requests, id);
    if (request == NULL || !request->superseded || request->outstanding == 0) continue;
    if (ufs_ring_room_to_cancel(&engine->ring) < request->operation->sqes) {
      engine->cancel_due = true;
      return;
    }
    fill_cancellations(engine, request);
  }
}

/* Whether this turn of the loop may last longer. */
static bool within_budget(ufs_engine *engine) {
  const uint64_t now = uv_hrtime();
  if (engine->ring.turns != engine->turn) {
    engine->turn = engine->ring.turns;
    engine->turn_start = now;
  }
  return now - engine->turn_start < engine->inline_budget;
}

static bool is_work_left(const ufs_engine *engine) {
  return queued(engine) > 0 || engine->closing_slots > 0 || engine->cancel_due ||
         has_too_much(engine);
}

/* Before JS gives up what has not come from a ring that broke, or the engine ends: of what the
 * helper has, nothing is lost. */
static void end_help(ufs_engine *engine) {
  ufs_helper_stop(&engine->helper);
  (void)collect(engine);
  while (take_back(engine))
    continue;
}

/* Everything that can move without waiting, moves: until a batch is full, the kernel has it all, or
 * the loop must turn. */
static void pump(ufs_engine *engine) {
  ufs_ring_quiet(&engine->ring, true);
  ufs_helper_await(&engine->helper, false);
  unsigned filled = 1;
  engine->copied_here = engine->copied_elsewhere = 0;
  while (filled > 0 && engine->done.length < UFS_HANDOVER_SIZE) {
    if (engine->cancel_due) cancel_superseded(engine);
    fill_slot_closes(engine);
    filled = collect(engine);
    share(engine, &engine->waiting_for_slot);
    share(engine, &engine->waiting);
    for (unsigned i = 0; i < TAKE_BACK && has_too_much(engine) && take_back(engine); i++)
      continue;
    filled += fill_from(engine, &engine->begun);
    filled += fill_from(engine, &engine->waiting);
    filled += fill_from(engine, &engine->waiting_for_slot);
    (void)ufs_ring_submit(&engine->ring); /* a failure is kept, and told to JS by hand_over() */
    (void)ufs_ring_reap(&engine->ring);
    if (!is_work_left(engine) || !within_budget(engine)) break;
  }
  if (engine->ring.failure < 0) end_help(engine);
  ufs_helper_await(&engine->helper, engine->helper.held > 0);
  (void)collect(engine);
  ufs_ring_quiet(&engine->ring, false);
}

/* ---- to JS ---- */

static void release_delivered(ufs_engine *engine) {
  while (engine->delivered != NULL) {
    ufs_request *request = engine->delivered;
    engine->delivered = request->next;
    if (request->installing) engine->installing--;
    if (request->slot >= 0 && request->slot_open) {
      ufs_engine_close_slot(engine, request->slot);
    } else if (request->slot >= 0) {
      ufs_engine_free_slot(engine, request->slot);
    }
    ufs_request_release(&engine->requests, request);
  }
}

static double device(uint32_t major_number, uint32_t minor_number) {
  return (double)makedev(major_number, minor_number);
}

static void write_stat(double *out, const struct statx *stat) {
  const struct statx_timestamp *times[] = {&stat->stx_atime, &stat->stx_mtime, &stat->stx_ctime,
                                           &stat->stx_btime};
  *out++ = device(stat->stx_dev_major, stat->stx_dev_minor);
  *out++ = stat->stx_mode;
  *out++ = stat->stx_nlink;
  *out++ = stat->stx_uid;
  *out++ = stat->stx_gid;
  *out++ = device(stat->stx_rdev_major, stat->stx_rdev_minor);
  *out++ = stat->stx_blksize;
  *out++ = (double)(stat->stx_ino >> 32); /* in halves: a double does not hold all of 64 bits */
  *out++ = (double)(stat->stx_ino & UINT32_MAX);
  *out++ = (double)stat->stx_size;
  *out++ = (double)stat->stx_blocks;
  for (int i = 0; i < 4; i++) {
    *out++ = (double)times[i]->tv_sec;
    *out++ = times[i]->tv_nsec;
  }
}

/*
 * What a device has read is handed over by parts, so that it has the first of the reads that follow
 * while JS is at the other results: else the device would wait for JS, and then JS for the device.
 * Of a ring that broke all is handed over, before JS gives up what has not come.
 */
enum { DEVICE_PARTS = 4, DEVICE_LEAST = 4 };

static uint32_t most_from_device(const ufs_engine *engine) {
  if (engine->ring.failure < 0) return UFS_HANDOVER_SIZE;
  const uint32_t part = (engine->in_flight + engine->done.length) / DEVICE_PARTS;
  return part > DEVICE_LEAST ? part : DEVICE_LEAST;
}

static uint32_t hand_over(ufs_engine *engine) {
  const ufs_shared *shared = &engine->shared;
  uint32_t from_device = most_from_device(engine);
  uint32_t count = 0;
  uint32_t status = 0;
  while (engine->done.head != NULL && count < UFS_HANDOVER_SIZE && from_device > 0) {
    ufs_request *request = queue_pop(&engine->done);
    if (request->shielded) from_device--;
    shared->ids[count] = request->id;
    shared->results[count] = (double)request->result;
    shared->extras[count] = request->extra;
    if (request->statx != NULL && request->result >= 0) {
      write_stat(shared->stats + (size_t)count * UFS_STAT_FIELDS, request->statx);
    }
    /* Its slot is to be closed, or is what another waits for. */
    if (request->slot_open || (request->slot >= 0 && engine->waiting_for_slot.head != NULL)) {
      status |= UFS_AGAIN;
    }
    request->delivered = true;
    request->next = engine->delivered;
    engine->delivered = request;
    count++;
  }
  shared->counters[UFS_COUNT_COMPLETED] += count;
  if (engine->done.head != NULL) status |= from_device > 0 ? UFS_MORE : UFS_AGAIN;
  if (engine->ring.failure < 0) {
    if (queued(engine) > 0) status |= UFS_MORE;
    return status | UFS_BROKEN | count;
  }
  if (may_run(engine, &engine->begun) || may_run(engine, &engine->waiting) ||
      may_run(engine, &engine->waiting_for_slot)) {
    status |= UFS_MORE;
  }
  /* JS may have nothing to do, and the helper no CPU. */
  if (has_too_much(engine)) status |= UFS_AGAIN;
  if (engine->closing_slots > 0 && ufs_ring_room(&engine->ring) > 0) status |= UFS_AGAIN;
  if (engine->cancel_due && ufs_ring_room_to_cancel(&engine->ring) >= UFS_MAX_STEPS) {
    status |= UFS_AGAIN;
  }
  return status | count;
}

static void publish(ufs_engine *engine) {
  double *counters = engine->shared.counters;
  counters[UFS_COUNT_ENTERS] = (double)engine->ring.enters;
  counters[UFS_COUNT_QUEUED] = queued(engine);
  counters[UFS_COUNT_IN_FLIGHT] = under_way(engine);
  counters[UFS_COUNT_PEAK_IN_FLIGHT] = engine->peak_in_flight;
}

/* Whether something is to come that the process must wait for. From a ring that broke nothing is.
 */
static bool has_work(const ufs_engine *engine) {
  if (engine->done.length > 0 || queued(engine) > 0 || engine->call_due) return true;
  return engine->ring.failure == 0 &&
         (engine->ring.in_flight > 0 || engine->closing_slots > 0 || engine->helper.held > 0);
}

static uint32_t run(ufs_engine *engine) {
  release_delivered(engine);
  pump(engine);
  const uint32_t status = hand_over(engine);
  publish(engine);
  ufs_ring_keep_alive(&engine->ring, has_work(engine));
  return status;
}

/* JS runs from here on. It looks once more at what is left, unless that is so much that looking
 * would cost more than doing without the memory. */
static void end_round(ufs_engine *engine) {
  if (engine->unchecked == 0 || engine->unchecked > MAX_UNCHECKED) {
    engine->round++;
    engine->unchecked = 0;
  }
  engine->shared.counters[UFS_COUNT_UNCHECKED] = engine->unchecked;
}

/* Even if a wake-up is on its way: a flush in between (from setImmediate(), say) may have found
 * nothing to stay alive for. */
static void make_loop_come(ufs_engine *engine) {
  ufs_ring_keep_alive(&engine->ring, true);
  if (engine->wake_sent) return;
  engine->wake_sent = true;
  ufs_ring_wake(&engine->ring);
}

uint32_t ufs_engine_flush(ufs_engine *engine) {
  const bool is_due = engine->flush_due;
  engine->flush_due = false;
  if (!is_due && !within_budget(engine)) {
    make_loop_come(engine);
    end_round(engine);
    return 0;
  }
  engine->flushing = true;
  const uint32_t status = run(engine);
  engine->flushing = false;
  end_round(engine);
  return status;
}

void ufs_engine_call_later(ufs_engine *engine) {
  engine->call_due = true;
  make_loop_come(engine);
}

static void on_wake(ufs_ring *ring) {
  ufs_engine *engine = (ufs_engine *)ring;
  const bool call_due = engine->call_due;
  engine->wake_sent = engine->call_due = false;
  engine->turn = engine->ring.turns;
  engine->turn_start = uv_hrtime();
  /* JS looks at their memory once more, then flushes. */
  if (engine->unchecked > 0) {
    engine->flush_due = true;
    engine->deliver(engine, UFS_MORE);
    return;
  }
  const uint32_t status = run(engine);
  if (status != 0 || call_due) engine->deliver(engine, status);
}

/* ---- requests ---- */

ufs_request *ufs_engine_request(ufs_engine *engine, const ufs_operation *operation) {
  ufs_request *request = ufs_request_take(&engine->requests);
  if (request != NULL) request->operation = operation;
  return request;
}

void ufs_engine_drop(ufs_engine *engine, ufs_request *request) {
  ufs_request_release(&engine->requests, request);
}

void ufs_engine_submit(ufs_engine *engine, ufs_request *request) {
  double *counters = engine->shared.counters;
  queue_push(request->operation->takes_slot ? &engine->waiting_for_slot : &engine->waiting,
             request);
  request->round = engine->round;
  if (request->operation->choose_memory != NULL) engine->unchecked++;
  counters[UFS_COUNT_SUBMITTED]++;
  if (queued(engine) > counters[UFS_COUNT_PEAK_QUEUED]) {
    counters[UFS_COUNT_PEAK_QUEUED] = queued(engine);
  }
}

void ufs_engine_cancel(ufs_engine *engine, uint32_t id) {
  ufs_request *request = ufs_request_find(&engine->requests, id);
  if (request == NULL) return;
  request->cancelled = true; /* enough for one that still waits */
  if (request->outstanding == 0) return;
  request->superseded = true;
  engine->cancel_due = true;
}

void ufs_engine_shield(ufs_engine *engine, uint32_t id, uint32_t alignment) {
  ufs_request *request = ufs_request_find(&engine->requests, id);
  if (request == NULL || request->outstanding > 0) return;
  request->shielded = true;
  request->alignment = alignment;
}

const ufs_request *ufs_engine_delivered(const ufs_engine *engine, uint32_t id) {
  const ufs_request *request = ufs_request_find(&engine->requests, id);
  return request != NULL && request->delivered ? request : NULL;
}

static void on_cancel_all(ufs_ring *ring) {
  ufs_engine *engine = (ufs_engine *)ring;
  for (uint32_t id = 0; id < ufs_request_count(&engine->requests); id++) {
    ufs_request *request = ufs_request_find(&engine->requests, id);
    if (request == NULL || request->outstanding == 0) continue;
    request->cancelled = true;
    fill_cancellations(engine, request);
  }
}

/* ---- beginning and end ---- */

static void on_closed(ufs_ring *ring) {
  ufs_engine *engine = (ufs_engine *)ring;
  /* Those of a ring that broke were closed by the pool since, and their numbers are others' by now.
   */
  if (ring->failure == 0) close_noted_fds(engine);
  free(engine->open_fds);
  /* Requests are left under way only by a ring that broke: the kernel may still write to what they
   * own, so that is given up, not freed. */
  if (ring->in_flight == 0) ufs_request_pool_destroy(&engine->requests);
  engine->closed(engine);
}

static const ufs_ring_hooks hooks = {
    .complete = on_complete,
    .wake = on_wake,
    .cancel_all = on_cancel_all,
    .closed = on_closed,
};

int ufs_engine_open(ufs_engine *engine, uv_loop_t *loop, const ufs_settings *settings) {
  engine->inline_budget = (uint64_t)(settings->inline_budget * NS_PER_MS);
  engine->helper.hooks = &helper_hooks;
  engine->helper.owner = engine;
  int result = ufs_ring_open(&engine->ring, &hooks, &settings->ring);
  if (result < 0) return result;
  register_slots(engine, settings->blocks);
  /* With few slots requests come to it in small numbers, which costs more than it brings. */
  engine->has_helper = settings->helper && engine->slot_count == UFS_SLOTS;
  result = ufs_ring_enable(&engine->ring, &settings->ring);
  if (result < 0) return result;
  return ufs_ring_watch(&engine->ring, loop);
}

void ufs_engine_close(ufs_engine *engine) {
  end_help(engine);
  ufs_ring_close(&engine->ring);
}
