/*
 * A thread that does requests beside the environment's own, with ordinary system calls that cannot
 * wait: where many small files are read, or asked for, the kernel's part is most of the work, and
 * one thread has no more than one CPU for it.
 *
 * The environment's thread gives requests in order. The helper begins with the oldest, and what it
 * has not begun can be taken back, so nobody waits for a thread that gets no CPU.
 *
 *   ufs_helper_give() ► given ► work(), in the helper's thread ► done ► ufs_helper_collect()
 *                         └──► ufs_helper_take_back()
 *
 * A request that is given is the helper's until it is collected or taken back: the environment's
 * thread may set its `cancelled`, which the helper does not look at, and nothing else. The thread
 * is made with the first request, and sleeps when there is none. All but work() and idle() is
 * called by the environment's thread.
 */
#ifndef UFS_HELPER_THREAD_H
#define UFS_HELPER_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "request.h"

typedef struct ufs_helper ufs_helper;

typedef struct {
  /* Does the request; it must not wait. In the helper's thread. */
  void (*work)(ufs_helper *helper, ufs_request *request);
  /* All that was given is done, and some of it has not been collected though the environment's
   * thread is not about to. In the helper's thread. */
  void (*idle)(ufs_helper *helper);
} ufs_helper_hooks;

enum { UFS_HELPER_SIZE = 512 /* requests that it may have */ };

/* The arrays keep apart what either thread alone stores, so that the other's stores do not take it
 * from a CPU's cache. */
struct ufs_helper {
  const ufs_helper_hooks *hooks;
  void *owner;
  uv_thread_t thread;
  uv_sem_t wake;
  bool running;
  bool refused;        /* there is no thread to be had */
  uint32_t held;       /* requests given, and neither collected nor taken back */
  uint32_t next_done;  /* to collect */
  unsigned cpus;       /* that are online */
  int idle_cpus;       /* of the last looks: how many more found one than did not */
  uint64_t look_again; /* ns, of uv_hrtime() */
  uint64_t wake_time;  /* since the last look, ns that this thread took to wake the helper, */
  uint32_t collected;  /* and how many requests it has done */
  bool rests;          /* until the next look */
  _Atomic uint32_t given_end; /* by the environment's thread */
  _Atomic bool stopping;
  _Atomic(ufs_request *) given[UFS_HELPER_SIZE];
  _Atomic uint32_t given_begin; /* whoever moves it has the request */
  ufs_request *done[UFS_HELPER_SIZE];
  _Atomic uint32_t done_end; /* by the helper's thread */
  _Atomic bool asleep;       /* or about to be; whoever clears it posts `wake` */
  _Atomic bool awaited;      /* idle() is to be called, once */
};

/* Whether it takes one more request. */
bool ufs_helper_has_room(const ufs_helper *helper);

/* Makes the thread if it is not there. False if there is none to be had, or no use for it now.
 * `has_worker`: a kernel worker may be at what the helper would do instead, so that its CPU counts
 * as idle. */
bool ufs_helper_start(ufs_helper *helper, bool has_worker);

/* The request is the helper's, which ufs_helper_wake() sets to work. */
void ufs_helper_give(ufs_helper *helper, ufs_request *request);
void ufs_helper_wake(ufs_helper *helper);

/* How many it has not begun. */
uint32_t ufs_helper_untouched(const ufs_helper *helper);

/* The oldest of them, or NULL. */
ufs_request *ufs_helper_take_back(ufs_helper *helper);

/* The next that is done, or NULL. */
ufs_request *ufs_helper_collect(ufs_helper *helper);

/* Whether idle() is to tell of what is done from now on. Collect once more after true. */
void ufs_helper_await(ufs_helper *helper, bool awaited);

/* Ends the thread, after the request that it is at. What it has not begun can be taken back, and
 * what is done be collected, after that too. */
void ufs_helper_stop(ufs_helper *helper);

#endif
