/*
 * The door between JS and the engine: one environment's state, its exports, its end.
 *
 * JS allocates all memory that both sides see and passes it to start(); a strong reference keeps
 * it, and the table that pins the caller's Buffers, until the last request is drained. Buffers made
 * by C would be external ones, which Electron and V8's sandbox refuse.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <node_api.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "caller_memory.h"
#include "engine.h"
#include "file_ops.h"
#include "syscalls.h"
#include "whole_file.h"

typedef struct ufs_environment ufs_environment;

/* What the callback of an exported operation is given. */
typedef struct {
  ufs_environment *environment;
  const ufs_operation *operation;
} ufs_call;

struct ufs_environment {
  ufs_engine engine; /* first: the engine's callbacks get at the environment by it */
  napi_env env;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref deliver; /* function (status) */
  napi_ref kept;    /* what JS passed to start() */
  ufs_call *calls;
  char *paths; /* [PATHS_SIZE], of the call under way; NULL before the first of many paths */
  bool running;
  bool raised; /* what JS is about to throw has been an uncaught exception already */
};

/* Bytes of all paths of one call. */
enum { PATHS_SIZE = 64 * 1024 };

/* What settings may be. Of the SQ a request of several steps needs a few entries; the CQ of the
 * largest is the kernel's largest. */
enum { MIN_ENTRIES = 8, MAX_ENTRIES = 4096, MAX_INLINE_BUDGET = 1000 };

/* Out of a callback, with JS's exception pending; only where nothing is owned yet. */
#define TRY(call)                                  \
  do {                                             \
    if ((call) != napi_ok) return fail(env, NULL); \
  } while (0)

static napi_value fail(napi_env env, const char *message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return NULL;
  if (message == NULL) {
    const napi_extended_error_info *info = NULL;
    if (napi_get_last_error_info(env, &info) == napi_ok) message = info->error_message;
  }
  (void)napi_throw_error(env, NULL, message != NULL ? message : "uring-fs: internal error");
  return NULL;
}

/* ---- operations ---- */

static napi_value number(napi_env env, int64_t value) {
  napi_value result = NULL;
  TRY(napi_create_int64(env, value, &result));
  return result;
}

/* operation(...arguments): the id of the request, or -1 when it is for Node's own function. */
static napi_value call_operation(napi_env env, napi_callback_info info) {
  napi_value values[UFS_MAX_ARGUMENTS];
  size_t count = UFS_MAX_ARGUMENTS;
  void *data = NULL;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, &data));
  const ufs_call *call = data;
  ufs_environment *environment = call->environment;
  ufs_engine *engine = &environment->engine;
  if (!environment->running) return number(env, -1);

  ufs_request *request = ufs_engine_request(engine, call->operation);
  if (request == NULL) return number(env, -1);
  if (count > UFS_MAX_ARGUMENTS) count = UFS_MAX_ARGUMENTS;
  if (!ufs_read_arguments(env, call->operation->arguments, count, values, request) ||
      (call->operation->of_js && !ufs_engine_is_slot_of_js(engine, request))) {
    ufs_engine_drop(engine, request);
    return number(env, -1);
  }
  const uint32_t id = request->id;
  ufs_engine_submit(engine, request);
  return number(env, id);
}

/* Makes a request of each path, until one is refused. Returns their number. */
static uint32_t enter_paths(ufs_engine *engine, const ufs_operation *operation, const char *paths,
                            size_t size, int32_t flags) {
  uint32_t count = 0;
  for (const char *path = paths; path <= paths + size && count < UFS_HANDOVER_SIZE; count++) {
    const size_t length = strlen(path);
    ufs_request *request = ufs_engine_request(engine, operation);
    if (request == NULL) break;
    if (!ufs_set_arguments(operation->arguments, path, length, flags, request)) {
      ufs_engine_drop(engine, request);
      break;
    }
    engine->shared.entered[count] = request->id;
    ufs_engine_submit(engine, request);
    path += length + 1;
  }
  return count;
}

