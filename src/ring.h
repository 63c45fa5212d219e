/*
 * One io_uring and the eventfd by which it wakes a libuv loop. No Node-API here.
 *
 * A ring is made, used and destroyed by one thread: the one that runs its loop.
 * The owner embeds the struct and frees it, after ufs_ring_close() has reported.
 * SQEs and CQEs are counted one to one: `in_flight` counts the SQEs handed out whose CQE has not
 * been seen, and never exceeds the CQ's size, so the CQ cannot overflow.
 */
#ifndef UFS_RING_H
#define UFS_RING_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "credentials.h"
#include "probe.h"

typedef struct ufs_ring ufs_ring;

typedef struct {
  /* A CQE with its user_data; called from ufs_ring_reap() and while closing. */
  void (*complete)(ufs_ring *ring, uint64_t user_data, int32_t result);
  /* The eventfd woke the loop: completions may be there. On the loop's thread. */
  void (*wake)(ufs_ring *ring);
  /* The ring is closing: fill cancellations for what is under way, as far as there is room. */
  void (*cancel_all)(ufs_ring *ring);
  /* ufs_ring_close() is done: nothing of the ring is in use any more. */
  void (*closed)(ufs_ring *ring);
} ufs_ring_hooks;

typedef struct {
  unsigned entries;   /* of the SQ: SQEs in one submission. The CQ has so many times more. */
  unsigned workers;   /* a ceiling on blocked kernel workers */
  bool polled;        /* a kernel thread submits (SQPOLL), where it may be had */
  unsigned poll_idle; /* ms after which that thread sleeps */
  int poll_cpu;       /* that it stays on, or -1 */
} ufs_ring_settings;

struct ufs_ring {
  struct io_uring uring;
  uv_poll_t poll;
  uv_check_t check;
  uv_prepare_t prepare;
  uv_timer_t retry; /* until what the kernel has refused is tried again */
  const ufs_ring_hooks *hooks;
  unsigned setup_flags;
  int event_fd;
  unsigned in_flight;
  unsigned in_flight_limit; /* of the CQ */
  uint64_t enters;          /* io_uring_enter(2) calls */
  uint64_t turns;           /* of the loop */
  uint64_t linger_again;    /* ns, of uv_hrtime(): until then it is not worth to linger */
  uint64_t linger_pause;    /* ns: how long the last attempt in vain was followed by none */
  unsigned refusals;        /* waits, one after the other, for the kernel to take SQEs */
  int spare_slot;           /* direct descriptor that the owner registered for us, or -1 */
  int failure;              /* -errno that made io_uring_enter(2) unusable, or 0 */
  bool many_cpus;           /* for this thread and kernel workers to run at once */
  bool linked_files;        /* see ufs_probe_linked_files() */
  bool polled;              /* a kernel thread takes the SQEs, with the credentials of the start */
  ufs_credentials credentials; /* that the SQEs of a polled ring run with */
  uint16_t personality;        /* by which they get those, if they are not the start's */
  bool restricted;             /* to what this package needs */
  bool opcodes[UFS_OP_FTRUNCATE + 1];
};

/* user_data of an SQE whose CQE nobody waits for. */
#define UFS_NOBODY 0

/* Makes the ring, so far without use: the owner may register what it needs. 0, or -errno with
 * nothing left behind. */
int ufs_ring_open(ufs_ring *ring, const ufs_ring_hooks *hooks, const ufs_ring_settings *settings);

/* Restricts the ring to files and enables it, and trusts it only after a NOP has come back through
 * the eventfd. 0, or -errno with nothing left behind. */
int ufs_ring_enable(ufs_ring *ring, const ufs_ring_settings *settings);

/* Starts to watch the eventfd on `loop`. From here on the ring is ended by ufs_ring_close() only.
 * 0, or -errno with nothing left behind. */
int ufs_ring_watch(ufs_ring *ring, uv_loop_t *loop);

/* How many SQEs may be taken before the next submit: for requests, and for cancellations, which
 * have a part of the CQ to themselves, or a full ring could never be emptied of what waits for
 * ever. */
unsigned ufs_ring_room(const ufs_ring *ring);
unsigned ufs_ring_room_to_cancel(const ufs_ring *ring);

/* An empty SQE; only after ufs_ring_room() said that there is one. */
struct io_uring_sqe *ufs_ring_take(ufs_ring *ring);

/* Hands all SQEs taken to the kernel. 0, or -errno (also kept in `failure`) when the ring is beyond
 * use: what the kernel did not take is then completed with -ECANCELED. What it has no memory for is
 * tried again later, a few times, and then completed so, too. */
int ufs_ring_submit(ufs_ring *ring);

/* Passes every CQE that is there to hooks->complete. Returns their number. */
unsigned ufs_ring_reap(ufs_ring *ring);

/* Completions that come between quiet(true) and quiet(false) do not signal the eventfd. Ends with a
 * signal of our own if any has come that was not reaped. */
void ufs_ring_quiet(ufs_ring *ring, bool quiet);

/* Makes the loop call hooks->wake in its next turn. */
void ufs_ring_wake(ufs_ring *ring);

/* Whether requests under way keep the loop, and so the process, alive. */
void ufs_ring_keep_alive(ufs_ring *ring, bool alive);

/* Cancels what is under way, waits (blocking) for its every CQE, then ends the ring and calls
 * hooks->closed from the loop. Ending a ring does not stop its I/O, hence the wait. Of a ring that
 * broke it waits for the end instead of the CQEs; where that can't be seen, `in_flight` is left
 * above 0, and what the kernel may still write must not be freed. */
void ufs_ring_close(ufs_ring *ring);

#endif
