#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "fanfare/credentials.h"
#include "fanfare/log.h"

namespace fanfare {

/// Says who is asking: makes the Authorization of the requests to one endpoint. Shared by the
/// endpoint's sinks, on their shard.
class Authorizer {
  public:
    virtual ~Authorizer() = default;

    /// The whole header line, to be used at once. Looks at files if it is time to; `endpoint` is
    /// for the log.
    virtual const std::string& line(TimePoint now, std::string_view endpoint) = 0;
};

/// For bearer and basic, whose secrets are in files; null if `options` says neither. An Error if a
/// file is of no use. `log` as for SecretFile.
Result<std::shared_ptr<Authorizer>> make_file_authorizer(const AuthOptions& options, Log* log);

}  // namespace fanfare