/* operationMany(paths with a null character between each two, flags): how many of them, from the
 * first, have been made requests; their ids are in `entered`. */
static napi_value call_many(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  void *data = NULL;
  size_t size = 0;
  int32_t flags = 0;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, &data));
  const ufs_call *call = data;
  ufs_environment *environment = call->environment;
  if (!environment->running || count != 2) return number(env, 0);
  if (environment->paths == NULL) environment->paths = malloc(PATHS_SIZE);
  if (environment->paths == NULL) return number(env, 0);
  TRY(napi_get_value_string_utf8(env, values[0], environment->paths, PATHS_SIZE, &size));
  TRY(napi_get_value_int32(env, values[1], &flags));
  if (size >= PATHS_SIZE - 4) return number(env, 0); /* it may have been cut */
  return number(
      env, enter_paths(&environment->engine, call->operation, environment->paths, size, flags));
}

/* flush(): see ufs_engine_flush(). */
static napi_value flush(napi_env env, napi_callback_info info) {
  void *data = NULL;
  TRY(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  ufs_environment *environment = data;
  if (!environment->running) return number(env, 0);
  return number(env, ufs_engine_flush(&environment->engine));
}

/* callLater(): see ufs_engine_call_later(). */
static napi_value call_later(napi_env env, napi_callback_info info) {
  void *data = NULL;
  TRY(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  ufs_environment *environment = data;
  if (environment->running) ufs_engine_call_later(&environment->engine);
  return NULL;
}

/* cancel(id): see ufs_engine_cancel(). */
static napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  size_t count = 1;
  void *data = NULL;
  uint32_t id = 0;
  TRY(napi_get_cb_info(env, info, &count, &value, NULL, &data));
  TRY(napi_get_value_uint32(env, value, &id));
  ufs_environment *environment = data;
  if (environment->running) ufs_engine_cancel(&environment->engine, id);
  return NULL;
}

/* shield(id, alignment): what that request, still waiting, reads must not go to the memory it was
 * given. See ufs_engine_shield(). */
static napi_value shield(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  void *data = NULL;
  uint32_t id = 0;
  uint32_t alignment = 0;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, &data));
  TRY(napi_get_value_uint32(env, values[0], &id));
  TRY(napi_get_value_uint32(env, values[1], &alignment));
  ufs_environment *environment = data;
  if (environment->running) ufs_engine_shield(&environment->engine, id, alignment);
  return NULL;
}

/* The views as pieces of memory; of one that the request was given a part of, that part, if it is
 * there. */
static bool read_pieces(napi_env env, napi_value views, const ufs_request *request,
                        struct iovec *pieces, uint32_t count) {
  if (!ufs_read_views(env, views, count, pieces)) return false;
  if (request->vectors != NULL) return true;
  const uint64_t size = pieces[0].iov_len;
  const uint64_t offset = request->memory_offset;
  if (offset > size || request->length > size - offset) return false;
  pieces[0].iov_base = (uint8_t *)pieces[0].iov_base + offset;
  pieces[0].iov_len = request->length;
  return true;
}

/* take(id, views): the bytes of a request that was shielded and has just been handed over,
 * for the memory that its call was given, as far as that is there. */
static napi_value take(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  void *data = NULL;
  uint32_t id = 0;
  uint32_t length = 0;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, &data));
  ufs_environment *environment = data;
  TRY(napi_get_value_uint32(env, values[0], &id));
  TRY(napi_get_array_length(env, values[1], &length));
  const ufs_request *request =
      environment->running ? ufs_engine_delivered(&environment->engine, id) : NULL;
  if (request == NULL || request->shield == NULL || request->result <= 0) return NULL;
  if (length != (request->vectors == NULL ? 1 : request->vector_count)) return NULL;
  struct iovec *pieces = malloc(length * sizeof *pieces);
  if (pieces == NULL) return fail(env, "uring-fs: out of memory");
  if (read_pieces(env, values[1], request, pieces, length)) {
    ufs_take_from_shield(request, pieces, length);
  }
  free(pieces);
  return NULL;
}

