#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The first may come where the second does not. */
enum { SIGNALS = 2 };

/* No outcome of a trial yet. */
enum { UNKNOWN = -1 };

int ufs_probe_opcodes(struct io_uring *ring, bool *supported, unsigned count) {
  struct io_uring_probe *probe = calloc(1, sizeof *probe + count * sizeof probe->ops[0]);
  if (probe == NULL) return -ENOMEM;
  const int result = io_uring_register_probe(ring, probe, count);
  for (unsigned opcode = 0; opcode < count; opcode++) {
    supported[opcode] =
        opcode < probe->ops_len && (probe->ops[opcode].flags & IO_URING_OP_SUPPORTED) != 0;
  }
  free(probe);
  return result;
}

bool ufs_probe_linked_files(const struct io_uring_params *params) {
  return (params->features & IORING_FEAT_LINKED_FILE) != 0;
}

static void drain(int event_fd) {
  uint64_t count;
  while (read(event_fd, &count, sizeof count) > 0)
    continue;
}

/* Waits in the ring for the pipe, ends the wait, and looks for the signal. */
static bool is_signalled(struct io_uring *ring, int event_fd, const int ends[2]) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
  if (sqe == NULL) return false;
  io_uring_prep_poll_add(sqe, ends[0], POLLIN);
  if (io_uring_submit(ring) != 1 || write(ends[1], "", 1) != 1) return false;
  struct pollfd waiting = {.fd = event_fd, .events = POLLIN};
  /* Where all is well, write(2) has signalled before it returns. */
  if (poll(&waiting, 1, 0) != 1) return false;
  struct io_uring_cqe *cqe = NULL;
  if (io_uring_peek_cqe(ring, &cqe) < 0) return false;
  io_uring_cqe_seen(ring, cqe);
  drain(event_fd); /* the completion signals, too */
  char byte;
  return read(ends[0], &byte, 1) == 1;
}

/* 1 or 0, or -errno when that cannot be found out. */
static int signals_each_time(struct io_uring *ring) {
  const int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_fd < 0) return -errno;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
    const int error = errno;
    (void)close(event_fd);
    return -error;
  }
  int result = io_uring_register_eventfd(ring, event_fd);
  if (result == 0) result = 1;
  for (int i = 0; i < SIGNALS && result > 0; i++) {
    result = is_signalled(ring, event_fd, ends);
  }
  (void)close(ends[0]);
  (void)close(ends[1]);
  (void)close(event_fd);
  return result;
}

/* Whether nothing holds the write end of a pipe any more once a close of its slot is complete. */
static int closes_at_once(struct io_uring *ring) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  int result = io_uring_register_files(ring, &ends[1], 1);
  (void)close(ends[1]);
  struct io_uring_sqe *sqe = result == 0 ? io_uring_get_sqe(ring) : NULL;
  struct io_uring_cqe *cqe = NULL;
  if (sqe != NULL) {
    io_uring_prep_close_direct(sqe, 0);
    if (io_uring_submit(ring) == 1 && io_uring_peek_cqe(ring, &cqe) == 0) {
      struct pollfd reader = {.fd = ends[0], .events = POLLIN};
      result = cqe->res == 0 && poll(&reader, 1, 0) == 1 && (reader.revents & POLLHUP) != 0;
      io_uring_cqe_seen(ring, cqe);
    }
  }
  (void)close(ends[0]);
  return result;
}

/* The outcome of a trial on a ring with these flags, which is the same for all of the process. What
 * cannot be found out (no memory, no descriptor) counts as bad, and is tried again another time. */
static bool outcome(atomic_int *known, unsigned flags, int (*trial)(struct io_uring *ring)) {
  int result = atomic_load(known);
  if (result != UNKNOWN) return result > 0;
  struct io_uring ring;
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  params.flags = flags;
  result = io_uring_queue_init_params(1, &ring, &params);
  if (result < 0) return false;
  result = trial(&ring);
  io_uring_queue_exit(&ring);
  if (result >= 0) atomic_store(known, result);
  return result > 0;
}

bool ufs_probe_deferral(void) {
  static atomic_int known = UNKNOWN;
  const unsigned flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
  return outcome(&known, flags, signals_each_time);
}

bool ufs_probe_prompt_close(void) {
  static atomic_int known = UNKNOWN;
  return outcome(&known, 0, closes_at_once);
}

/* The number after `key` in a small text file of /proc; `missing` when there is none. */
static long read_proc_number(const char *file, const char *key, long missing) {
  FILE *stream = fopen(file, "re");
  if (stream == NULL) return missing;
  char line[256];
  long value = missing;
  const size_t key_length = strlen(key);
  while (fgets(line, sizeof line, stream) != NULL) {
    if (strncmp(line, key, key_length) != 0) continue;
    char *end = NULL;
    const long number = strtol(line + key_length, &end, 10);
    if (end != line + key_length) value = number;
    break;
  }
  if (fclose(stream) != 0) return missing;
  return value;
}

/* Each of these codes is in index.d.ts, and has its remedy in lib/cli/remedies.js. */
const char *ufs_explain_setup_failure(int error, char *reason, size_t size) {
  const char *code = NULL;
  const char *cause = NULL;
  if (error == -EPERM || error == -EACCES || error == -ENOSYS) {
    const long disabled = read_proc_number("/proc/sys/kernel/io_uring_disabled", "", 0);
    const long seccomp = read_proc_number("/proc/self/status", "Seccomp:", 0);
    if (disabled > 0) {
      (void)snprintf(reason, size, "io_uring is switched off: sysctl kernel.io_uring_disabled=%ld",
                     disabled);
      return "sysctl";
    }
    if (seccomp == 2) {
      code = "seccomp";
      cause = "a seccomp filter forbids io_uring (usual in containers)";
    } else if (error == -ENOSYS) {
      code = "no-io-uring";
      cause = "this kernel has no io_uring";
    } else {
      code = "security-module";
      cause = "a security module forbids io_uring";
    }
  } else if (error == -ENOMEM) {
    code = "memlock";
    cause = "not enough lockable memory for a ring (ulimit -l)";
  } else if (error == -EMFILE || error == -ENFILE) {
    code = "descriptors";
    cause = "no file descriptor is left for a ring (ulimit -n)";
  } else if (error == -EINVAL) { /* before 5.6: no CQSIZE, or no list of opcodes */
    code = "old-kernel";
    cause = "the io_uring of this kernel is too old";
  } else if (error == -ETIME) {
    code = "no-answer";
    cause = "a test request did not come back through the ring";
  } else {
    code = "set-up";
    cause = "io_uring could not be set up";
  }
  (void)snprintf(reason, size, "%s (%s)", cause, strerror(-error));
  return code;
}
