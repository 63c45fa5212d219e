#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void ufs_explain_setup_failure(int error, char *reason, size_t size) {
  const char *cause = NULL;
  if (error == -EPERM || error == -EACCES || error == -ENOSYS) {
    const long disabled = read_proc_number("/proc/sys/kernel/io_uring_disabled", "", 0);
    const long seccomp = read_proc_number("/proc/self/status", "Seccomp:", 0);
    if (disabled > 0) {
      (void)snprintf(reason, size, "io_uring is switched off: sysctl kernel.io_uring_disabled=%ld",
                     disabled);
      return;
    }
    if (seccomp == 2) {
      cause = "a seccomp filter forbids io_uring (usual in containers)";
    } else if (error == -ENOSYS) {
      cause = "this kernel has no io_uring";
    } else {
      cause = "a security module forbids io_uring";
    }
  } else if (error == -ENOMEM) {
    cause = "not enough lockable memory for a ring (ulimit -l)";
  } else if (error == -EMFILE || error == -ENFILE) {
    cause = "no file descriptor is left for a ring (ulimit -n)";
  } else if (error == -EINVAL) { /* before 5.6: no CQSIZE, or no list of opcodes */
    cause = "the io_uring of this kernel is too old";
  } else if (error == -ETIME) {
    cause = "a test request did not come back through the ring";
  } else {
    cause = "io_uring could not be set up";
  }
  (void)snprintf(reason, size, "%s (%s)", cause, strerror(-error));
}
