// The floor: what the work of a workload costs in C, on liburing, with nothing of JavaScript.
//
//   floor read-file DEPTH MILLISECONDS SIZE LIST   open, read SIZE bytes, close: files of LIST
//   floor read      DEPTH MILLISECONDS SIZE FILE   read SIZE bytes at random pages of FILE
//   floor stat      DEPTH MILLISECONDS 0    LIST   statx of the files of LIST
//
// LIST is a file of paths, each ended by a zero byte. Prints a line of JSON: operations, seconds.

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SQES_PER_OPERATION = 3, MOST_IN_FLIGHT = 4096 };

// In user_data, beside the lane: a completion that ends the operation of the lane, or a read whose
// result is to be checked. What has neither posts a completion only if it failed.
#define ENDS (1ULL << 32)
#define READS (1ULL << 33)

enum kind { READ_FILE, READ, STAT };

struct job {
  enum kind kind;
  unsigned depth;
  unsigned size;
  char **paths;
  size_t count;
  size_t turn;
  char *buffers;
  struct statx *stats;
  struct io_uring ring;
};

static void fail(const char *what, int error) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(error));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *allocate(size_t size) {
  void *memory = NULL;
  int error = posix_memalign(&memory, 4096, size);
  if (error != 0) fail("memory", error);
  memset(memory, 0, size);
  return memory;
}

static void load_list(struct job *job, const char *name) {
  int fd = open(name, O_RDONLY);
  struct stat stats;
  if (fd < 0 || fstat(fd, &stats) != 0) fail(name, errno);
  char *text = allocate((size_t)stats.st_size + 1);
  if (read(fd, text, (size_t)stats.st_size) != stats.st_size) fail(name, EIO);
  close(fd);
  size_t most = 1;
  for (off_t at = 0; at < stats.st_size; at++)
    most += text[at] == 0;
  job->paths = allocate(most * sizeof(char *));
  for (char *path = text; *path != 0; path += strlen(path) + 1)
    job->paths[job->count++] = path;
  if (job->count == 0) fail(name, ENOENT);
}

static void open_ring(struct job *job) {
  unsigned entries = job->depth * SQES_PER_OPERATION;
  unsigned best = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CLAMP;
  int error = io_uring_queue_init(entries, &job->ring, best);
  if (error == -EINVAL) error = io_uring_queue_init(entries, &job->ring, 0);
  if (error < 0) fail("io_uring_setup", -error);
}

static void open_big_file(struct job *job, const char *name) {
  int fd = open(name, O_RDONLY);
  struct stat stats;
  if (fd < 0 || fstat(fd, &stats) != 0) fail(name, errno);
  job->count = (size_t)stats.st_size / job->size;
  if (job->count == 0) fail(name, EINVAL);
  int error = io_uring_register_files(&job->ring, &fd, 1);
  if (error < 0) fail("register files", -error);
  struct iovec memory = {job->buffers, (size_t)job->depth * job->size};
  error = io_uring_register_buffers(&job->ring, &memory, 1);
  if (error < 0) fail("register buffers", -error);
}

static struct io_uring_sqe *next_sqe(struct job *job) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&job->ring);
  if (sqe == NULL) fail("submission queue", EBUSY);
  return sqe;
}

/** Open into the slot of the lane, read from it, close it: one chain, one completion. */
static void start_read_file(struct job *job, unsigned lane, char *buffer) {
  const char *path = job->paths[job->turn++ % job->count];
  struct io_uring_sqe *sqe = next_sqe(job);
  io_uring_prep_openat_direct(sqe, AT_FDCWD, path, O_RDONLY, 0, lane);
  sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = lane;

  sqe = next_sqe(job);
  io_uring_prep_read(sqe, (int)lane, buffer, job->size, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = lane | READS;

  sqe = next_sqe(job);
  io_uring_prep_close_direct(sqe, lane);
  sqe->user_data = lane | ENDS;
}

static void start(struct job *job, unsigned lane) {
  char *buffer = job->buffers + (size_t)lane * job->size;
  if (job->kind == READ_FILE) {
    start_read_file(job, lane, buffer);
    return;
  }
  struct io_uring_sqe *sqe = next_sqe(job);
  if (job->kind == READ) {
    // A stride that is prime and large: each page once, in an order no read-ahead follows.
    size_t page = (job->turn++ * 7368787) % job->count;
    io_uring_prep_read_fixed(sqe, 0, buffer, job->size, (off_t)page * job->size, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = lane | ENDS | READS;
    return;
  }
  const char *path = job->paths[job->turn++ % job->count];
  io_uring_prep_statx(sqe, AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &job->stats[lane]);
  sqe->user_data = lane | ENDS;
}

/** Keeps `depth` operations in flight for a time; returns how many have ended by then. */
static size_t run(struct job *job, double seconds, double *elapsed) {
  double began = now();
  double end = began + seconds;
  size_t ended = 0;
  unsigned flying = 0;
  bool running = true;
  for (; flying < job->depth; flying++)
    start(job, flying);
  while (flying > 0) {
    int error = io_uring_submit_and_wait(&job->ring, 1);
    if (error < 0 && error != -EINTR) fail("io_uring_enter", -error);
    running = running && now() < end;

    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned seen = 0;
    io_uring_for_each_cqe(&job->ring, head, cqe) {
      seen++;
      if (cqe->res < 0) fail("operation", -cqe->res);
      bool partial = (cqe->user_data & READS) && (unsigned)cqe->res != job->size;
      if (partial) fail("read", EIO);
      unsigned lane = (unsigned)cqe->user_data;
      if (job->kind == STAT) {
        if (job->stats[lane].stx_ino == 0) fail("statx", EIO);
        job->stats[lane].stx_ino = 0;
      }
      if (!(cqe->user_data & ENDS)) continue;
      ended++;
      if (running) {
        start(job, lane);
      } else {
        flying--;
      }
    }
    io_uring_cq_advance(&job->ring, seen);
  }
  *elapsed = now() - began;
  return ended;
}

int main(int argc, char **argv) {
  if (argc != 6) fail("arguments", EINVAL);
  struct job job = {.kind = READ_FILE};
  if (strcmp(argv[1], "read") == 0) job.kind = READ;
  if (strcmp(argv[1], "stat") == 0) job.kind = STAT;
  job.depth = (unsigned)atoi(argv[2]);
  double seconds = atof(argv[3]) / 1e3;
  job.size = (unsigned)atoi(argv[4]);
  if (job.depth < 1 || job.depth > MOST_IN_FLIGHT) fail("depth", EINVAL);

  job.buffers = allocate((size_t)job.depth * (job.size + 1));
  job.stats = allocate(job.depth * sizeof(struct statx));
  open_ring(&job);
  if (job.kind == READ) {
    open_big_file(&job, argv[5]);
  } else {
    load_list(&job, argv[5]);
    if (job.kind == READ_FILE) {
      int error = io_uring_register_files_sparse(&job.ring, job.depth);
      if (error < 0) fail("register files", -error);
    }
  }

  double elapsed;
  run(&job, seconds / 10, &elapsed);
  size_t ended = run(&job, seconds, &elapsed);
  printf("{\"operations\":%zu,\"seconds\":%.9f}\n", ended, elapsed);
  return 0;
}
