#pragma once

#include <cstdint>
#include <string>

namespace fanfare {

/// What changes about a file when somebody writes or replaces it, symbolic links on the way to it
/// included. All zero: there is no such file.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const std::string& file) noexcept;

}  // namespace fanfare