/* raise(error): an uncaught exception, in the async context of the code that runs. That then has
 * to throw it to the loop, as Node has left the contexts that its callback scope would leave. */
static napi_value raise_error(napi_env env, napi_callback_info info) {
  napi_value error = NULL;
  size_t count = 1;
  void *data = NULL;
  TRY(napi_get_cb_info(env, info, &count, &error, NULL, &data));
  ((ufs_environment *)data)->raised = true;
  (void)napi_fatal_exception(env, error); /* 'uncaughtException', or the end of the process */
  return NULL;
}

/* seek(descriptor, offset, whence): the file's position after that, or -errno. Of what has
 * positions: nothing waits for a disk. */
static napi_value seek(napi_env env, napi_callback_info info) {
  napi_value values[3];
  size_t count = 3;
  int32_t fd = 0;
  int64_t offset = 0;
  int32_t whence = 0;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, NULL));
  TRY(napi_get_value_int32(env, values[0], &fd));
  TRY(napi_get_value_int64(env, values[1], &offset));
  TRY(napi_get_value_int32(env, values[2], &whence));
  const off_t position = lseek(fd, offset, whence);
  return number(env, position < 0 ? -errno : position);
}

/* In bytes, what O_DIRECT wants of memory, and of offsets and lengths; 0 where there is none. False
 * where the kernel does not tell (before 6.1, and many file systems). No server is asked. */
static bool ask_direct_alignment(int fd, uint32_t *memory, uint32_t *offset) {
#ifdef STATX_DIOALIGN
  struct statx stat;
  if (ufs_statx_fd(fd, STATX_DIOALIGN, &stat) < 0) return false;
  if ((stat.stx_mask & STATX_DIOALIGN) == 0) return false;
  *memory = stat.stx_dio_mem_align;
  *offset = stat.stx_dio_offset_align;
  return true;
#else
  (void)fd;
  (void)memory;
  (void)offset;
  return false;
#endif
}

/* directAlignment(descriptor): [of memory, of offsets and lengths], as above, or undefined. */
static napi_value direct_alignment(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  napi_value pair = NULL;
  size_t count = 1;
  int32_t fd = 0;
  uint32_t memory = 0;
  uint32_t offset = 0;
  TRY(napi_get_cb_info(env, info, &count, &value, NULL, NULL));
  TRY(napi_get_value_int32(env, value, &fd));
  if (!ask_direct_alignment(fd, &memory, &offset)) return NULL;
  TRY(napi_create_array_with_length(env, 2, &pair));
  TRY(napi_set_element(env, pair, 0, number(env, memory)));
  TRY(napi_set_element(env, pair, 1, number(env, offset)));
  return pair;
}

/* What look() says: bits, and above them, where it is known, the alignment that O_DIRECT wants of
 * memory. */
enum { HAS_POSITIONS = 1, IS_UNCACHED = 2, IS_WRITABLE = 4, ALIGNMENT_UNIT = 8 };
enum { MAX_ALIGNMENT = 1024 * 1024 };

static int32_t memory_alignment(int fd) {
  uint32_t memory = 0;
  uint32_t offset = 0;
  if (!ask_direct_alignment(fd, &memory, &offset) || memory > MAX_ALIGNMENT) return 0;
  return (int32_t)memory;
}

/* look(descriptor): whether what the program has open there has positions and is waited for, is
 * read past the page cache, may be written to. No server is asked, and no disk. */
static napi_value look(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  size_t count = 1;
  int32_t fd = 0;
  int32_t found = 0;
  TRY(napi_get_cb_info(env, info, &count, &value, NULL, NULL));
  TRY(napi_get_value_int32(env, value, &fd));
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0 && lseek(fd, 0, SEEK_CUR) >= 0) {
    found = HAS_POSITIONS;
    if ((flags & O_DIRECT) != 0) found |= IS_UNCACHED | (memory_alignment(fd) * ALIGNMENT_UNIT);
    if ((flags & O_ACCMODE) != O_RDONLY) found |= IS_WRITABLE;
  }
  return number(env, found);
}

