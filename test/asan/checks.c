#include "checks.h"
#undef io_uring_submit_and_get_events
#undef io_uring_cq_advance

#include <dlfcn.h>
#include <limits.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/engine.h"
#include "../../src/file_ops.h"
#include "../../src/request.h"
#include "../../src/ring.h"

/* The step of an SQE that belongs to no request: see src/engine.c. */
enum { STEP_OF_NO_REQUEST = 7 };

static void check(const void *memory, size_t size) {
  if (memory == NULL || size == 0) return;
  /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
  void *bad = __asan_region_is_poisoned((void *)(uintptr_t)memory, size);
  if (bad == NULL) return;
  void *frame = __builtin_frame_address(0);
  __asan_report_error(__builtin_return_address(0), frame, frame, bad, 1, 1);
}

static void check_vectors(const struct iovec *vectors, uint32_t count) {
  check(vectors, count * sizeof *vectors);
  for (uint32_t i = 0; i < count; i++)
    check(vectors[i].iov_base, vectors[i].iov_len);
}

/* NULL for an SQE of no request. */
static const ufs_request *request_of(uint64_t user_data) {
  if (user_data == UFS_NOBODY || (user_data & UFS_STEP_MASK) == STEP_OF_NO_REQUEST) return NULL;
  /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
  return (const ufs_request *)(uintptr_t)(user_data & ~(uint64_t)UFS_STEP_MASK);
}

/* What the request owns. */
static void check_request(const ufs_request *request) {
  if (request == NULL) return;
  check(request, sizeof *request);
  check(request->vectors, request->vector_count * sizeof *request->vectors);
  check(request->statx, sizeof *request->statx);
  if (request->path != NULL) check(request->path, strlen(request->path) + 1);
  if (request->path2 != NULL) check(request->path2, strlen(request->path2) + 1);
  check(request->shield, 1);
}

/* The caller's memory, while the kernel may use it: a read that had no shield (caller_memory.h) was
 * done with it when it had been submitted. */
static void check_lent(const ufs_request *request) {
  if (request == NULL || request->shield != NULL) return;
  if (request->operation->choose_memory != NULL && request->length < UFS_ASYNC_TRANSFER) return;
  if (request->vectors != NULL) {
    check_vectors(request->vectors, request->vector_count);
  } else {
    check(request->memory, request->length);
  }
}

static void check_sqe(const struct io_uring_sqe *sqe) {
  /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
  const void *memory = (const void *)(uintptr_t)sqe->addr;
  if (sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_WRITE) check(memory, sqe->len);
  if (sqe->opcode == IORING_OP_READV || sqe->opcode == IORING_OP_WRITEV) {
    check_vectors(memory, sqe->len);
  }
}

int ufs_checks_submit(struct io_uring *ring) {
  const struct io_uring_sq *sq = &ring->sq;
  for (unsigned i = *sq->khead; i != sq->sqe_tail; i++) {
    const struct io_uring_sqe *sqe = &sq->sqes[i & sq->ring_mask];
    check_request(request_of(sqe->user_data));
    check_sqe(sqe);
  }
  return ufs_faults_submit(ring);
}

void ufs_checks_advance(struct io_uring *ring, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const unsigned at = (*ring->cq.khead + i) & ring->cq.ring_mask;
    const ufs_request *request = request_of(ring->cq.cqes[at].user_data);
    check_request(request);
    check_lent(request);
  }
  io_uring_cq_advance(ring, count);
}

/* UndefinedBehaviorSanitizer's library takes no notice of its log_path. */
static void set_report_path(void) {
  const char *path = getenv("URING_FS_ASAN_REPORT");
  void *library = dlopen("libubsan.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (path == NULL || library == NULL) return;
  void (*set)(const char *) = NULL;
  *(void **)&set = dlsym(library, "__sanitizer_set_report_path");
  if (set != NULL) set(path);
  (void)dlclose(library);
}

static void make_mistake(const char *kind) {
  volatile size_t size = 16;
  volatile int number = INT_MAX;
  volatile char *volatile memory = malloc(size);
  if (memory == NULL) return;
  memory[0] = 1;
  if (strcmp(kind, "overflow") == 0) memory[size] = 1;
  if (strcmp(kind, "undefined") == 0) number = number + 1;
  if (strcmp(kind, "leak") == 0) memory = malloc(size);
  free((void *)memory);
  if (strcmp(kind, "freed") == 0) memory[0] = 1;
  if (strcmp(kind, "lent") == 0) check((void *)memory, size);
  memory = NULL;
}

__attribute__((constructor)) static void on_load(void) {
  set_report_path();
  /* What a broken ring had begun is given up on purpose, since the kernel may still write to it. */
  const char *faults = getenv("URING_FS_FAULTS");
  if (faults != NULL && strstr(faults, "late:") != NULL) __lsan_disable();
  const char *kind = getenv("URING_FS_ASAN_PROOF");
  if (kind != NULL) make_mistake(kind);
}
