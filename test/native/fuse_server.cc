// A FUSE file system of one file, whose server answers all but one question: what the file system
// is like (statfs). Whoever asks that waits until the server ends.

#include "fuse_server.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kFile = FUSE_ROOT_ID + 1;
constexpr size_t kSize = 10000;
constexpr size_t kBuffer = 1 << 20;
constexpr uint64_t kValidSeconds = 1000;

fuse_attr AttributesOf(uint64_t node) {
  fuse_attr attributes = {};
  attributes.ino = node;
  attributes.nlink = 1;
  attributes.mode = node == kFile ? S_IFREG | 0644 : S_IFDIR | 0755;
  attributes.size = node == kFile ? kSize : 0;
  return attributes;
}

void Answer(int device, uint64_t unique, int error, const void *body, size_t size) {
  fuse_out_header header = {};
  header.len = static_cast<uint32_t>(sizeof header + size);
  header.error = error;
  header.unique = unique;
  std::vector<char> message(header.len);
  std::memcpy(message.data(), &header, sizeof header);
  if (size > 0) std::memcpy(message.data() + sizeof header, body, size);
  // Who asked may be gone.
  const ssize_t written = write(device, message.data(), message.size());
  static_cast<void>(written);
}

template <typename Body> void AnswerWith(int device, uint64_t unique, const Body &body) {
  Answer(device, unique, 0, &body, sizeof body);
}

void AnswerRead(int device, uint64_t unique, const fuse_read_in &asked) {
  const std::vector<char> bytes(kSize, 'x');
  const size_t from = std::min<size_t>(asked.offset, kSize);
  const size_t size = std::min<size_t>(asked.size, kSize - from);
  Answer(device, unique, 0, bytes.data() + from, size);
}

void Serve(int device, const fuse_in_header &asked, const void *body) {
  switch (asked.opcode) {
    case FUSE_INIT: {
      fuse_init_out answer = {};
      answer.major = FUSE_KERNEL_VERSION;
      answer.minor = 31;
      answer.max_write = 65536;
      return AnswerWith(device, asked.unique, answer);
    }
    case FUSE_LOOKUP: {
      fuse_entry_out answer = {};
      answer.nodeid = kFile;
      answer.entry_valid = answer.attr_valid = kValidSeconds;
      answer.attr = AttributesOf(kFile);
      return AnswerWith(device, asked.unique, answer);
    }
    case FUSE_GETATTR: {
      fuse_attr_out answer = {};
      answer.attr_valid = kValidSeconds;
      answer.attr = AttributesOf(asked.nodeid);
      return AnswerWith(device, asked.unique, answer);
    }
    case FUSE_OPEN:
      return AnswerWith(device, asked.unique, fuse_open_out{});
    case FUSE_READ:
      return AnswerRead(device, asked.unique, *static_cast<const fuse_read_in *>(body));
    case FUSE_FLUSH:
    case FUSE_RELEASE:
      return Answer(device, asked.unique, 0, nullptr, 0);
    case FUSE_STATFS: // never
    case FUSE_FORGET: // these want none
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;
    default:
      return Answer(device, asked.unique, -ENOSYS, nullptr, 0);
  }
}

} // namespace

// serveFuse(folder, onMounted): mounts it there, calls onMounted, and serves until it is unmounted.
// Throws what mounting fails with.
void ServeFuse(const Napi::CallbackInfo &info) {
  const std::string folder = info[0].As<Napi::String>();
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  const std::string options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
  if (device < 0 || mount("served", folder.c_str(), "fuse", 0, options.c_str()) < 0) {
    Napi::Error::New(info.Env(), std::strerror(errno)).ThrowAsJavaScriptException();
    if (device >= 0) close(device);
    return;
  }
  info[1].As<Napi::Function>().Call({});
  std::vector<char> question(kBuffer);
  for (;;) {
    const ssize_t size = read(device, question.data(), question.size());
    if (size < 0 && (errno == EINTR || errno == ENOENT)) continue;
    if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) break;
    fuse_in_header header;
    std::memcpy(&header, question.data(), sizeof header);
    Serve(device, header, question.data() + sizeof header);
  }
  close(device);
}
