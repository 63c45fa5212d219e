// deny-syscalls ERRNO NAME... -- COMMAND...: runs the command with these system calls failing so,
// by a seccomp filter as containers have it.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  int number;
} calls[] = {
    {"io_uring_setup", SYS_io_uring_setup},
    {"io_uring_enter", SYS_io_uring_enter},
    {"io_uring_register", SYS_io_uring_register},
};

enum { CALLS = sizeof calls / sizeof calls[0] };

static const struct {
  const char *name;
  int number;
} errors[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"ENOMEM", ENOMEM}, {"EINVAL", EINVAL}};

static int error_of(const char *name) {
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    if (strcmp(errors[i].name, name) == 0) return errors[i].number;
  }
  return -1;
}

static int number_of(const char *name) {
  for (int i = 0; i < CALLS; i++) {
    if (strcmp(calls[i].name, name) == 0) return calls[i].number;
  }
  return -1;
}

int main(int count, char **arguments) {
  struct sock_filter program[2 * CALLS + 2];
  unsigned short length = 0;
  if (count < 5) return 2;
  const int error = error_of(arguments[1]);
  if (error < 0) return 2;

  program[length++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  int at = 2;
  for (; at < count && strcmp(arguments[at], "--") != 0; at++) {
    const int number = number_of(arguments[at]);
    if (number < 0 || at > 1 + CALLS) return 2;
    program[length++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
    program[length++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
  }
  program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  if (at + 1 >= count) return 2;

  const struct sock_fprog filter = {.len = length, .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("deny-syscalls");
    return 3;
  }
  execvp(arguments[at + 1], arguments + at + 1);
  perror(arguments[at + 1]);
  return 4;
}
