#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/units.h"

namespace fanfare {
namespace {

constexpr std::size_t first_step = 16 * 1024;

Error last_error() {
    if (errno == EISDIR) return Error("is a directory; expected a file");
    return Error("cannot be read: " + std::generic_category().message(errno));
}

/// Appends what can be read up to `bytes_max` bytes in all.
Result<void> read_all(int descriptor, std::string& text, std::size_t bytes_max) {
    for (std::size_t size = 0; size < bytes_max;) {
        text.resize(std::min(bytes_max, std::max(first_step, 2 * size)));
        const ssize_t got = ::read(descriptor, text.data() + size, text.size() - size);
        if (got < 0 && errno != EINTR) return last_error();
        size += got > 0 ? static_cast<std::size_t>(got) : 0;
        text.resize(size);
        if (got == 0) break;
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const std::string& file, std::size_t bytes_max) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return last_error();
    std::string text;
    const Result<void> result = read_all(descriptor, text, bytes_max + 1);
    ::close(descriptor);
    if (result.has_error()) return result.error();
    if (text.size() > bytes_max) {
        return Error("is too large; expected at most " + format_size(bytes_max));
    }
    // Spelt out, as an Error could be made of a string too.
    return {boost::system::in_place_value, std::move(text)};
}

bool is_read_once(const std::string& file) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
           !std::filesystem::is_directory(status);
}

}  // namespace fanfare
