#include "faults.h"
#undef io_uring_queue_init_params
#undef io_uring_register_probe
#undef io_uring_register_files
#undef io_uring_submit_and_get_events
#undef io_uring_get_events
#undef uv_sem_post

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  ENTER,
  EARLY,
  FETCH,
  LATE,
  PARTIAL,
  SHORT,
  RESULT,
  NTH,
  KILL,
  FOREIGN,
  STALE,
  ENTRIES,
  OVERFLOW,
  FLAGS,
  OPCODES,
  UNLINKED,
  LINGER,
  WAKE,
  KINDS,
};

static const char *const names[KINDS] = {
    "enter",   "early", "fetch",   "late",     "partial", "short",   "result",   "nth",    "kill",
    "foreign", "stale", "entries", "overflow", "flags",   "opcodes", "unlinked", "linger", "wake"};

static struct {
  unsigned n; /* 0: not asked for */
  int error;
  int opcode; /* -1: any */
  unsigned long happened;
} faults[KINDS];

static char *guard; /* a page that nothing can be read from */

/* What is told about operations that have not run, by user_data. A ring has one thread. */
enum { MOST_PLANNED = 8192, VECTORS = 8192 };
static _Thread_local struct {
  unsigned seen_tail;
  unsigned submits;
  unsigned of_nth; /* SQEs that NTH counts */
  unsigned calls;
  bool breaking; /* the operation that LATE waits for has come */
  unsigned planned_count;
  struct {
    __u64 user_data;
    int error;
  } planned[MOST_PLANNED];
  unsigned next_vector;
  struct iovec vectors[VECTORS][2];
  unsigned random;
} ring_state;