/* False: nothing has been thrown. */
static bool raise_uncaught(ufs_environment *environment) {
  napi_env env = environment->env;
  const bool is_raised = environment->raised;
  environment->raised = false;
  bool is_pending = false;
  napi_value error = NULL;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || !is_pending ||
      napi_get_and_clear_last_exception(env, &error) != napi_ok) {
    return false;
  }
  if (!is_raised) (void)napi_fatal_exception(env, error);
  return true;
}

/* deliver(status) in JS, with the ticks and microtasks that follow from it. Whether calls of JS's
 * own may be left, each of which has ticks and microtasks of its own, too. */
static bool call_deliver(ufs_environment *environment, uint32_t status) {
  napi_env env = environment->env;
  bool left = false;
  napi_handle_scope scope = NULL;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  napi_value function = NULL;
  napi_value receiver = NULL;
  napi_value argument = NULL;
  napi_value answer = NULL;
  if (napi_get_reference_value(env, environment->deliver, &function) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_create_uint32(env, status, &argument) == napi_ok) {
    const napi_status result =
        napi_make_callback(env, environment->context, receiver, function, 1, &argument, &answer);
    if (result == napi_ok) (void)napi_get_value_bool(env, answer, &left);
    /* What a callback or a tick has thrown. Left pending it would come out of some later, unrelated
     * call. An environment that is being ended runs no more JS and gives any status, this one
     * too, with nothing thrown. */
    if (result == napi_pending_exception) left = raise_uncaught(environment);
  }
  (void)napi_close_handle_scope(env, scope);
  return left;
}

/* From the event loop. */
static void deliver(ufs_engine *engine, uint32_t status) {
  ufs_environment *environment = (ufs_environment *)engine;
  while (call_deliver(environment, status) && environment->running)
    status = UFS_NEXT;
}

/* ---- start ---- */

/* The parts of ufs_shared by their names in JS. */
static const struct {
  const char *name;
  size_t place;
  size_t least;
  bool each_block; /* `least` is for each block of the slab */
} shared_parts[] = {
    {"ids", offsetof(ufs_shared, ids), UFS_HANDOVER_SIZE * sizeof(uint32_t), false},
    {"entered", offsetof(ufs_shared, entered), UFS_HANDOVER_SIZE * sizeof(uint32_t), false},
    {"results", offsetof(ufs_shared, results), UFS_HANDOVER_SIZE * sizeof(double), false},
    {"extras", offsetof(ufs_shared, extras), UFS_HANDOVER_SIZE * sizeof(double), false},
    {"stats", offsetof(ufs_shared, stats), sizeof(double) * UFS_HANDOVER_SIZE *UFS_STAT_FIELDS,
     false},
    {"counters", offsetof(ufs_shared, counters), UFS_COUNTERS * sizeof(double), false},
    {"slab", offsetof(ufs_shared, slab), UFS_BLOCK_SIZE, true},
};
enum { SHARED_PARTS = sizeof shared_parts / sizeof shared_parts[0] };

static bool get_number(napi_env env, napi_value object, const char *name, double least, double most,
                       double *number) {
  napi_value value = NULL;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return false;
  if (napi_get_value_double(env, value, number) != napi_ok) return false;
  return *number >= least && *number <= most;
}

