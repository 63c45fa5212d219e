/*
 * The engine of one environment: requests wait here in order, go through the ring, and are handed
 * over to JS in batches. Still no Node-API: addon.c is the door to JS.
 *
 *   ufs_engine_submit() ► waiting ► SQEs ► kernel ► CQEs ► done ► hand-over arrays ► JS ► released
 *
 * ufs_engine_flush() moves everything one round: JS calls it once a tick; the loop's wake-up does
 * the same from the other side. All on the environment's thread, but for `help` below.
 */
#ifndef UFS_ENGINE_H
#define UFS_ENGINE_H

#include "helper_thread.h"
#include "request.h"
#include "ring.h"

typedef struct ufs_engine ufs_engine;

/* One kind of request: a row in file_ops.c or whole_file.c. */
struct ufs_operation {
  const char *name;
  const char *many;      /* name of the call that makes many of it, of paths and flags; or NULL */
  const char *arguments; /* how args.c reads the call's arguments */
  uint32_t few;          /* of no more requests than so many each is attempted, see below */
  uint8_t opcode;        /* that the kernel must have */
  uint8_t sqes;          /* SQEs it takes, in one submission */
  bool closes_file;      /* whoever waited for it may rely on that: ufs_probe_prompt_close() */
  bool takes_slot;       /* a direct descriptor, and its block, are reserved for it */
  bool on_slot;          /* its fd is a direct descriptor */
  bool copies;           /* out of the page cache, in this thread: see share_copies() */
  bool of_js;            /* its fd is a direct descriptor that JS was given */
  bool lets_go;          /* the descriptor it opens is the program's, to close by whatever means */
  bool stays_here;       /* what the helper has not begun is attempted, however many there are */
  bool first_decides;    /* the first of its steps to complete makes the others pointless */
  /* Does it in this thread, without the ring, unless that may block: then false. While there are
   * `few` requests: of many, a kernel worker does more than this thread alone could. */
  bool (*attempt)(ufs_engine *engine, ufs_request *request);
  /* Or in two halves, of which the helper's thread may do the first: that touches nothing but the
   * request, and the block of its slot. */
  void (*help)(const ufs_engine *engine, ufs_request *request);
  /* Whether that has done it. */
  bool (*finish_help)(ufs_engine *engine, ufs_request *request);
  /* Settles which memory the kernel is to be given; false without memory. */
  bool (*choose_memory)(ufs_engine *engine, ufs_request *request);
  /* A single SQE; with a fill, one that it leaves to ufs_engine_fill_one(). */
  void (*prepare)(struct io_uring_sqe *sqe, const ufs_request *request);
  /* Or a chain of them, taken by ufs_engine_sqe(). */
  void (*fill)(ufs_engine *engine, ufs_request *request);
  /* Gives back what a request that never runs (again) holds beside its memory. Its result is
   * -ECANCELED: the pool is to do it instead, unless that is changed here. */
  void (*abandon)(ufs_engine *engine, ufs_request *request);
  /* All CQEs are in, in request->steps. True when the request is finished; false when it must run
   * once more. Without it the first step's result is the request's. */
  bool (*finish)(ufs_engine *engine, ufs_request *request);
};

enum {
  /* Requests in a hand-over: enough to spread the cost of the crossing, small enough that what was
   * read is still in the CPU's cache when JS copies it. */
  UFS_HANDOVER_SIZE = 128,
  /* Doubles for a statx result in the hand-over. */
  UFS_STAT_FIELDS = 19,
  /* Direct descriptors, and blocks of the slab: one each for every small whole-file read under way.
   */
  UFS_SLOTS = 512,
  /* Of them at once become descriptors: thousands of large files must not need as many. With the
   * 96 of lib/read-steps.js and one that the helper may hold they are 128. */
  UFS_INSTALLS = 31,
  UFS_BLOCK_SIZE = 16 * 1024 + 64, /* a file of 16 KiB, and room to see that it ends there */
};

