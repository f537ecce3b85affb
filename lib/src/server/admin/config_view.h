#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "event/action_groups.h"
#include "server/admin/endpoint_info.h"

namespace fanfare {

/// What the admin listener shows of a configuration.
struct ShownConfig {
    std::vector<EndpointInfo> endpoints;
    std::string text = "{}\n";  ///< JSON, without secrets
    ActionGroups action_groups = built_in_action_groups();
};

/// The configuration that is in effect, which a reload replaces as a whole. Any thread.
class ConfigView {
  public:
    using Shown = std::shared_ptr<const ShownConfig>;

    explicit ConfigView(ShownConfig shown) { set(std::move(shown)); }

    /// Stays as it is, whatever is set later.
    Shown get() const {
        const std::lock_guard lock(mutex_);
        return shown_;
    }

    void set(ShownConfig shown) {
        Shown next = std::make_shared<const ShownConfig>(std::move(shown));
        const std::lock_guard lock(mutex_);
        shown_.swap(next);
    }

  private:
    mutable std::mutex mutex_;
    Shown shown_;
};

}  // namespace fanfare
