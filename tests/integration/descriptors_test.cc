#include "descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "server/http_server.h"

namespace fanfare {
namespace {

/// What a configuration with one endpoint becomes.
struct Shared {
    explicit Shared(std::size_t descriptors, unsigned threads = 1) {
        config.threads = threads;
        config.endpoints.emplace_back().max_in_flight = 10;
        share_descriptors(config, descriptors, log);
    }

    std::size_t ingest() const { return config.ingest.listener.connections_max; }
    std::size_t admin() const { return config.admin.listener.connections_max; }
    /// All connections that there can be at once.
    std::size_t connections() const {
        return ingest() + turned_away_max(ingest()) + admin() + turned_away_max(admin());
    }

    Config config;
    std::vector<std::string> lines;
    Log log{LogOptions{}, [this](std::string_view line) { lines.emplace_back(line); }};
};

// Outside of listeners: 24, three for the loop, two that listen, ten deliveries.
constexpr std::size_t descriptors_kept = 39;

TEST(Descriptors, leave_all_as_it_is_configured_when_there_are_enough) {
    const Shared shared(1U << 20U);

    EXPECT_EQ(shared.ingest(), 4096U);
    EXPECT_EQ(shared.admin(), 4096U);
    EXPECT_TRUE(shared.lines.empty());
}

TEST(Descriptors, are_never_more_than_there_are) {
    for (std::size_t descriptors = 80; descriptors < 20'000; descriptors += 37) {
        const Shared shared(descriptors);

        ASSERT_LE(shared.connections() + descriptors_kept, descriptors);
        ASSERT_GE(shared.admin(), 16U);
    }
}

TEST(Descriptors, leave_some_to_the_admin_listener_when_senders_just_fit) {
    const Shared shared(descriptors_kept + 4096 + 64 + 16 + 1);

    EXPECT_EQ(shared.ingest(), 4096U);
    EXPECT_EQ(shared.admin(), 16U);
    EXPECT_TRUE(shared.lines.empty());
}

TEST(Descriptors, become_fewer_for_senders_with_a_warning) {
    const Shared shared(1024);

    EXPECT_LT(shared.ingest(), 1024U - descriptors_kept);
    EXPECT_GT(shared.ingest(), 800U);
    ASSERT_EQ(shared.lines.size(), 1U);
    EXPECT_NE(shared.lines[0].find("fewer connections than configured"), std::string::npos);
}

TEST(Descriptors, are_needed_by_each_event_loop) {
    EXPECT_EQ(Shared(1024, 5).ingest(), Shared(1024 - 4 * 3, 1).ingest());
}

TEST(Descriptors, leave_one_sender_when_there_are_hardly_any) {
    const Shared shared(10);

    EXPECT_EQ(shared.ingest(), 1U);
    EXPECT_EQ(shared.admin(), 16U);
}

TEST(Descriptors, are_as_many_as_the_limit_says_afterwards) {
    rlimit before{};
    rlimit after{};
    ::getrlimit(RLIMIT_NOFILE, &before);

    const std::size_t told = raise_descriptor_limit();
    ::getrlimit(RLIMIT_NOFILE, &after);
    ::setrlimit(RLIMIT_NOFILE, &before);

    EXPECT_EQ(told, after.rlim_cur);
    EXPECT_GE(after.rlim_cur, before.rlim_cur);
}

}  // namespace
}  // namespace fanfare
