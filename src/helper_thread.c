#include "helper_thread.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Of the thread, bytes: paths and results are elsewhere. */
enum { STACK_SIZE = 128 * 1024 };

/* The oldest request that nobody has begun. Both threads take from here. */
static ufs_request *take(ufs_helper *helper) {
  uint32_t begin = atomic_load(&helper->given_begin);
  while (begin != atomic_load(&helper->given_end)) {
    /* The other thread may have been faster, and the place be another's: then this fails. */
    ufs_request *request =
        atomic_load_explicit(&helper->given[begin % UFS_HELPER_SIZE], memory_order_relaxed);
    if (atomic_compare_exchange_weak(&helper->given_begin, &begin, begin + 1)) return request;
  }
  return NULL;
}

static void sleep_until_woken(ufs_helper *helper) {
  atomic_store(&helper->asleep, true);
  const bool is_due = atomic_load(&helper->given_begin) != atomic_load(&helper->given_end) ||
                      atomic_load(&helper->stopping);
  if (is_due && atomic_exchange(&helper->asleep, false)) return;
  uv_sem_wait(&helper->wake); /* even if it is due: then somebody has posted, or is about to */
}

static void run(void *arg) {
  ufs_helper *helper = arg;
  (void)prctl(PR_SET_NAME, "uring-fs");
  while (!atomic_load(&helper->stopping)) {
    ufs_request *request = take(helper);
    if (request == NULL) {
      if (atomic_exchange(&helper->awaited, false)) helper->hooks->idle(helper);
      sleep_until_woken(helper);
      continue;
    }
    helper->hooks->work(helper, request);
    const uint32_t end = atomic_load_explicit(&helper->done_end, memory_order_relaxed);
    helper->done[end % UFS_HELPER_SIZE] = request;
    atomic_store(&helper->done_end, end + 1);
  }
}

bool ufs_helper_has_room(const ufs_helper *helper) {
  return helper->held < UFS_HELPER_SIZE;
}

/*
 * A helper needs a CPU of its own: with more threads at work than there are CPUs all of them change
 * places more often, which costs a tenth. So now and then it is looked whether one is idle; one
 * look may be wrong, as threads of V8's come and go, but not most of the last few. The system is
 * looked at: of CPUs that the process may not use nobody tells whether they are idle.
 */
enum { LOOK_AGAIN_NS = 10 * 1000 * 1000, LOOKS = 4 };

/* Threads of the system that have a CPU or wait for one. 0 if that is not told. */
static unsigned running_threads(void) {
  char text[128];
  const int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t length = read(fd, text, sizeof text - 1);
  (void)close(fd);
  text[length > 0 ? length : 0] = '\0';
  unsigned count = 0;
  for (const char *at = text; *at != '\0' && *at != '/'; at++) { /* 0.20 0.18 0.12 1/80 11206 */
    const bool is_digit = *at >= '0' && *at <= '9';
    count = is_digit ? count * 10 + (unsigned)(*at - '0') : 0;
  }
  return count;
}

static bool is_cpu_idle(const ufs_helper *helper, bool has_worker) {
  const bool is_awake = helper->running && !atomic_load(&helper->asleep);
  const unsigned ours = 1U + (is_awake ? 1 : 0) + (has_worker ? 1 : 0);
  const unsigned running = running_threads();
  const unsigned others = running > ours ? running - ours : 0;
  return others + 2 <= helper->cpus;
}

/*
 * And it must do more than it takes to wake it up: 2 us on one machine, 20 us on another, where
 * that is an interrupt from one virtual CPU to the other. When it was woken for too little, it
 * rests.
 */
enum { REST_NS = 200 * 1000 * 1000, WORTH_NS = 1000 /* what it does, of this thread's time */ };

static bool has_paid(const ufs_helper *helper) {
  return (uint64_t)helper->collected * WORTH_NS >= helper->wake_time;
}

static bool is_of_use(ufs_helper *helper, bool has_worker) {
  const uint64_t now = uv_hrtime();
  if (now >= helper->look_again) {
    const uint64_t rest_end = helper->look_again + REST_NS; /* what is longer ago is forgotten */
    helper->rests = !has_paid(helper) && now < rest_end;
    helper->look_again = helper->rests ? rest_end : now + LOOK_AGAIN_NS;
    helper->wake_time = helper->collected = 0;
    helper->idle_cpus += is_cpu_idle(helper, has_worker) ? 1 : -1;
    if (helper->idle_cpus > LOOKS) helper->idle_cpus = LOOKS;
    if (helper->idle_cpus < -LOOKS) helper->idle_cpus = -LOOKS;
  }
  return helper->idle_cpus >= 0 && !helper->rests;
}

static bool make_thread(ufs_helper *helper) {
  if (uv_sem_init(&helper->wake, 0) < 0) return false;
  const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_SIZE};
  /* It begins with the mask of this thread: signals are for the program's own threads. */
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, &before);
  helper->running = uv_thread_create_ex(&helper->thread, &options, run, helper) == 0;
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  if (!helper->running) uv_sem_destroy(&helper->wake);
  return helper->running;
}

bool ufs_helper_start(ufs_helper *helper, bool has_worker) {
  if (helper->refused) return false;
  if (helper->cpus == 0) {
    helper->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    helper->refused = uv_available_parallelism() < 2;
  }
  if (helper->refused || !is_of_use(helper, has_worker)) return false;
  if (!helper->running) helper->refused = !make_thread(helper);
  return helper->running;
}

void ufs_helper_give(ufs_helper *helper, ufs_request *request) {
  const uint32_t end = atomic_load_explicit(&helper->given_end, memory_order_relaxed);
  atomic_store_explicit(&helper->given[end % UFS_HELPER_SIZE], request, memory_order_relaxed);
  helper->held++;
  atomic_store(&helper->given_end, end + 1);
}

void ufs_helper_wake(ufs_helper *helper) {
  if (!atomic_load(&helper->asleep) || !atomic_exchange(&helper->asleep, false)) return;
  const uint64_t start = uv_hrtime();
  uv_sem_post(&helper->wake);
  helper->wake_time += uv_hrtime() - start;
}

uint32_t ufs_helper_untouched(const ufs_helper *helper) {
  if (helper->held == 0) return 0;
  return atomic_load(&helper->given_end) - atomic_load(&helper->given_begin);
}

ufs_request *ufs_helper_take_back(ufs_helper *helper) {
  if (helper->held == 0) return NULL;
  ufs_request *request = take(helper);
  if (request != NULL) helper->held--;
  return request;
}

ufs_request *ufs_helper_collect(ufs_helper *helper) {
  if (helper->held == 0 || helper->next_done == atomic_load(&helper->done_end)) return NULL;
  helper->held--;
  helper->collected++;
  return helper->done[helper->next_done++ % UFS_HELPER_SIZE];
}

void ufs_helper_await(ufs_helper *helper, bool awaited) {
  if (helper->running) atomic_store(&helper->awaited, awaited);
}

void ufs_helper_stop(ufs_helper *helper) {
  if (!helper->running) return;
  atomic_store(&helper->stopping, true);
  ufs_helper_wake(helper);
  (void)uv_thread_join(&helper->thread);
  uv_sem_destroy(&helper->wake);
  helper->running = false;
  helper->refused = true;
}
