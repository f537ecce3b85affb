#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/file_stamp.h"
#include "fanfare/clock.h"
#include "fanfare/error.h"
#include "fanfare/log.h"
#include "fanfare/tls.h"
#include "http/tls.h"

namespace fanfare {

/// The TLS context for new connections to one receiver. Its files are looked at again at most
/// once a second, and only when somebody asks. While what is new is of no use, the last good
/// context stays, and one warning is logged. Shard thread.
class ClientTls {
  public:
    static constexpr Duration recheck_interval = std::chrono::seconds(1);

    /// Reads the files: an Error if that is not possible, or they do not hold what they should.
    static Result<std::shared_ptr<ClientTls>> make(const TlsOptions& options);

    /// Who is told when the files have changed.
    struct Listener {
        Log* log = nullptr;  ///< null: nobody
        std::string_view endpoint = {};
    };

    /// For a connection to be made now.
    TlsContextPtr current(TimePoint now, const Listener& listener);

  private:
    /// Of the authorities, the certificate and the key; of a name that is empty, nothing.
    using Stamps = std::array<FileStamp, 3>;

    explicit ClientTls(const TlsOptions& options) : options_(options) {}
    Stamps look() const noexcept;
    void read_again(const Listener& listener);

    const TlsOptions options_;
    TlsContextPtr context_;
    Stamps stamps_;
    TimePoint checked_ = TimePoint::min();
    bool is_broken_ = false;
};

}  // namespace fanfare
