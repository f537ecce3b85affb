#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

struct Resolved {
    error_code error;
    std::vector<net::ip::address> addresses;  ///< not empty if there is no error
};

/// Turns host names into addresses; a seam like Connector. Any thread and executor.
class Resolver {
  public:
    virtual ~Resolver() = default;

    /// IP literals are answered at once. A waiter that is cancelled leaves at once, however slow
    /// the lookup.
    virtual awaitable<Resolved> resolve(std::string host) = 0;
};

/// getaddrinfo on a few threads of its own, started when first needed: Asio's resolver lets one
/// slow name hold up its whole event loop (DESIGN 7, row 6). One lookup serves all who wait for
/// the same name; answers are kept for `ttl`, failures not at all.
class ThreadedResolver final : public Resolver {
  public:
    struct Options {
        /// Made when needed. A name that hangs holds one, so with fewer than there are such names
        /// all other names would wait too.
        unsigned threads_max = 256;
        Duration ttl = std::chrono::seconds(30);
        std::size_t cache_names_max = 4096;  ///< known names and lookups under way together
        /// Looks one name up; runs on the resolver's threads. Empty: getaddrinfo. For tests.
        std::function<Resolved(const std::string& host)> lookup;
    };

    ThreadedResolver(Clock& clock, const Options& options);
    /// Joins its threads: a lookup under way is waited for. Nobody may be waiting any more.
    ~ThreadedResolver() override;

    awaitable<Resolved> resolve(std::string host) override;

  private:
    class Pool;
    class Place;
    std::unique_ptr<Pool> pool_;
};

}  // namespace fanfare
