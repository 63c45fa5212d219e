#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* SQ sizes to try where there is no memory for the one that is wanted, and how many CQEs there are
 * for each SQE. Rings are charged to RLIMIT_MEMLOCK on some kernels (before 5.12, and again from
 * 6.14 on). */
static const unsigned smaller_sizes[] = {64, 8};
enum { CQ_PER_SQ = 16 };

/* The best mode first. COOP_TASKRUN: what could not be done at once is completed when this thread
 * next is in the kernel, and no interrupt of JS is sent for it; TASKRUN_FLAG tells us cheaply when
 * to ask. Not DEFER_TASKRUN, by which a worker may not go on with a chain, but has this thread set
 * each link going: writeFile takes a fifth to a third longer. And some kernels lose its signals. */
static const unsigned setup_modes[] = {
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
        IORING_SETUP_R_DISABLED,
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED,
    IORING_SETUP_R_DISABLED,
    0,
};

/* With a kernel thread that submits, which goes with none of the ways to run completions. */
static const unsigned polled_modes[] = {
    IORING_SETUP_SQPOLL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL |
        IORING_SETUP_R_DISABLED,
    IORING_SETUP_SQPOLL | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED,
    IORING_SETUP_SQPOLL | IORING_SETUP_R_DISABLED,
};

/* All that the ring is let do: a bug here, or one elsewhere in the process that writes to the
 * ring's memory, gets at files as before, but at no socket and no other process. */
static const uint8_t file_opcodes[] = {
    IORING_OP_NOP,      IORING_OP_READV,    IORING_OP_WRITEV,        IORING_OP_FSYNC,
    IORING_OP_POLL_ADD, IORING_OP_OPENAT,   IORING_OP_CLOSE,         IORING_OP_STATX,
    IORING_OP_READ,     IORING_OP_WRITE,    IORING_OP_MADVISE,       IORING_OP_ASYNC_CANCEL,
    IORING_OP_RENAMEAT, IORING_OP_UNLINKAT, IORING_OP_MKDIRAT,       IORING_OP_SYMLINKAT,
    IORING_OP_LINKAT,   UFS_OP_FTRUNCATE,   UFS_OP_FIXED_FD_INSTALL,
};
static const uint8_t sqe_flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_ASYNC;
static const uint8_t registrations[] = {IORING_REGISTER_FILES_UPDATE, IORING_UNREGISTER_RING_FDS,
                                        IORING_REGISTER_PERSONALITY};

enum { NOP_TIMEOUT_MS = 2000, CANCEL_AGAIN_MS = 20, MOST_CANCELS_REFUSED = 25 };
enum { WAIT_FOR_END_MS = 50, MOST_WAITS = 100 };

/* The kernel has no memory: SQEs are tried again after 1 ms, 2 ms, 4 ms ... so many times, which
 * takes a quarter of a second; completions for as long as it takes. */