/* object.settings, whose numbers lib/tuning.js has checked. */
static bool get_settings(napi_env env, napi_value object, ufs_settings *settings) {
  napi_value source = NULL;
  double entries = 0;
  double workers = 0;
  double blocks = 0;
  double helper = 0;
  double polled = 0;
  double idle = 0;
  double cpu = 0;
  if (napi_get_named_property(env, object, "settings", &source) != napi_ok ||
      !get_number(env, source, "entries", MIN_ENTRIES, MAX_ENTRIES, &entries) ||
      !get_number(env, source, "workers", 1, INT32_MAX, &workers) ||
      !get_number(env, source, "slab", 1, UFS_SLOTS, &blocks) ||
      !get_number(env, source, "inlineBudget", 0, MAX_INLINE_BUDGET, &settings->inline_budget) ||
      !get_number(env, source, "helper", 0, 1, &helper) ||
      !get_number(env, source, "polled", 0, 1, &polled) ||
      !get_number(env, source, "pollIdle", 0, INT32_MAX, &idle) ||
      !get_number(env, source, "pollCpu", -1, INT32_MAX, &cpu)) {
    return false;
  }
  settings->blocks = (unsigned)blocks;
  settings->helper = helper != 0;
  settings->ring = (ufs_ring_settings){.entries = (unsigned)entries,
                                       .workers = (unsigned)workers,
                                       .polled = polled != 0,
                                       .poll_idle = (unsigned)idle,
                                       .poll_cpu = (int)cpu};
  return true;
}

/* Everything that must stay, as an array of our own: nobody can take anything out of it. The values
 * are fetched first, since a getter may run JS that takes memory away. */
static bool get_shared(napi_env env, napi_value object, unsigned blocks, napi_value *kept,
                       ufs_shared *shared) {
  napi_value values[SHARED_PARTS + 1];
  if (napi_create_array(env, kept) != napi_ok) return false;
  for (uint32_t i = 0; i <= SHARED_PARTS; i++) {
    const char *name = i < SHARED_PARTS ? shared_parts[i].name : "pending";
    if (napi_get_named_property(env, object, name, &values[i]) != napi_ok ||
        napi_set_element(env, *kept, i, values[i]) != napi_ok) {
      return false;
    }
  }
  for (uint32_t i = 0; i < SHARED_PARTS; i++) {
    void **memory = (void **)((char *)shared + shared_parts[i].place);
    const size_t least = shared_parts[i].least * (shared_parts[i].each_block ? blocks : 1);
    size_t size = 0;
    if (napi_get_arraybuffer_info(env, values[i], memory, &size) != napi_ok || size < least) {
      return false;
    }
  }
  return true;
}

static bool operation_works(const ufs_engine *engine, const ufs_operation *operation) {
  if (operation->takes_slot && engine->slot_count == 0) return false;
  if (operation->closes_file && !ufs_probe_prompt_close()) return false;
  return engine->ring.opcodes[operation->opcode];
}

static napi_status set_number(napi_env env, napi_value object, const char *name, double value) {
  napi_value property = NULL;
  const napi_status status = napi_create_double(env, value, &property);
  return status == napi_ok ? napi_set_named_property(env, object, name, property) : status;
}

static napi_status set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value property = NULL;
  const napi_status status = napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &property);
  return status == napi_ok ? napi_set_named_property(env, object, name, property) : status;
}

static napi_value describe_failure(napi_env env, int error) {
  char reason[UFS_REASON_SIZE];
  const char *code = ufs_explain_setup_failure(error, reason, sizeof reason);
  napi_value object = NULL;
  TRY(napi_create_object(env, &object));
  TRY(set_text(env, object, "code", code));
  TRY(set_text(env, object, "reason", reason));
  return object;
}

static napi_value describe_ring(napi_env env, const ufs_environment *environment) {
  const ufs_engine *engine = &environment->engine;
  napi_value object = NULL;
  napi_value operations = NULL;
  TRY(napi_create_object(env, &object));
  TRY(napi_create_object(env, &operations));
  TRY(napi_set_named_property(env, object, "operations", operations));
  TRY(set_number(env, object, "setupFlags", engine->ring.setup_flags));
  TRY(set_number(env, object, "restricted", engine->ring.restricted));
  TRY(set_number(env, object, "sqEntries", engine->ring.uring.sq.ring_entries));
  TRY(set_number(env, object, "cqEntries", engine->ring.uring.cq.ring_entries));
  for (const ufs_call *call = environment->calls; call->operation != NULL; call++) {
    napi_value works = NULL;
    TRY(napi_get_boolean(env, operation_works(engine, call->operation), &works));
    TRY(napi_set_named_property(env, operations, call->operation->name, works));
    if (call->operation->many != NULL) {
      TRY(napi_set_named_property(env, operations, call->operation->many, works));
    }
  }
  return object;
}

