// Where places in a log on a real NATS server begin, before anything was acknowledged there.
#include <set>

#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::entry;
using test::id_of;
using test::NatsProcess;
using test::Received;
using test::soon;
using test::stored;

class NatsPlaceTest : public test::WithNatsServer {
  protected:
    static NatsLogOptions unrecorded() {
        NatsLogOptions options = test::quick_log();
        options.history_records = 0;
        options.partition = [](const Event& event) {
            return static_cast<unsigned>(event.id().back() - '0');
        };
        return options;
    }

    static ConsumerOptions ordered(const std::string& endpoint) {
        return {.endpoint = endpoint, .in_flight_max = 1, .is_partitioned = true};
    }

    static LogEntry old(const std::string& id) {
        LogEntry made = entry(id);
        made.accepted_at -= 1h;
        return made;
    }

    /// As somebody else might.
    static void remove(NatsProcess& process, const std::string& consumer) {
        std::promise<bool> done;
        JetStream(process.connection)
            .delete_consumer("fanfare", consumer, [&done](const JsResult<bool>& is_done) {
                done.set_value(is_done.has_value());
            });
        EXPECT_TRUE(done.get_future().get());
    }

    /// Whether it is known of all its parts where they begin.
    static bool is_there(const SharedConsumer& place) {
        return soon([&] { return place.figures().is_known; });
    }
};

TEST_F(NatsPlaceTest, holds_up_no_purge_of_what_was_there_before_it) {
    NatsProcess process(server_.url(), unrecorded());
    Received plain;
    const auto first = process.place("plain", plain, 10);
    first->allow(100);
    for (int i = 0; i < 3; ++i) stored(process.events, entry("old-" + std::to_string(i) + "-5"));
    Received later;
    const auto second = process.place(ordered("later"), later);
    second->allow(32);
    ASSERT_TRUE(is_there(*second));
    stored(process.events, entry("new-3"));

    for (std::size_t i = 0; i < 4; ++i) first->done(plain.at(i).token);
    EXPECT_EQ(id_of(later.at(0)), "new-3");
    second->done(later.at(0).token);

    // Nothing ever comes to its partition 5.
    EXPECT_TRUE(soon([&] {
        const SharedLogFigures figures = process.events.figures();
        return figures.last_seq == 4 && figures.events == 0;
    }));
}

TEST_F(NatsPlaceTest, tells_the_oldest_of_its_own) {
    NatsProcess process(server_.url(), unrecorded());
    Received plain;
    const auto first = process.place("plain", plain, 10);
    stored(process.events, old("old-0"));
    Received later;
    const auto second = process.place("later", later, 10);
    ASSERT_TRUE(is_there(*second));

    stored(process.events, entry("new-0"));

    ASSERT_TRUE(soon([&] { return second->figures().pending == 1; }));
    EXPECT_TRUE(
        soon([&] { return second->figures().oldest_accepted_at == entry("new-0").accepted_at; }));
    EXPECT_TRUE(
        soon([&] { return first->figures().oldest_accepted_at == old("old-0").accepted_at; }));
}

TEST_F(NatsPlaceTest, is_made_again_where_it_began) {
    NatsProcess process(server_.url(), unrecorded());
    Received plain;
    const auto keeps = process.place("plain", plain, 10);
    stored(process.events, old("old-0"));
    Received received;
    const auto place = process.place("later", received, 10);
    ASSERT_TRUE(is_there(*place));
    stored(process.events, entry("new-0"));

    remove(process, "later");
    place->allow(10);

    EXPECT_EQ(id_of(received.at(0)), "new-0");
}

TEST_F(NatsPlaceTest, is_made_again_behind_what_was_purged) {
    NatsProcess process(server_.url(), unrecorded());
    Received plain;
    const auto keeps = process.place("plain", plain, 10);
    Received received;
    const auto place = process.place("one", received, 10);
    ASSERT_TRUE(is_there(*place));
    for (int i = 0; i < 3; ++i) stored(process.events, entry("old-" + std::to_string(i)));

    std::promise<std::int64_t> purged;
    place->purge([&](std::int64_t count) { purged.set_value(count); });
    EXPECT_EQ(purged.get_future().get(), 3);
    remove(process, "one");
    stored(process.events, entry("new-0"));
    place->allow(10);

    EXPECT_EQ(id_of(received.at(0)), "new-0");
}

TEST_F(NatsPlaceTest, of_another_order_begins_where_the_first_one_did) {
    NatsProcess before(server_.url(), unrecorded());
    Received plain;
    const auto keeps = before.place("plain", plain, 10);
    for (int i = 0; i < 3; ++i) stored(before.events, entry("old-" + std::to_string(i)));
    {
        Received received;
        const auto place = before.place(ordered("later"), received);
        place->allow(32);
        ASSERT_TRUE(is_there(*place));
        stored(before.events, entry("done-1"));
        place->done(received.at(0).token);
        stored(before.events, entry("waits-1"));
        received.at(1);
    }
    NatsProcess after(server_.url(), unrecorded());
    Received received;
    const auto place = after.place("later", received, 10);
    place->allow(32);

    EXPECT_EQ(id_of(received.at(0)), "waits-1");
}

}  // namespace
}  // namespace fanfare