enum { MOST_REFUSALS = 8, FETCH_AGAIN_MS = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup_with_size(ufs_ring *ring, unsigned entries, unsigned flags,
                           const ufs_ring_settings *settings) {
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  params.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = entries * CQ_PER_SQ;
  if ((flags & IORING_SETUP_SQPOLL) != 0) {
    params.sq_thread_idle = settings->poll_idle;
    if (settings->poll_cpu >= 0) {
      params.flags |= IORING_SETUP_SQ_AFF;
      params.sq_thread_cpu = (unsigned)settings->poll_cpu;
    }
  }
  const int result = io_uring_queue_init_params(entries, &ring->uring, &params);
  if (result < 0) return result;
  ring->setup_flags = params.flags;
  ring->in_flight_limit = params.cq_entries;
  ring->linked_files = ufs_probe_linked_files(&params);
  ring->polled = (params.flags & IORING_SETUP_SQPOLL) != 0;
  return 0;
}

static int setup_with_flags(ufs_ring *ring, unsigned flags, const ufs_ring_settings *settings) {
  int result = setup_with_size(ring, settings->entries, flags, settings);
  for (size_t i = 0; i < COUNT(smaller_sizes) && result == -ENOMEM; i++) {
    if (smaller_sizes[i] >= settings->entries) continue;
    result = setup_with_size(ring, smaller_sizes[i], flags, settings);
  }
  return result;
}

static int setup(ufs_ring *ring, const ufs_ring_settings *settings) {
  int result = -EINVAL;
  /* Whatever is in the way of the thread (a CPU that is not there, an old kernel that wants root)
   * is not in the way of a ring. */
  for (size_t i = 0; settings->polled && i < COUNT(polled_modes) && result < 0; i++) {
    result = setup_with_flags(ring, polled_modes[i], settings);
  }
  if (result < 0) result = -EINVAL;
  for (size_t i = 0; i < COUNT(setup_modes) && result == -EINVAL; i++) {
    result = setup_with_flags(ring, setup_modes[i], settings);
  }
  return result;
}

static int restrict_to_files(ufs_ring *ring) {
  struct io_uring_restriction allowed[COUNT(file_opcodes) + COUNT(registrations) + 1];
  memset(allowed, 0, sizeof allowed);
  unsigned count = 0;
  for (size_t i = 0; i < COUNT(file_opcodes); i++) {
    if (!ring->opcodes[file_opcodes[i]]) continue; /* a number that this kernel refuses */
    allowed[count].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[count++].sqe_op = file_opcodes[i];
  }
  for (size_t i = 0; i < COUNT(registrations); i++) {
    allowed[count].opcode = IORING_RESTRICTION_REGISTER_OP;
    allowed[count++].register_op = registrations[i];
  }
  allowed[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  allowed[count++].sqe_flags = sqe_flags;
  return io_uring_register_restrictions(&ring->uring, allowed, count);
}

static void drain_eventfd(const ufs_ring *ring) {
  uint64_t count;
  /* EAGAIN (nothing there) is as good as a count: a wake-up is a hint, not a number. */
  while (read(ring->event_fd, &count, sizeof count) < 0 && errno == EINTR)
    continue;
}

/* A set-up that succeeded proves little: seccomp may forbid io_uring_enter(2), and the eventfd must
 * signal or every later completion is lost. */
static int round_trip(ufs_ring *ring) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
  if (sqe == NULL) return -EBUSY;
  io_uring_prep_nop(sqe);
  io_uring_sqe_set_data64(sqe, UFS_NOBODY);
  int result = io_uring_submit(&ring->uring);
  if (result < 0) return result;
  struct pollfd waiting = {.fd = ring->event_fd, .events = POLLIN};
  do {
    result = poll(&waiting, 1, NOP_TIMEOUT_MS);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  if (result == 0) return -ETIME;
  drain_eventfd(ring);
  result = io_uring_get_events(&ring->uring);
  if (result < 0) return result;
  struct io_uring_cqe *cqe = NULL;
  result = io_uring_peek_cqe(&ring->uring, &cqe);
  if (result < 0) return result;
  result = cqe->res;
  io_uring_cqe_seen(&ring->uring, cqe);
  return result;
}

/* On a single CPU the worker waits for this thread. */
static bool has_many_cpus(void) {
  cpu_set_t cpus;
  return sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

static void discard(ufs_ring *ring) {
  (void)close(ring->event_fd);
  io_uring_queue_exit(&ring->uring);
}

int ufs_ring_open(ufs_ring *ring, const ufs_ring_hooks *hooks, const ufs_ring_settings *settings) {
  memset(ring, 0, sizeof *ring);
  ring->hooks = hooks;
  ring->many_cpus = has_many_cpus();
  ring->spare_slot = -1;
  int result = setup(ring, settings);
  if (result < 0) return result;

  ring->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (ring->event_fd < 0) {
    result = -errno;
    io_uring_queue_exit(&ring->uring);
    return result;
  }
  result = io_uring_register_eventfd(&ring->uring, ring->event_fd);
  if (result == 0 && ring->polled) result = ufs_credentials_read(&ring->credentials);
  if (result == 0) result = io_uring_ring_dontfork(&ring->uring);
  if (result == 0) result = ufs_probe_opcodes(&ring->uring, ring->opcodes, COUNT(ring->opcodes));
  if (result < 0) discard(ring);
  return result;
}

int ufs_ring_enable(ufs_ring *ring, const ufs_ring_settings *settings) {
  /* These are gains, not needs: an older kernel refuses them and nothing is lost. What comes after
   * the restrictions is subject to them. */
  unsigned workers[2] = {settings->workers, 0};
  (void)io_uring_register_iowq_max_workers(&ring->uring, workers);
  (void)io_uring_register_ring_fd(&ring->uring);
  int result = 0;
  if ((ring->setup_flags & IORING_SETUP_R_DISABLED) != 0) {
    ring->restricted = restrict_to_files(ring) == 0;
    result = io_uring_enable_rings(&ring->uring);
  }
  if (result == 0) result = round_trip(ring);
  if (result < 0) discard(ring);
  return result;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)status; /* an error of the poll is handled as a wake-up: reaping is safe at any time */
  (void)events;
  ufs_ring *ring = poll->data;
  drain_eventfd(ring);
  ring->hooks->wake(ring);
}

static void on_retry(uv_timer_t *timer) {
  ufs_ring *ring = timer->data;
  ring->hooks->wake(ring);
}

static void on_check(uv_check_t *check) {
  ufs_ring *ring = check->data;
  ring->turns++;
}

/* Whether completions wait for us to enter the kernel before they appear in the CQ. */
static bool completions_deferred(const ufs_ring *ring) {
  const unsigned flags = *ring->uring.sq.kflags;
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/* Asks the kernel for the completions it holds back. 0, or -errno. */
static int fetch(ufs_ring *ring) {
  ring->enters++;
  return io_uring_get_events(&ring->uring);
}

/*
 * What one of a few kernel workers does takes some microseconds; to be woken up takes the thread
 * tens of them, on a virtual machine above all, and the worker as long if its core was idle. So
 * before the loop goes to sleep it lingers until a completion is there. Only when there is nothing
 * else to do; not for what has shown to take longer (a disk, a FIFO, a worker that waits for this
 * very core), which is tried again after longer and longer pauses: these are of time, not of turns,
 * as what lingering in vain costs is, and as a thread that sleeps turns the more slowly for it.
 */
enum { LINGER_NS = 100 * 1000, LINGER_FEW = 8, LINGER_PAUSE_MOST = 128 * LINGER_NS };

/* Of what the kernel holds back, some is no completion. */
static bool has_completions(ufs_ring *ring) {
  if (io_uring_cq_ready(&ring->uring) > 0) return true;
  if (!completions_deferred(ring)) return false;
  return fetch(ring) < 0 || io_uring_cq_ready(&ring->uring) > 0;
}

static bool is_idle(uv_loop_t *loop) {
  if (uv_backend_timeout(loop) == 0) return false;
  struct pollfd others = {.fd = uv_backend_fd(loop), .events = POLLIN};
  return poll(&others, 1, 0) == 0;
}

/* Leaves a core that is shared to its other half. */
static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void on_prepare(uv_prepare_t *prepare) {
  ufs_ring *ring = prepare->data;
  if (ring->in_flight == 0 || ring->in_flight > LINGER_FEW) return;
  const uint64_t start = uv_hrtime();
  if (start < ring->linger_again || !is_idle(prepare->loop)) return;
  uint64_t now = start;
  while (!has_completions(ring) && now - start < LINGER_NS) {
    pause_briefly();
    now = uv_hrtime();
  }
  if (now - start < LINGER_NS) {
    ring->linger_pause = 0;
    return;
  }
  ring->linger_pause = ring->linger_pause * 2 + LINGER_NS;
  if (ring->linger_pause > LINGER_PAUSE_MOST) ring->linger_pause = LINGER_PAUSE_MOST;
  ring->linger_again = now + ring->linger_pause;
}

int ufs_ring_watch(ufs_ring *ring, uv_loop_t *loop) {
  int result = uv_poll_init(loop, &ring->poll, ring->event_fd);
  if (result < 0) {
    discard(ring);
    return result;
  }
  ring->poll.data = ring;
  /* Always started, and referenced only while requests are under way: that costs no system call. A
   * handle that is initialised must be closed by the loop, so a failure to start it counts as one
   * of the ring, which its owner meets at the first submit. */
  uv_unref((uv_handle_t *)&ring->poll);
  ring->failure = uv_poll_start(&ring->poll, UV_READABLE, on_poll);
  /* None of these can fail. */
  (void)uv_check_init(loop, &ring->check);
  ring->check.data = ring;
  uv_unref((uv_handle_t *)&ring->check);
  (void)uv_check_start(&ring->check, on_check);
  (void)uv_prepare_init(loop, &ring->prepare);
  ring->prepare.data = ring;
  uv_unref((uv_handle_t *)&ring->prepare);
  if (ring->many_cpus) (void)uv_prepare_start(&ring->prepare, on_prepare);
  (void)uv_timer_init(loop, &ring->retry);
  ring->retry.data = ring;
  uv_unref((uv_handle_t *)&ring->retry);
  return 0;
}

static unsigned room_below(const ufs_ring *ring, unsigned limit) {
  if (ring->failure < 0 || ring->in_flight >= limit) return 0;
  const unsigned sq_room = io_uring_sq_space_left(&ring->uring);
  const unsigned cq_room = limit - ring->in_flight;
  return sq_room < cq_room ? sq_room : cq_room;
}

unsigned ufs_ring_room(const ufs_ring *ring) {
  return room_below(ring, ring->in_flight_limit - ring->uring.sq.ring_entries);
}

unsigned ufs_ring_room_to_cancel(const ufs_ring *ring) {
  return room_below(ring, ring->in_flight_limit);
}

struct io_uring_sqe *ufs_ring_take(ufs_ring *ring) {
  ring->in_flight++;
  return io_uring_get_sqe(&ring->uring);
}

/* Completes what the kernel has not taken as cancelled before it began, and empties the SQ of it.
 */
static void give_back(ufs_ring *ring) {
  struct io_uring_sq *sq = &ring->uring.sq;
  /* What the kernel's thread can see already it may have taken by now. */
  const unsigned head = ring->polled ? sq->sqe_head : *sq->khead;
  const unsigned tail = sq->sqe_tail;
  sq->sqe_head = sq->sqe_tail = head;
  *sq->ktail = head; /* which the kernel looks at in io_uring_enter(2) only */
  for (unsigned i = head; i != tail; i++) {
    const uint64_t user_data = sq->sqes[i & sq->ring_mask].user_data;
    ring->in_flight--;
    if (user_data != UFS_NOBODY) ring->hooks->complete(ring, user_data, -ECANCELED);
  }
}

/* The ring is beyond use. */
static void fail(ufs_ring *ring, int error) {
  ring->failure = error;
  give_back(ring);
}

static void try_later(ufs_ring *ring, unsigned ms) {
  if (uv_is_active((uv_handle_t *)&ring->retry)) return;
  (void)uv_timer_start(&ring->retry, on_retry, ms, 0);
}

/* The kernel takes no SQE for now, and no event says when it will. */
static void refused(ufs_ring *ring) {
  if (uv_is_active((uv_handle_t *)&ring->retry)) return;
  if (ring->refusals < MOST_REFUSALS) {
    try_later(ring, 1U << ring->refusals++);
  } else {
    give_back(ring); /* at once also the next time, unless it has taken some meanwhile */
  }
}

static bool passes_by(int error) {
  return error == -EINTR || error == -EAGAIN || error == -EBUSY;
}

/* SQEs that the kernel does not have, or cannot see. */
static unsigned unsubmitted(const ufs_ring *ring) {
  const struct io_uring_sq *sq = &ring->uring.sq;
  return ring->polled ? sq->sqe_tail - sq->sqe_head : io_uring_sq_ready(&ring->uring);
}

/*
 * The kernel's thread has the credentials of when the ring was made, and would open with root's
 * rights what root asked for before it became somebody else. So every submission looks who we are,
 * which takes three system calls that do next to nothing, and SQEs say so.
 */
static int follow_credentials(ufs_ring *ring) {
  ufs_credentials now;
  int result = ufs_credentials_read(&now);
  if (result < 0) return result;
  if (memcmp(&now, &ring->credentials, sizeof now) != 0) {
    result = io_uring_register_personality(&ring->uring);
    if (result < 0) return result;
    ring->personality = (uint16_t)result;
    ring->credentials = now;
  }
  const struct io_uring_sq *sq = &ring->uring.sq;
  for (unsigned i = sq->sqe_head; ring->personality != 0 && i != sq->sqe_tail; i++) {
    sq->sqes[i & sq->ring_mask].personality = ring->personality;
  }
  return 0;
}

/* A kernel thread takes what is there, and has to be woken if it sleeps. */
static int submit_polled(ufs_ring *ring) {
  if (ring->failure == 0 && unsubmitted(ring) > 0) {
    int result = follow_credentials(ring);
    if (result == 0) {
      if ((*ring->uring.sq.kflags & IORING_SQ_NEED_WAKEUP) != 0) ring->enters++;
      result = io_uring_submit(&ring->uring);
    }
    if (result < 0 && !passes_by(result)) fail(ring, result);
  }
  /* It lags behind; nothing tells when there is room again, unless something completes. */
  if (ring->failure == 0 && io_uring_sq_space_left(&ring->uring) == 0) try_later(ring, 1);
  return ring->failure;
}

int ufs_ring_submit(ufs_ring *ring) {
  if (ring->polled) return submit_polled(ring);
  while (ring->failure == 0 && io_uring_sq_ready(&ring->uring) > 0) {
    ring->enters++;
    const int result = io_uring_submit_and_get_events(&ring->uring);
    if (result > 0) ring->refusals = 0;
    if (result >= 0 || result == -EINTR) continue;
    if (result == -EAGAIN || result == -EBUSY) {
      /* No memory for a request, or the CQ is to be emptied first. */
      if (ufs_ring_reap(ring) > 0) continue;
      refused(ring);
      break;
    }
    fail(ring, result);
  }
  return ring->failure;
}

/*
 * A worker sets IORING_SQ_TASKRUN a moment after it has put its completion down: the flag may stand
 * though all has been fetched, and then nothing clears it. But fetching nothing is no proof of
 * that: the kernel runs a few pieces of work at a time, and some of them (the next link of a chain)
 * complete nothing. Each call runs at least one, so after more calls than there can be pieces the
 * flag is not believed.
 */
static bool is_stale(const ufs_ring *ring, unsigned fruitless) {
  return ring->in_flight == 0 || fruitless > 2 * ring->in_flight + 16;
}

unsigned ufs_ring_reap(ufs_ring *ring) {
  unsigned total = 0;
  unsigned fruitless = 0;
  for (;;) {
    struct io_uring_cqe *cqe = NULL;
    unsigned head;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring->uring, head, cqe) {
      const uint64_t user_data = cqe->user_data;
      const int32_t result = cqe->res;
      count++;
      ring->in_flight--;
      if (user_data != UFS_NOBODY) ring->hooks->complete(ring, user_data, result);
    }
    io_uring_cq_advance(&ring->uring, count);
    total += count;
    fruitless = count > 0 ? 0 : fruitless + 1;
    if (ring->failure < 0 || !completions_deferred(ring) || is_stale(ring, fruitless)) return total;
    const int result = fetch(ring);
    if (result < 0 && !passes_by(result)) {
      fail(ring, result);
      return total;
    }
    if (result < 0 && count == 0) return total;
  }
}

/*
 * Whether a completion came while the eventfd was off. The kernel puts a completion where we find
 * it and then looks whether to signal; we switch the signal on and then look for completions.
 * Unless each side's store is visible before its load, both may miss the other, and nothing would
 * ever wake the loop.
 */
static bool missed_completions(ufs_ring *ring) {
  atomic_thread_fence(memory_order_seq_cst);
#if !defined(__x86_64__) && !defined(__i386__)
  /* The kernel's store of IORING_SQ_TASKRUN is ordered by x86 only; its list always is. */
  if (ring->in_flight > 0) (void)fetch(ring);
#endif
  /* A stale flag must not wake the loop, which would find nothing, and so on for as long as some
   * reader waits. What the kernel has by now is fetched instead; what comes later signals. */
  for (unsigned fruitless = 0; io_uring_cq_ready(&ring->uring) == 0; fruitless++) {
    if (!completions_deferred(ring) || is_stale(ring, fruitless)) return false;
    const int result = fetch(ring);
    if (result < 0 && passes_by(result)) {
      try_later(ring, FETCH_AGAIN_MS);
      return false;
    }
    if (result < 0) return true;
  }
  return true;
}

void ufs_ring_quiet(ufs_ring *ring, bool quiet) {
  /* Fails only without the shared flags word (before 5.8); then every completion signals, which
   * costs a wake-up and loses nothing. */
  (void)io_uring_cq_eventfd_toggle(&ring->uring, !quiet);
  if (!quiet && ring->failure == 0 && missed_completions(ring)) ufs_ring_wake(ring);
}

void ufs_ring_wake(ufs_ring *ring) {
  const uint64_t one = 1;
  /* EAGAIN means the counter is full, so the loop wakes as well. */
  while (write(ring->event_fd, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}

void ufs_ring_keep_alive(ufs_ring *ring, bool alive) {
  uv_handle_t *handle = (uv_handle_t *)&ring->poll;
  if (alive) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

/*
 * A ring that broke can't tell when what it had begun is over, and ending it stops nothing. But its
 * table of direct descriptors goes with its last request: a pipe that is written to from there only
 * ends just then. The pipe's other end, or -1.
 */
static int pipe_into_ring(ufs_ring *ring) {
  int ends[2];
  if (ring->spare_slot < 0 || pipe2(ends, O_CLOEXEC) < 0) return -1;
  const int result =
      io_uring_register_files_update(&ring->uring, (unsigned)ring->spare_slot, &ends[1], 1);
  (void)close(ends[1]);
  if (result == 1) return ends[0];
  (void)close(ends[0]);
  return -1;
}

/* Whether it has come. It may not: what the kernel has set aside for this thread (6.1) can be
 * beyond its reach then. */
static bool wait_for_end(int pipe_end) {
  struct pollfd waiting = {.fd = pipe_end, .events = POLLIN};
  int result = -1;
  /* Interrupted also by the kernel itself, which ends the ring from this thread. */
  for (unsigned tries = 0; result <= 0 && tries < MOST_WAITS; tries++) {
    result = poll(&waiting, 1, WAIT_FOR_END_MS);
    if (result < 0 && errno != EINTR) break;
  }
  (void)close(pipe_end);
  return result > 0;
}

static void end(ufs_ring *ring) {
  const int pipe_end = ring->in_flight > 0 ? pipe_into_ring(ring) : -1;
  io_uring_queue_exit(&ring->uring);
  if (pipe_end >= 0 && wait_for_end(pipe_end)) ring->in_flight = 0;
}

static void on_closed(uv_handle_t *handle) {
  ufs_ring *ring = handle->data;
  if (handle == (uv_handle_t *)&ring->check) {
    uv_close((uv_handle_t *)&ring->prepare, on_closed);
  } else if (handle == (uv_handle_t *)&ring->prepare) {
    uv_close((uv_handle_t *)&ring->retry, on_closed);
  } else if (handle == (uv_handle_t *)&ring->retry) {
    uv_close((uv_handle_t *)&ring->poll, on_closed);
  } else {
    (void)close(ring->event_fd);
    ring->hooks->closed(ring);
  }
}

/* Waits for the eventfd, not in io_uring_enter(2): a cancellation can miss a linked request that
 * has not begun, so the wait must end now and then to cancel again. */
static void wait_for_completions(ufs_ring *ring) {
  struct pollfd waiting = {.fd = ring->event_fd, .events = POLLIN};
  (void)poll(&waiting, 1, CANCEL_AGAIN_MS);
  drain_eventfd(ring);
  (void)fetch(ring);
}

void ufs_ring_close(ufs_ring *ring) {
  (void)io_uring_cq_eventfd_toggle(&ring->uring, true);
  unsigned refusals = 0;
  while (ring->in_flight > 0 && ring->failure == 0) {
    ring->hooks->cancel_all(ring);
    ring->refusals = 0; /* else submitting would give back what is refused, and here none be seen */
    (void)ufs_ring_submit(ring);
    if (unsubmitted(ring) > 0) {
      give_back(ring); /* cancellations are made anew */
      if (++refusals == MOST_CANCELS_REFUSED) fail(ring, -EAGAIN);
    }
    (void)ufs_ring_reap(ring);
    drain_eventfd(ring); /* the cancellations have signalled their own ends */
    if (ring->in_flight > 0) wait_for_completions(ring);
    (void)ufs_ring_reap(ring);
  }
  end(ring); /* now, not from the loop: other addons' memory may go before that */
  (void)uv_poll_stop(
      &ring->poll); /* the loop turns before all is closed, and nothing is to be woken */
  (void)uv_timer_stop(&ring->retry);
  (void)uv_prepare_stop(&ring->prepare);
  uv_close((uv_handle_t *)&ring->check, on_closed);
}
