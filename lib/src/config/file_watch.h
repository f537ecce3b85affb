#pragma once

#include <map>
#include <set>
#include <string>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

/// Signs that a file may have changed, by inotify: it was written to its end, replaced or removed,
/// or one of the symbolic links on the way to it was. What is watched are folders, as a file that
/// is replaced is another one. One thread, but for wake().
class FileWatch {
  public:
    explicit FileWatch(std::string file);
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    /// Watches what is on the way to the file now; again, after it may have changed. An Error says
    /// why the system does not let it.
    Result<void> follow();
    /// No more signs.
    void stop() noexcept;

    /// Blocks until there is a sign, wake() is called, or `timeout` is over. Whether there was a
    /// sign.
    bool wait(Duration timeout);

    /// Signs so far do not count any more.
    void forget();

    /// Any thread: a wait() now or the next one ends.
    void wake() noexcept;

  private:
    using Folders = std::map<std::string, std::set<std::string>>;  // with names in them

    Folders on_the_way() const;
    bool read_signs();
    bool is_sign(int folder, const char* name) const;

    const std::string file_;
    const int wake_;
    int inotify_ = -1;
    std::map<int, std::set<std::string>> names_;  // by watch descriptor
};

}  // namespace fanfare
