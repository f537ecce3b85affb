#include "base/file_stamp.h"

#include <sys/stat.h>

namespace fanfare {
namespace {

std::int64_t nanoseconds_of(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const std::string& file) noexcept {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    FileStamp stamp;
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.size = status.st_size;
    stamp.modified_ns = nanoseconds_of(status.st_mtim);
    stamp.changed_ns = nanoseconds_of(status.st_ctim);
    return stamp;
}

}  // namespace fanfare
