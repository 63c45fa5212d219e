// Native helpers for the lifetime tests: Buffers over malloc'ed memory whose finalizer reports, so
// that a test sees when the last reference to the memory went.

#include <fcntl.h>
#include <malloc.h>
#include <napi.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fuse_server.h"

namespace {

// For the whole process, not per environment: the finalizers of a worker run while it ends, when
// only another thread can still ask for the number.
std::atomic<uint32_t> finalized_count{0};

// What freed memory is overwritten with, so that I/O on it afterwards shows in the bytes. Volatile,
// because a compiler drops plain stores that precede free().
constexpr uint8_t kPoison = 0xdd;

void Release(uint8_t *data, size_t size) {
  volatile uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    bytes[i] = kPoison;
  }
  std::free(data);
  finalized_count.fetch_add(1);
}

// The memory behind one Buffer, and the callback to tell when it goes.
struct External {
  size_t size;
  Napi::FunctionReference on_finalize;
};

void Finalize(Napi::Env env, uint8_t *data, External *external) {
  Release(data, external->size);
  if (!external->on_finalize.IsEmpty()) {
    Napi::HandleScope scope(env);
    external->on_finalize.Call({});
    // A finalizer has no caller that an exception of the callback could reach.
    if (env.IsExceptionPending()) env.GetAndClearPendingException();
  }
  delete external;
}

// externalBuffer(size, onFinalize?) -> Buffer of zeros
Napi::Value ExternalBuffer(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  const int64_t size = info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : 0;
  if (size < 1) {
    Napi::TypeError::New(env, "externalBuffer: size must be a number, 1 or more")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto *data = static_cast<uint8_t *>(std::calloc(size, 1));
  if (data == nullptr) {
    Napi::Error::New(env, "externalBuffer: out of memory").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto *external = new External{static_cast<size_t>(size), {}};
  if (info[1].IsFunction()) {
    external->on_finalize = Napi::Persistent(info[1].As<Napi::Function>());
  }
  return Napi::Buffer<uint8_t>::New(env, data, size, Finalize, external);
}

// poisonAtEnd(view of shared memory): overwrites it when the environment ends, as whoever gets
// freed memory next would; after the hooks of the addons that were loaded later.
void PoisonAtEnd(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto view = info[0].As<Napi::Uint8Array>();
  env.AddCleanupHook(
      [data = view.Data(), size = view.ByteLength()] { std::memset(data, kPoison, size); });
}

// finalized() -> how many finalizers have run so far, in the whole process
Napi::Value Finalized(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), finalized_count.load());
}

// What a fork has of the rings of its parent: the number of their mappings.
int CountRingMappings() {
  static char line[4096];
  int count = 0;
  FILE *maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return -1;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    if (std::strstr(line, "io_uring") != nullptr) count++;
  }
  std::fclose(maps);
  return count;
}

// Submits to every ring whose descriptor is inherited. V8 keeps its memory out of a fork, so this
// and the like is all that a fork of Node can do to a ring: JS does not run in it.
int CountRingsEntered() {
  char path[32];
  char target[32];
  int count = 0;
  for (int fd = 0; fd < 256; fd++) {
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    if (std::strstr(target, "io_uring") == nullptr) continue;
    if (syscall(SYS_io_uring_enter, fd, 8, 0, 0, nullptr, 0) > 0) count++;
  }
  return count;
}

// fork(fd) -> the number of a child that does all this and ends when a byte or the end comes from
// `fd`: its exit code is the number of mappings, and 100 for each ring that it has got at
Napi::Value Fork(const Napi::CallbackInfo &info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const pid_t child = fork();
  if (child == 0) {
    const int got_at = CountRingMappings() + 100 * CountRingsEntered();
    char byte;
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
      continue;
    _exit(got_at);
  }
  return Napi::Number::New(info.Env(), child);
}

// waitFor(child) -> its exit code, or -1 - the signal that killed it
Napi::Value WaitFor(const Napi::CallbackInfo &info) {
  int status = 0;
  while (waitpid(info[0].As<Napi::Number>().Int32Value(), &status, 0) < 0 && errno == EINTR)
    continue;
  const int code = WIFSIGNALED(status) ? -1 - WTERMSIG(status) : WEXITSTATUS(status);
  return Napi::Number::New(info.Env(), code);
}

// register(descriptor of a ring, opcode of io_uring_register(2)) -> what the kernel says to one
// without arguments: 0 or more, or -errno
Napi::Value Register(const Napi::CallbackInfo &info) {
  const int32_t fd = info[0].As<Napi::Number>().Int32Value();
  const int32_t opcode = info[1].As<Napi::Number>().Int32Value();
  const long result = syscall(SYS_io_uring_register, fd, opcode, nullptr, 0);
  return Napi::Number::New(info.Env(), result < 0 ? -errno : static_cast<double>(result));
}

// isBeingWritten(path) -> whether anybody has the file open for writing: a lease to read is refused
// then
Napi::Value IsBeingWritten(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool refused = fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
  const int error = fd < 0 || refused ? 0 : fcntl(fd, F_SETLEASE, F_UNLCK);
  if (fd < 0 || error < 0) {
    Napi::Error::New(info.Env(), std::strerror(errno)).ThrowAsJavaScriptException();
  }
  if (fd >= 0) close(fd);
  return Napi::Boolean::New(info.Env(), refused);
}

// trim(): gives back to the system what is free in the heap, so that what is in use can be seen
void Trim(const Napi::CallbackInfo &) {
  malloc_trim(0);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("externalBuffer", Napi::Function::New(env, ExternalBuffer));
  exports.Set("poisonAtEnd", Napi::Function::New(env, PoisonAtEnd));
  exports.Set("fork", Napi::Function::New(env, Fork));
  exports.Set("waitFor", Napi::Function::New(env, WaitFor));
  exports.Set("register", Napi::Function::New(env, Register));
  exports.Set("isBeingWritten", Napi::Function::New(env, IsBeingWritten));
  exports.Set("trim", Napi::Function::New(env, Trim));
  exports.Set("serveFuse", Napi::Function::New(env, ServeFuse));
  exports.Set("finalized", Napi::Function::New(env, Finalized));
  return exports;
}

} // namespace

NODE_API_MODULE(test_helpers, Init)
