#include "server/dedup.h"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using Seen = Dedup::Seen;

class DedupTest : public testing::Test {
  protected:
    /// A request with one event, accepted if it is new.
    Seen send(const std::string& id, const std::string& payload = "{}") {
        Dedup::Request request(dedup_, now_);
        const Seen seen = request.look(Dedup::key_of(id, payload));
        request.accept();
        return seen;
    }
    /// The same, refused for another reason.
    Seen send_in_vain(const std::string& id) {
        Dedup::Request request(dedup_, now_);
        return request.look(Dedup::key_of(id, "{}"));
    }

    Dedup dedup_{DedupOptions{.window = 10s, .ids_max = 3}};
    TimePoint now_{1000h};
};

TEST_F(DedupTest, tells_an_id_that_was_accepted) {
    EXPECT_EQ(send("1"), Seen::no);
    EXPECT_EQ(send("2"), Seen::no);

    EXPECT_EQ(send("1"), Seen::duplicate);
    EXPECT_EQ(send("1", "{ }"), Seen::conflict);
    EXPECT_EQ(send("2"), Seen::duplicate);
}

TEST_F(DedupTest, counts_the_window_from_the_acceptance) {
    send("1");
    now_ += 9999ms;
    EXPECT_EQ(send("1"), Seen::duplicate);

    now_ += 1ms;

    EXPECT_EQ(send("1", "{ }"), Seen::no);
    EXPECT_EQ(send("1", "{ }"), Seen::duplicate);
    EXPECT_EQ(send("1"), Seen::conflict);
}

TEST_F(DedupTest, forgets_the_oldest_beyond_the_bound) {
    for (const char* const id : {"1", "2", "3", "4"}) EXPECT_EQ(send(id), Seen::no);

    EXPECT_EQ(send("2"), Seen::duplicate);
    EXPECT_EQ(send("3"), Seen::duplicate);
    EXPECT_EQ(send("4"), Seen::duplicate);
    EXPECT_EQ(send("1"), Seen::no);
    EXPECT_EQ(send("2"), Seen::no) << "it was the oldest";
}

TEST_F(DedupTest, forgets_a_request_that_was_not_accepted) {
    send("0");
    EXPECT_EQ(send_in_vain("1"), Seen::no);
    EXPECT_EQ(send_in_vain("0"), Seen::duplicate);

    EXPECT_EQ(send("1", "other"), Seen::no);
    EXPECT_EQ(send("0"), Seen::duplicate);
}

TEST_F(DedupTest, tells_what_a_request_repeats_itself) {
    Dedup::Request request(dedup_, now_);

    EXPECT_EQ(request.look(Dedup::key_of("1", "a")), Seen::no);
    EXPECT_EQ(request.look(Dedup::key_of("1", "a")), Seen::duplicate);
    EXPECT_EQ(request.look(Dedup::key_of("1", "b")), Seen::conflict);
}

TEST_F(DedupTest, takes_a_request_with_more_events_than_it_remembers) {
    {
        Dedup::Request request(dedup_, now_);
        for (int i = 0; i < 100; ++i) {
            EXPECT_EQ(request.look(Dedup::key_of(std::to_string(i), "{}")), Seen::no);
        }
        EXPECT_EQ(request.look(Dedup::key_of("0", "{}")), Seen::duplicate);
        request.accept();
    }

    EXPECT_EQ(send("97"), Seen::duplicate);
    EXPECT_EQ(send("99"), Seen::duplicate);
    EXPECT_EQ(send("96"), Seen::no);
}

}  // namespace
}  // namespace fanfare
