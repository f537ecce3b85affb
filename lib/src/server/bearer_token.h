#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/secret_file.h"
#include "fanfare/clock.h"
#include "fanfare/error.h"
#include "fanfare/log.h"
#include "http/http_parser.h"

namespace fanfare {

/// The token of a `bearer_token_file`, which is watched as a SecretFile is. Any thread.
class BearerToken {
  public:
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

    BearerToken(SecretFile file, Clock& clock);
    static Digest digest(std::string_view text);
    Digest current();

    Clock& clock_;
    std::mutex mutex_;
    SecretFile file_;
    Digest digest_{};
};

}  // namespace fanfare
