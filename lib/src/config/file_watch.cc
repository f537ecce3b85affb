#include "config/file_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr unsigned links_max = 40;  // as the kernel follows
constexpr std::uint32_t watched_changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVED_FROM |
                                          IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// The link that Kubernetes swaps to change all files of a ConfigMap at once.
constexpr const char* config_map_link = "..data";

Error error_of(const char* what) {
    return Error(std::string(what) + ": " + std::generic_category().message(errno));
}

int open_wake() {
    const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
    }
    return descriptor;
}

/// Rounded up, so that nobody wakes a moment too early, over and over.
int poll_timeout_ms(Duration timeout) {
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    return static_cast<int>(std::clamp<std::int64_t>(count, 0, INT_MAX));
}

}  // namespace

FileWatch::FileWatch(std::string file)
    : file_(fs::absolute(std::move(file)).string()), wake_(open_wake()) {}

FileWatch::~FileWatch() {
    stop();
    ::close(wake_);
}

void FileWatch::stop() noexcept {
    if (inotify_ >= 0) ::close(inotify_);
    inotify_ = -1;
    names_.clear();
}

FileWatch::Folders FileWatch::on_the_way() const {
    Folders folders;
    fs::path path = file_;
    for (unsigned links = 0; links < links_max; ++links) {
        const fs::path folder = path.parent_path();
        folders[folder.string()].insert({path.filename().string(), config_map_link});
        std::error_code error;
        const fs::path target = fs::read_symlink(path, error);
        if (error) break;  // no link: the file itself, or nothing
        path = target.is_absolute() ? target : folder / target;
    }
    return folders;
}

Result<void> FileWatch::follow() {
    if (inotify_ < 0) inotify_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (inotify_ < 0) return error_of("inotify");
    std::map<int, std::set<std::string>> names;
    for (const auto& [folder, files] : on_the_way()) {
        const int watch = ::inotify_add_watch(inotify_, folder.c_str(), watched_changes);
        if (watch >= 0) {
            names[watch].insert(files.begin(), files.end());
        } else if (errno != ENOENT && errno != ENOTDIR) {
            const Error error = error_of(folder.c_str());
            stop();
            return error;
        }
    }
    for (const auto& entry : names_) {
        if (!names.contains(entry.first)) ::inotify_rm_watch(inotify_, entry.first);
    }
    names_ = std::move(names);
    return {};
}

bool FileWatch::wait(Duration timeout) {
    std::array<pollfd, 2> descriptors{pollfd{wake_, POLLIN, 0}, pollfd{inotify_, POLLIN, 0}};
    const int ready = ::poll(descriptors.data(), descriptors.size(), poll_timeout_ms(timeout));
    if (ready <= 0) return false;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof count);
    return descriptors[1].revents != 0 && read_signs();
}

void FileWatch::forget() { read_signs(); }

bool FileWatch::read_signs() {
    bool has_changed = false;
    alignas(inotify_event) std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t size = ::read(inotify_, buffer.data(), buffer.size());
        if (size <= 0) return has_changed;
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* const name = event.len > 0 ? buffer.data() + at + sizeof event : "";
            const bool is_about_all =
                (event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
            has_changed = has_changed || is_about_all || is_sign(event.wd, name);
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
}

bool FileWatch::is_sign(int folder, const char* name) const {
    const auto found = names_.find(folder);
    return found != names_.end() && found->second.contains(name);
}

void FileWatch::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

}  // namespace fanfare