static void delete_reference(napi_env env, napi_ref *reference) {
  if (*reference != NULL) (void)napi_delete_reference(env, *reference);
  *reference = NULL;
}

static void forget(ufs_environment *environment) {
  delete_reference(environment->env, &environment->deliver);
  delete_reference(environment->env, &environment->kept);
}

/* start({ ids, entered, results, extras, stats, counters, slab: ArrayBuffers, pending: the table
 * that pins, settings: numbers }, deliver): { code, reason } when there is no ring to be had,
 * else { setupFlags, restricted, sqEntries, cqEntries, operations }. The ArrayBuffers are the
 * ring's from then on: they must be neither detached nor resized. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  void *data = NULL;
  TRY(napi_get_cb_info(env, info, &count, values, NULL, &data));
  ufs_environment *environment = data;
  ufs_engine *engine = &environment->engine;
  napi_valuetype type = napi_undefined;
  if (count == 2) TRY(napi_typeof(env, values[1], &type));
  ufs_shared shared;
  ufs_settings settings;
  napi_value kept = NULL;
  if (type != napi_function || !get_settings(env, values[0], &settings) ||
      !get_shared(env, values[0], settings.blocks, &kept, &shared)) {
    return fail(env, "start() takes the shared memory, with settings, and a function");
  }
  /* Not before: a getter may have called start(), too. */
  if (environment->running) return fail(env, "the ring has been started");
  uv_loop_t *loop = NULL;
  TRY(napi_get_uv_event_loop(env, &loop));
  if (environment->context == NULL) {
    napi_value name = NULL;
    TRY(napi_create_string_utf8(env, "uring-fs", NAPI_AUTO_LENGTH, &name));
    TRY(napi_async_init(env, NULL, name, &environment->context));
  }
  forget(environment); /* what an attempt left behind that failed */
  TRY(napi_create_reference(env, kept, 1, &environment->kept));
  TRY(napi_create_reference(env, values[1], 1, &environment->deliver));
  engine->shared = shared;
  const int result = ufs_engine_open(engine, loop, &settings);
  if (result < 0) return describe_failure(env, result);
  environment->running = true;
  return describe_ring(env, environment);
}

/* ---- the environment's beginning and end ---- */

static void free_environment(ufs_environment *environment) {
  const napi_async_cleanup_hook_handle cleanup = environment->cleanup;
  forget(environment);
  free(environment->calls);
  free(environment->paths);
  free(environment);
  (void)napi_remove_async_cleanup_hook(cleanup); /* lets the environment go */
}

static void on_engine_closed(ufs_engine *engine) {
  free_environment((ufs_environment *)engine);
}

/* JS does not run any more, its heap is still there. */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  ufs_environment *environment = data;
  environment->cleanup = handle;
  if (environment->context != NULL) {
    (void)napi_async_destroy(environment->env, environment->context);
    environment->context = NULL;
  }
  if (environment->running) {
    environment->running = false;
    ufs_engine_close(&environment->engine);
  } else {
    free_environment(environment);
  }
}

static ufs_environment *create_environment(napi_env env) {
  ufs_environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return NULL;
  const unsigned count = ufs_file_operation_count + ufs_whole_file_operation_count;
  environment->calls = calloc(count + 1, sizeof *environment->calls);
  if (environment->calls == NULL) {
    free(environment);
    return NULL;
  }
  ufs_call *call = environment->calls;
  for (unsigned i = 0; i < ufs_file_operation_count; i++) {
    *call++ = (ufs_call){environment, &ufs_file_operations[i]};
  }
  for (unsigned i = 0; i < ufs_whole_file_operation_count; i++) {
    *call++ = (ufs_call){environment, &ufs_whole_file_operations[i]};
  }
  environment->env = env;
  environment->engine.deliver = deliver;
  environment->engine.closed = on_engine_closed;
  if (napi_add_async_cleanup_hook(env, on_cleanup, environment, &environment->cleanup) != napi_ok) {
    free(environment->calls);
    free(environment);
    return NULL;
  }
  return environment;
}

