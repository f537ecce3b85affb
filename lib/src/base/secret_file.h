#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/file_stamp.h"
#include "fanfare/clock.h"
#include "fanfare/error.h"
#include "fanfare/log.h"
#include "fanfare/secret.h"

namespace fanfare {

/// The text of a file that holds one secret. The file is looked at again at most once a second, and
/// only when somebody asks, and read if it may have changed; while it cannot be read, or holds
/// nothing of use, the last text stays and one warning is logged. One thread at a time.
class SecretFile {
  public:
    static constexpr std::size_t bytes_max = std::size_t{64} * 1024;
    static constexpr Duration recheck_interval = std::chrono::seconds(1);

    struct Options {
        std::string file;
        std::string what;       ///< for messages: `bearer token file`
        std::string component;  ///< of the log
        /// What is wrong with a text, to stand behind the file's name: `is empty`. It must not
        /// hold the text. Line ends at the end have been taken off.
        std::function<Result<void>(const std::string& text)> check;
    };

    /// Reads the file; an Error if that is not possible or its text is of no use. Null: no log,
    /// else it must outlive the file.
    static Result<SecretFile> load(Options options, Log* log);

    /// Reads the file again if it is time to, unless it is a pipe. Whether there is another text
    /// now. `endpoint`, if not empty, stands in the log line.
    bool refresh(TimePoint now, std::string_view endpoint = {});

    /// refresh() need not look before a second from now.
    void was_read(TimePoint now) noexcept { next_look_ = now + recheck_interval; }

    const Secret& text() const noexcept { return text_; }

  private:
    SecretFile(Options options, Log* log) : options_(std::move(options)), log_(log) {}
    Result<Secret> read() const;
    bool may_have_changed();
    void tell_of_change(std::string_view endpoint) const;
    void warn(const Error& problem, std::string_view endpoint) const;

    Options options_;
    Log* log_;
    Secret text_;
    TimePoint next_look_ = TimePoint::min();
    FileStamp stamp_;
    bool is_settled_ = false;  ///< the text is as old as the stamp, for sure
    bool is_bad_ = false;
};

/// What a SecretFile may hold: one line of visible characters, as in a header.
Result<void> check_token(const std::string& text);

/// What a SecretFile may hold: one line of text.
Result<void> check_one_line(const std::string& text);

}  // namespace fanfare
