#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/error.h"
#include "fanfare/log.h"
#include "http/http_parser.h"

namespace fanfare {

/// The token of a `bearer_token_file`. The file is looked at again at most once a second, and
/// only when somebody asks; while it cannot be read, or is empty, the last token stays good and
/// one warning is logged. Any thread.
class BearerToken {
  public:
    static constexpr std::size_t file_bytes_max = std::size_t{64} * 1024;
    static constexpr Duration recheck_interval = std::chrono::seconds(1);

    /// Reads the file: an Error if that is not possible, it is empty, too long or has more than
    /// one line. `component` names the asker in logs. Clock and log must outlive the token.
    static Result<std::unique_ptr<BearerToken>> load(std::string file, std::string component,
                                                     Clock& clock, Log& log);

    /// Whether the one Authorization field of `head` is `Bearer` and this token. Several count for
    /// nothing, as a proxy may have looked at another one than we would. Takes the same time
    /// whatever the value has in common with the token.
    bool accepts(const RequestHead& head);

  private:
    using Digest = std::array<unsigned char, 32>;

    BearerToken(std::string file, std::string component, Clock& clock, Log& log);
    static Digest digest(std::string_view text);
    Digest current();

    const std::string file_;
    const std::string component_;
    Clock& clock_;
    Log& log_;
    std::mutex mutex_;
    Digest digest_{};
    TimePoint checked_{};
    bool is_unreadable_ = false;
};

}  // namespace fanfare
