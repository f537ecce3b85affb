#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/durable_pipeline.h"

namespace fanfare::test {

using namespace std::chrono_literals;
using Stored = Broadcaster::Stored;
using Strings = std::vector<std::string>;

class DurableTest : public testing::Test {
  protected:
    DurableTest() { begin(); }

    /// A new process on the same disk. What the old one has not written is gone.
    void crash() {
        durable_.store.before_commit = [](const Changes&) { throw StoreBroken("crashed"); };
        process_.reset();
        durable_.store.before_commit = nullptr;
        begin();
    }
    void begin() { process_ = std::make_unique<DurablePipeline>(durable_); }

    void store_many(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) process_->store(std::to_string(i));
    }
    static Strings numbers(std::size_t first, std::size_t last) {
        Strings result;
        for (std::size_t i = first; i < last; ++i) result.push_back(std::to_string(i));
        return result;
    }

    Durable durable_;
    Receiver receiver_;
    std::unique_ptr<DurablePipeline> process_;
};

}  // namespace fanfare::test
