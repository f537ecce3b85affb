#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nats/jetstream.h"

namespace fanfare {

/// The places of an endpoint in the form that it does not have: one for each partition, or one for
/// all. They are there if its order was configured otherwise before, or is so at other processes
/// still. What waits there is not to be lost, and they are not to hold up purges for ever.
///
/// Lives on the loop. One look at a time.
class OtherForm : public std::enable_shared_from_this<OtherForm> {
  public:
    /// `names`: of the other form's consumers.
    OtherForm(JetStream api, std::string stream, std::vector<std::string> names)
        : api_(api), stream_(std::move(stream)), names_(std::move(names)) {}

    struct Found {
        bool is_there = false;
        bool is_used = false;         ///< some process pulls from it
        std::uint64_t first_seq = 0;  ///< what comes before was delivered to the endpoint
        std::uint64_t last_seq = 0;   ///< of the stream, before it was looked for
    };
    /// Tells nothing if that cannot be told now.
    using OnFound = std::function<void(std::optional<Found>)>;
    void look(OnFound on_found);

    /// Whatever it holds is somebody else's by now.
    void remove();

  private:
    void look_at_consumers(const JsConsumers& consumers);
    bool has(const std::string& name) const;
    void look_at_next();
    void begin_at(std::uint64_t seq);
    void finish(std::optional<Found> found);

    JetStream api_;
    const std::string stream_;
    const std::vector<std::string> names_;
    OnFound on_found_;
    Found found_;
    std::vector<JsConsumerInfo> left_;
};

}  // namespace fanfare