/* What flush says, beside the number of requests handed over (low 16 bits). */
enum {
  UFS_MORE = 1 << 16, /* more is done already: flush again, now */
  UFS_AGAIN =
      1 << 17, /* something is left to submit: flush once more when this tick's work is done */
  UFS_BROKEN = 1 << 18, /* the ring is beyond use: send nothing more */
  UFS_NEXT = 1 << 19,   /* to JS only: the next of its own calls that wait for the loop */
};

enum {
  UFS_COUNT_SUBMITTED,
  UFS_COUNT_COMPLETED,
  UFS_COUNT_INLINE,
  UFS_COUNT_ENTERS,
  UFS_COUNT_QUEUED,
  UFS_COUNT_IN_FLIGHT,
  UFS_COUNT_PEAK_QUEUED,
  UFS_COUNT_PEAK_IN_FLIGHT,
  UFS_COUNT_HELPED,
  UFS_COUNT_UNCHECKED,  /* the engine's `unchecked` */
  UFS_COUNT_FREE_TURNS, /* by JS: how many large files it may go on with now */
  UFS_COUNTERS,
};

/* Memory that JS and C both see. JS allocates it, and addon.c keeps it alive. */
typedef struct {
  uint32_t *ids;     /* [UFS_HANDOVER_SIZE] */
  uint32_t *entered; /* [UFS_HANDOVER_SIZE] ids of the requests that one call made */
  double *results;   /* [UFS_HANDOVER_SIZE] */
  double *extras;    /* [UFS_HANDOVER_SIZE] */
  double *stats;     /* [UFS_HANDOVER_SIZE * UFS_STAT_FIELDS] */
  double *counters;  /* [UFS_COUNTERS] */
  uint8_t *slab;     /* [blocks * UFS_BLOCK_SIZE] */
} ufs_shared;

typedef struct {
  ufs_request *head;
  ufs_request *tail;
  uint32_t length;
} ufs_queue;

typedef struct {
  ufs_ring_settings ring;
  double inline_budget; /* ms: how long completions may keep the loop from turning */
  bool helper;          /* whether there may be a thread beside ours */
  unsigned blocks;      /* of the slab, and direct descriptors: UFS_SLOTS at the most */
} ufs_settings;

struct ufs_engine {
  ufs_ring ring; /* first: the ring's hooks get at the engine by it */
  ufs_shared shared;
  ufs_request_pool requests;
  ufs_helper helper;
  bool has_helper;           /* it may be started */
  _Atomic bool help_in_vain; /* it could not do a request, and has attempted none since */
  double help_pause;         /* how many requests were not shared with it after that, */
  double help_again;         /* and of which number the first is that will be again */
  ufs_queue waiting;
  ufs_queue waiting_for_slot; /* apart, so that readers stuck on FIFOs hold up nobody else */
  ufs_queue begun;            /* that have a slot, and a step to go: before those that have none */
  ufs_queue done;
  ufs_request *delivered;    /* JS is looking at them until its next flush */
  uint32_t in_flight;        /* requests that the kernel has */
  uint32_t peak_in_flight;   /* with those of the helper */
  uint64_t copied_here;      /* bytes of this round that are copied in this thread, */
  uint64_t copied_elsewhere; /* and by kernel workers */
  uint32_t round;            /* of those requests whose memory JS looks at before it flushes */
  uint32_t unchecked;        /* how many of them wait: not fewer, maybe more */
  bool flushing;             /* completions now are 'inline' */
  bool cancel_due;           /* for some superseded request */
  bool wake_sent;
  bool flush_due; /* the next flush is the loop's own: it may not be put off to the loop again */
  bool call_due;  /* JS has calls of its own that wait for the loop */

  /* How long completions have been delivered without a turn of the loop. */
  uint64_t turn;          /* of the loop, at the last flush */
  uint64_t turn_start;    /* ns */
  uint64_t inline_budget; /* ns */

