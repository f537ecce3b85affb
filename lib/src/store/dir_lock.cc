#include "store/dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace fanfare {
namespace {

namespace fs = std::filesystem;

Error last_error(const std::string& what) {
    return Error(what + ": " + std::generic_category().message(errno));
}

Result<void> make_dir(const std::string& dir) {
    std::error_code error;
    const bool is_new = fs::create_directories(dir, error);
    if (!error && is_new) fs::permissions(dir, fs::perms::owner_all, error);
    if (!error && !fs::is_directory(dir, error))
        error = std::make_error_code(std::errc::not_a_directory);
    if (error) return Error("cannot make the folder " + dir + ": " + error.message());
    return {};
}

}  // namespace

Result<DirLock> DirLock::take(const std::string& dir, const std::string& file) {
    const Result<void> made = make_dir(dir);
    if (made.has_error()) return made.error();
    const std::string path = fs::path(dir) / file;
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return last_error("cannot open " + path);
    DirLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) return Error(dir + " is in use by another process");
    return last_error("cannot lock " + path);
}

DirLock::DirLock(DirLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirLock& DirLock::operator=(DirLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

DirLock::~DirLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace fanfare