__attribute__((constructor)) static void read_environment(void) {
  for (int kind = 0; kind < KINDS; kind++)
    faults[kind].opcode = -1;
  const char *list = getenv("URING_FS_FAULTS");
  if (list == NULL) return;
  char *copy = strdup(list);
  char *rest = NULL;
  for (char *item = strtok_r(copy, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
    for (int kind = 0; kind < KINDS; kind++) {
      const size_t length = strlen(names[kind]);
      if (strncmp(item, names[kind], length) != 0 || item[length] != ':') continue;
      char *at = item + length + 1;
      faults[kind].n = (unsigned)strtoul(at, &at, 10);
      if (*at == ':') faults[kind].error = (int)strtol(at + 1, &at, 10);
      if (*at == ':') faults[kind].opcode = (int)strtol(at + 1, &at, 10);
    }
  }
  free(copy);
  guard = mmap(NULL, 1 << 21, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

__attribute__((destructor)) static void tell(void) {
  for (int kind = 0; kind < KINDS; kind++) {
    if (faults[kind].n > 0) (void)fprintf(stderr, "%s: %lu\n", names[kind], faults[kind].happened);
  }
}

/* One time in n, by a generator of our own: the same in every run, and in step with nothing. */
static bool strikes(int kind) {
  if (faults[kind].n == 0) return false;
  unsigned x = ring_state.random != 0 ? ring_state.random : 2463534242U;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  ring_state.random = x;
  if (x % faults[kind].n != 0) return false;
  faults[kind].happened++;
  return true;
}

int ufs_faults_init(unsigned entries, struct io_uring *ring, struct io_uring_params *params) {
  ring_state.seen_tail = 0;
  if (faults[ENTRIES].n > 0 && entries > faults[ENTRIES].n) {
    faults[ENTRIES].happened++;
    return -ENOMEM;
  }
  if (faults[FLAGS].n > 0 && (params->flags & ~faults[FLAGS].n) != 0) {
    faults[FLAGS].happened++;
    return -EINVAL;
  }
  if (faults[OVERFLOW].n > 0) params->cq_entries = entries = faults[OVERFLOW].n;
  const int result = io_uring_queue_init_params(entries, ring, params);
  if (faults[OVERFLOW].n > 0) params->cq_entries *= 16;
  if (faults[UNLINKED].n > 0) {
    faults[UNLINKED].happened++;
    params->features &= ~IORING_FEAT_LINKED_FILE;
  }
  return result;
}

int ufs_faults_probe(struct io_uring *ring, struct io_uring_probe *probe, unsigned count) {
  const int result = io_uring_register_probe(ring, probe, count);
  if (faults[OPCODES].n > 0 && probe->ops_len > faults[OPCODES].n) {
    faults[OPCODES].happened++;
    probe->ops_len = (__u8)faults[OPCODES].n;
  }
  return result;
}

/* Only a file whose close is looked at is registered so. */
int ufs_faults_register_files(struct io_uring *ring, const int *files, unsigned count) {
  if (faults[LINGER].n > 0 && fcntl(files[0], F_DUPFD_CLOEXEC, 0) >= 0) faults[LINGER].happened++;
  return io_uring_register_files(ring, files, count);
}

/* Makes of an SQE one that fails at once, and so breaks a link as any failure does. */
static void fail_sqe(struct io_uring_sqe *sqe, int error) {
  const __u64 user_data = sqe->user_data;
  const unsigned flags = sqe->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_ASYNC);
  if (ring_state.planned_count == MOST_PLANNED) return;
  ring_state.planned[ring_state.planned_count].user_data = user_data;
  ring_state.planned[ring_state.planned_count++].error = error;
  memset(sqe, 0, sizeof *sqe);
  io_uring_prep_fsync(sqe, -1, 0);
  sqe->flags = (__u8)flags;
  sqe->user_data = user_data;
}

static void make_foreign(struct io_uring_sqe *sqe, int opcode) {
  const __u64 user_data = sqe->user_data;
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = (__u8)opcode;
  sqe->user_data = user_data;
}

static bool is_vectored(const struct io_uring_sqe *sqe) {
  return sqe->opcode == IORING_OP_READV || sqe->opcode == IORING_OP_WRITEV;
}

static bool can_be_short(const struct io_uring_sqe *sqe) {
  return sqe->len > 1 &&
         (sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_WRITE || is_vectored(sqe));
}

/* A write in a chain must break it: its second half lies where nothing can be read. */
static void shorten(struct io_uring_sqe *sqe) {
  const unsigned part = sqe->len / 2;
  if (sqe->opcode != IORING_OP_WRITE || (sqe->flags & IOSQE_IO_LINK) == 0) {
    sqe->len = part;
    return;
  }
  struct iovec *vector = ring_state.vectors[ring_state.next_vector++ % VECTORS];
  vector[0].iov_base = (void *)(uintptr_t)sqe->addr;
  vector[0].iov_len = part;
  vector[1].iov_base = guard;
  vector[1].iov_len = sqe->len - part;
  sqe->opcode = IORING_OP_WRITEV;
  sqe->addr = (__u64)(uintptr_t)vector;
  sqe->len = 2;
}

static bool is_nth(const struct io_uring_sqe *sqe) {
  if (faults[NTH].n == 0 || sqe->opcode != faults[NTH].opcode) return false;
  if (++ring_state.of_nth != faults[NTH].n) return false;
  faults[NTH].happened++;
  return true;
}

static void change_new_sqes(struct io_uring *ring) {
  struct io_uring_sq *sq = &ring->sq;
  const bool taken_back = (int)(sq->sqe_tail - ring_state.seen_tail) < 0;
  if (taken_back) ring_state.seen_tail = *sq->khead;
  for (; ring_state.seen_tail != sq->sqe_tail; ring_state.seen_tail++) {
    struct io_uring_sqe *sqe = &sq->sqes[ring_state.seen_tail & sq->ring_mask];
    if (sqe->opcode == faults[LATE].opcode) ring_state.breaking = true;
    /* Cancellations and closes are how others are undone; a close that fails has closed. */
    if (sqe->opcode == IORING_OP_ASYNC_CANCEL || sqe->opcode == IORING_OP_NOP) continue;
    const bool meant = faults[RESULT].opcode < 0 ? sqe->opcode != IORING_OP_CLOSE
                                                 : sqe->opcode == faults[RESULT].opcode;
    const bool waits = faults[RESULT].error == EAGAIN && (sqe->flags & IOSQE_ASYNC) != 0;
    if (sqe->opcode == faults[FOREIGN].opcode && strikes(FOREIGN)) {
      make_foreign(sqe, faults[FOREIGN].error);
    } else if (meant && !waits && strikes(RESULT)) {
      fail_sqe(sqe, -faults[RESULT].error);
    } else if (is_nth(sqe)) {
      fail_sqe(sqe, -faults[NTH].error);
    } else if (can_be_short(sqe) && strikes(SHORT)) {
      shorten(sqe);
    }
  }
}

/* The SQEs go to the shared queue, as they do before a call that fails. */
static void only_flush(struct io_uring *ring) {
  const int fd = ring->enter_ring_fd;
  const __u8 flags = ring->int_flags;
  ring->enter_ring_fd = -1;
  ring->int_flags = 0;
  (void)io_uring_submit_and_get_events(ring);
  ring->enter_ring_fd = fd;
  ring->int_flags = flags;
}

static int submit_one(struct io_uring *ring) {
  enum { INT_FLAG_REG_RING = 1 }; /* liburing's own, src/int_flags.h */
  only_flush(ring);
  unsigned flags = IORING_ENTER_GETEVENTS;
  if ((ring->int_flags & INT_FLAG_REG_RING) != 0) flags |= IORING_ENTER_REGISTERED_RING;
  const long result = syscall(SYS_io_uring_enter, ring->enter_ring_fd, 1, 0, flags, NULL, 8);
  return result < 0 ? -errno : (int)result;
}

static bool is_late(void) {
  if (faults[LATE].n == 0 || (faults[LATE].opcode >= 0 && !ring_state.breaking)) return false;
  if (++ring_state.calls < faults[LATE].n) return false;
  faults[LATE].happened++;
  return true;
}

static bool is_early(void) {
  if (ring_state.submits++ >= faults[EARLY].n) return false;
  faults[EARLY].happened++;
  return true;
}

static int leave_stale(struct io_uring *ring, int result) {
  if (strikes(STALE)) __atomic_fetch_or(ring->sq.kflags, IORING_SQ_TASKRUN, __ATOMIC_SEQ_CST);
  return result;
}

/* Before the nth submission, or after it, when the kernel may be amid the work. */
static void kill_at(unsigned submission, int after) {
  if (faults[KILL].n == submission && faults[KILL].error == after) (void)raise(SIGKILL);
}

int ufs_faults_submit(struct io_uring *ring) {
  change_new_sqes(ring);
  if (is_late()) {
    only_flush(ring);
    return -faults[LATE].error;
  }
  const int refusal = is_early() ? EARLY : ENTER;
  if (refusal == EARLY || strikes(ENTER)) {
    only_flush(ring);
    return -faults[refusal].error;
  }
  if (strikes(PARTIAL)) return submit_one(ring);
  const unsigned submission = ring_state.submits;
  kill_at(submission, 0);
  const int result = io_uring_submit_and_get_events(ring);
  kill_at(submission, 1);
  return leave_stale(ring, result);
}

int ufs_faults_fetch(struct io_uring *ring) {
  if (is_late()) return -faults[LATE].error;
  if (strikes(FETCH)) return -faults[FETCH].error;
  return leave_stale(ring, io_uring_get_events(ring));
}

struct io_uring_cqe *ufs_faults_cqe(struct io_uring *ring, unsigned head) {
  if (head == __atomic_load_n(ring->cq.ktail, __ATOMIC_ACQUIRE)) return NULL;
  if ((*ring->sq.kflags & IORING_SQ_CQ_OVERFLOW) != 0) faults[OVERFLOW].happened++;
  struct io_uring_cqe *cqe = &ring->cq.cqes[head & ring->cq.ring_mask];
  for (unsigned i = 0; i < ring_state.planned_count; i++) {
    if (ring_state.planned[i].user_data != cqe->user_data) continue;
    /* Cut off before, by the link, it has another result already. */
    if (cqe->res == -EBADF) cqe->res = ring_state.planned[i].error;
    ring_state.planned[i] = ring_state.planned[--ring_state.planned_count];
    break;
  }
  return cqe;
}

void ufs_faults_wake(uv_sem_t *semaphore) {
  enum { NS_PER_US = 1000 };
  const uint64_t end = uv_hrtime() + (uint64_t)faults[WAKE].n * NS_PER_US;
  uv_sem_post(semaphore);
  faults[WAKE].happened++;
  while (uv_hrtime() < end)
    continue;
}
