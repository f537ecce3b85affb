#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/agenda.h"
#include "sim/receiver.h"
#include "support/fake_network.h"

namespace fanfare::sim {

/// The receivers as they are seen through HTTP, over a network that is not there. Belongs to the
/// daemon, as its connections do.
class Web {
  public:
    /// What outlives it.
    struct World {
        std::vector<Receiver>& receivers;
        Agenda& agenda;
        Random& random;
        Story& story;
        const test::ManualClock& clock;
        /// The payload of the event with that id.
        std::function<std::string(const std::string& id)> payload_of;
    };

    explicit Web(World world);

    test::FakeNetwork& network() noexcept { return network_; }
    static std::string url(unsigned receiver);
    /// Names are not found until set again.
    void set_names(bool are_known);

  private:
    struct Request;

    void connected();
    void serve(const test::FakeWirePtr& wire, Receiver& receiver);
    void check(const Request& request, Receiver& receiver);
    void answer(const test::FakeWirePtr& wire, const Reply& reply);
    void later(const test::FakeWirePtr& wire, Duration delay,
               std::function<void(test::FakeWire&)> work);

    World world_;
    test::FakeNetwork network_;
};

}  // namespace fanfare::sim