/* The liburing that is linked in. Its headers tell since 2.4, and 2.3 is the oldest that will do.
 */
#ifdef IO_URING_VERSION_MAJOR
#define TEXT_OF(number) #number
#define VERSION(major, minor) TEXT_OF(major) "." TEXT_OF(minor)
#define LIBURING_VERSION VERSION(IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR)
#else
#define LIBURING_VERSION "2.3"
#endif

static napi_status export_function(napi_env env, napi_value exports, const char *name,
                                   napi_callback callback, void *data) {
  napi_value function = NULL;
  const napi_status status =
      napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function);
  return status == napi_ok ? napi_set_named_property(env, exports, name, function) : status;
}

static napi_status export_constants(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    double value;
  } constants[] = {
      {"HANDOVER_SIZE", UFS_HANDOVER_SIZE},
      {"STAT_FIELDS", UFS_STAT_FIELDS},
      {"COUNTERS", UFS_COUNTERS},
      {"SLOTS", UFS_SLOTS},
      {"BLOCK_SIZE", UFS_BLOCK_SIZE},
      {"PATHS_SIZE", PATHS_SIZE},
      {"MORE", UFS_MORE},
      {"AGAIN", UFS_AGAIN},
      {"BROKEN", UFS_BROKEN},
      {"NEXT", UFS_NEXT},
      {"HAS_POSITIONS", HAS_POSITIONS},
      {"IS_UNCACHED", IS_UNCACHED},
      {"IS_WRITABLE", IS_WRITABLE},
      {"ALIGNMENT_UNIT", ALIGNMENT_UNIT},
      {"COUNT_UNCHECKED", UFS_COUNT_UNCHECKED},
      {"COUNT_FREE_TURNS", UFS_COUNT_FREE_TURNS},
      {"UNFINISHED", UFS_UNFINISHED},
      {"LARGE", UFS_LARGE},
      {"STEP_OPEN", UFS_STEP_OPEN},
      {"STEP_TRANSFER", UFS_STEP_TRANSFER},
      {"STEP_SYNC", UFS_STEP_SYNC},
      {"STEP_CLOSE", UFS_STEP_CLOSE},
  };
  napi_status status = napi_ok;
  for (size_t i = 0; i < sizeof constants / sizeof constants[0] && status == napi_ok; i++) {
    status = set_number(env, exports, constants[i].name, constants[i].value);
  }
  return status;
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  ufs_environment *environment = create_environment(env);
  if (environment == NULL) return fail(env, "uring-fs: out of memory");
  TRY(export_function(env, exports, "start", start, environment));
  TRY(export_function(env, exports, "flush", flush, environment));
  TRY(export_function(env, exports, "callLater", call_later, environment));
  TRY(export_function(env, exports, "cancel", cancel, environment));
  TRY(export_function(env, exports, "shield", shield, environment));
  TRY(export_function(env, exports, "take", take, environment));
  TRY(export_function(env, exports, "raise", raise_error, environment));
  TRY(export_function(env, exports, "seek", seek, environment));
  TRY(export_function(env, exports, "look", look, environment));
  TRY(export_function(env, exports, "directAlignment", direct_alignment, environment));
  for (ufs_call *call = environment->calls; call->operation != NULL; call++) {
    TRY(export_function(env, exports, call->operation->name, call_operation, call));
    if (call->operation->many != NULL) {
      TRY(export_function(env, exports, call->operation->many, call_many, call));
    }
  }
  TRY(export_constants(env, exports));
  TRY(set_text(env, exports, "LIBURING", LIBURING_VERSION));
  return exports;
}
