#pragma once

#include <memory>
#include <string>

#include "fanfare/credentials.h"
#include "fanfare/log.h"
#include "fanfare/outcome.h"
#include "fanfare/sink_maker.h"

namespace fanfare {

/// Says who is asking: makes the Authorization of the requests to one endpoint. Shared by the
/// endpoint's sinks, on their shard.
class Authorizer {
  public:
    /// Why there is no authorization; no error: there is one.
    struct Failure {
        Reason reason = Reason::none;
        error_code error;
    };

    virtual ~Authorizer() = default;

    /// The whole header line, to be used at once. Looks at files if it is time to.
    virtual const std::string& line(TimePoint now) = 0;

    /// Whether the authorization comes from somewhere and has to be renewed at times; else the
    /// functions below are of no use.
    virtual bool is_renewable() const noexcept { return false; }

    /// Whether renew() has to come before line().
    virtual bool needs_renewal(TimePoint /*now*/) const { return false; }

    /// Gets a new authorization, or waits for the sink that is already getting one. `context` must
    /// outlive the coroutine.
    virtual awaitable<Failure> renew(const SinkContext& context);

    /// Changes with each authorization.
    virtual unsigned version() const noexcept { return 0; }

    /// Says that the authorization of that version was refused by the endpoint.
    virtual void refused(unsigned /*version*/) {}
};

/// For bearer and basic, whose secrets are in files; null if `options` says none. An Error if a
/// file is of no use. `log` as for SecretFile.
Result<std::shared_ptr<Authorizer>> make_file_authorizer(const AuthOptions& options, Log* log);

}  // namespace fanfare
