#include "store/ballast.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace fanfare {

bool Ballast::take() noexcept {
    if (is_there_) return true;
    const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return false;
    struct statvfs disk {};
    const bool is_known = ::fstatvfs(descriptor, &disk) == 0;
    const off_t old_bytes = ::lseek(descriptor, 0, SEEK_END);
    const std::uint64_t had = old_bytes > 0 ? static_cast<std::uint64_t>(old_bytes) : 0;
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize + had;
    // One that an earlier process left is as good as a new one.
    is_there_ = had == bytes;
    if (!is_there_ && is_known && free >= 2 * bytes) {
        is_there_ = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)) == 0;
        if (!is_there_) static_cast<void>(::ftruncate(descriptor, 0) == 0);
    }
    ::close(descriptor);
    return is_there_;
}

bool Ballast::release() noexcept {
    if (!is_there_) return false;
    is_there_ = false;
    return ::truncate(file_.c_str(), 0) == 0;
}

}  // namespace fanfare
