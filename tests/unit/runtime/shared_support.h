#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/shared_pipeline.h"

namespace fanfare::test {

using namespace std::chrono_literals;
using Stored = Broadcaster::Stored;
using Strings = std::vector<std::string>;
using Trouble = FakeSharedLog::Trouble;

inline Strings numbers(std::size_t first, std::size_t last) {
    Strings result;
    for (std::size_t i = first; i < last; ++i) result.push_back(std::to_string(i));
    return result;
}

inline Strings sorted(Strings ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

/// Wants what has this action.
class ActionFilter final : public Filter {
  public:
    explicit ActionFilter(std::string action) : action_(std::move(action)) {}
    bool wants(const Event& event) const noexcept override { return event.action() == action_; }

  private:
    const std::string action_;
};

/// A fleet of one process, or more.
class SharedTest : public testing::Test {
  protected:
    SharedTest() { begin(); }

    SharedPipeline& begin() {
        processes_.push_back(std::make_unique<SharedPipeline>(world_));
        return *processes_.back();
    }
    SharedPipeline& first() { return *processes_.front(); }
    void poll() { world_.poll(); }
    void advance(Duration step) { world_.advance(step); }
    std::uint64_t pending(const std::string& name) { return world_.log.figures(name).pending; }
    FakeSharedLog::Place& place(const std::string& name) { return world_.log.places[name].front(); }

    SharedWorld world_;
    Receiver receiver_;
    Letters letters_;
    std::vector<std::unique_ptr<SharedPipeline>> processes_;
};

}  // namespace fanfare::test
