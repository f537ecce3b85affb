#include "base/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace fanfare {
namespace {

bool is_writable(int descriptor) noexcept {
    pollfd entry{descriptor, POLLOUT, 0};
    // A descriptor that is no good (POLLNVAL) is found out about by the write.
    const int ready_events = POLLOUT | POLLERR | POLLHUP | POLLNVAL;
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & ready_events) != 0;
}

/// As write(), but EAGAIN where that would wait. A pipe that can be written to takes at least
/// PIPE_BUF bytes without waiting (POSIX).
ssize_t write_some(int descriptor, std::string_view text) noexcept {
    const std::size_t part = std::min<std::size_t>(text.size(), PIPE_BUF);
    while (is_writable(descriptor)) {
        const ssize_t written = ::write(descriptor, text.data(), part);
        if (written >= 0 || errno != EINTR) return written;
    }
    errno = EAGAIN;
    return -1;
}

}  // namespace

bool LineWriter::write(std::string_view line) noexcept {
    if (is_line_cut_) {
        if (!put("\n")) return false;
        is_line_cut_ = false;
    }
    return put(line);
}

bool LineWriter::put(std::string_view text) noexcept {
    const std::size_t size = text.size();
    while (!text.empty()) {
        const ssize_t written = write_some(descriptor_, text);
        if (written < 0 && (errno == EPIPE || errno == EBADF)) {
            return true;  // nobody will ever read it: nothing to make up for
        }
        if (written < 0) {
            is_line_cut_ = is_line_cut_ || text.size() < size;
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace fanfare
