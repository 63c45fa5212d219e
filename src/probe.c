#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not tried yet. */
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

/* Closes the slot of a pipe's write end while a request waits at the read end's. Whether nothing
 * holds the write end any more once the close is complete; or -errno. */
static int closes_at_once(struct io_uring *ring) {
  enum { WRITE_END, READ_END, SLOTS };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  const int slots[SLOTS] = {[WRITE_END] = ends[1], [READ_END] = ends[0]};
  int result = io_uring_register_files(ring, slots, SLOTS);
  (void)close(ends[1]);
  struct io_uring_sqe *wait = result == 0 ? io_uring_get_sqe(ring) : NULL;
  struct io_uring_sqe *last = result == 0 ? io_uring_get_sqe(ring) : NULL;
  if (wait != NULL && last != NULL) {
    io_uring_prep_poll_add(wait, READ_END, POLLIN);
    wait->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(wait, READ_END);
    io_uring_prep_close_direct(last, WRITE_END);
    io_uring_sqe_set_data64(last, WRITE_END);
    result = io_uring_submit(ring) == SLOTS ? 0 : -EAGAIN;
  }
  struct io_uring_cqe *cqe = NULL;
  while (result == 0 && io_uring_peek_cqe(ring, &cqe) == 0) {
    struct pollfd reader = {.fd = ends[0], .events = POLLIN};
    if (cqe->user_data == WRITE_END) {
      result = cqe->res == 0 && poll(&reader, 1, 0) == 1 && (reader.revents & POLLHUP) != 0;
    }
    io_uring_cqe_seen(ring, cqe);
  }
  (void)close(ends[0]);
  return result;
}

/* The same for all of the process. What cannot be found out (no memory, no descriptor) counts as
 * bad, and is tried again another time. */
bool ufs_probe_prompt_close(void) {
  static atomic_int known = UNKNOWN;
  int result = atomic_load(&known);
  if (result != UNKNOWN) return result > 0;
  struct io_uring ring;
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  if (io_uring_queue_init_params(2, &ring, &params) < 0) return false;
  result = closes_at_once(&ring);
  io_uring_queue_exit(&ring);
  if (result >= 0) atomic_store(&known, result);
  return result > 0;
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