  unsigned installing; /* slots whose file becomes, or is handed over as, a descriptor as well */
  unsigned slot_count; /* direct descriptors registered: 0 where the kernel has none */
  unsigned free_slots;
  unsigned closing_slots;
  uint16_t free_slot[UFS_SLOTS];
  uint16_t closing_slot[UFS_SLOTS];
  uint64_t js_slots[UFS_SLOTS / 64]; /* a bit for each that JS was given and has not closed */

  /* Descriptors that the ring opened and nobody has closed: they end with the environment. */
  uint64_t *open_fds;
  uint32_t open_fds_words;

  /* From the loop: hand the batch that `status` describes to JS. */
  void (*deliver)(ufs_engine *engine, uint32_t status);
  /* ufs_engine_close() is done; the engine's memory may be freed. */
  void (*closed)(ufs_engine *engine);
  void *owner;
};

/* Makes the ring and starts to watch it. `shared`, `deliver`, `closed` are set before. 0, or -errno
 * with nothing left behind. */
int ufs_engine_open(ufs_engine *engine, uv_loop_t *loop, const ufs_settings *settings);

/* Cancels and drains (blocking), then calls engine->closed from the loop. */
void ufs_engine_close(ufs_engine *engine);

/* A blank request, or NULL without memory; ends with submit or drop. */
ufs_request *ufs_engine_request(ufs_engine *engine, const ufs_operation *operation);
void ufs_engine_drop(ufs_engine *engine, ufs_request *request);

/* Queues the request: the engine has it from now on. */
void ufs_engine_submit(ufs_engine *engine, ufs_request *request);

/* Asks the kernel to give the request up; it completes in the ordinary way, mostly with -ECANCELED.
 */
void ufs_engine_cancel(ufs_engine *engine, uint32_t id);

/* The request, if it still waits, is not to have the caller's memory: see caller_memory.h.
 * `alignment`, in bytes: what O_DIRECT wants of memory; 0 if there is no O_DIRECT, or nobody knows.
 */
void ufs_engine_shield(ufs_engine *engine, uint32_t id, uint32_t alignment);

/* For the rows: whether JS has looked at the memory of the request, which leaves the queue, and has
 * not run since. It is counted among the `unchecked` no more. */
bool ufs_engine_count_checked(ufs_engine *engine, ufs_request *request);

/* The request with `id` if it is done and JS is looking at it, else NULL. */
const ufs_request *ufs_engine_delivered(const ufs_engine *engine, uint32_t id);

/* Makes the loop call engine->deliver, whether or not anything is done by then. */
void ufs_engine_call_later(ufs_engine *engine);

/* Submits what waits, takes what is done, fills the hand-over arrays. See the bits above. */
uint32_t ufs_engine_flush(ufs_engine *engine);

/* For the rows: the request's one SQE, as its operation prepares it, for step 0. */
void ufs_engine_fill_one(ufs_engine *engine, ufs_request *request);

/* For the rows: an SQE for a step of the request, and, after it is prepared, its address. */
struct io_uring_sqe *ufs_engine_sqe(ufs_engine *engine);
void ufs_engine_tag(struct io_uring_sqe *sqe, ufs_request *request, unsigned step);

/* For the rows: the block of the request's slot. */
uint8_t *ufs_engine_block(const ufs_engine *engine, const ufs_request *request);

/* For the rows: the open file becomes that of the request's slot; `fd` is closed. */
void ufs_engine_adopt(ufs_engine *engine, ufs_request *request, int fd);

/* For the rows: a direct descriptor that holds no file (any more), or one that is to be closed. */
void ufs_engine_free_slot(ufs_engine *engine, int32_t slot);
void ufs_engine_close_slot(ufs_engine *engine, int32_t slot);

/* For the rows: a direct descriptor with an open file is JS's from now on, until its close_slot. */
void ufs_engine_give_slot(ufs_engine *engine, int32_t slot);

/* Whether the direct descriptor that a call names is JS's. One that is to be closed is not any
 * more. */
bool ufs_engine_is_slot_of_js(ufs_engine *engine, const ufs_request *request);

/* For the rows: remembers, or forgets, that `fd` is open. */
void ufs_engine_note_fd(ufs_engine *engine, int fd, bool open);

#endif
