// `ingest.dedup`: what is sent again is delivered once.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/ingest.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Pipeline;

IngestOptions remembering() {
    IngestOptions options;
    options.dedup.window = 60s;
    return options;
}

class IngestDedup : public testing::Test {
  protected:
    IngestDedup() {
        pipeline_.add(
            "a", [](const Attempt&) { return Outcome::delivered(); }, got_);
    }

    Response post(std::string body, const std::string& key = {}) {
        RequestHead head;
        head.method = "POST";
        head.target = "/events";
        if (!key.empty()) head.fields.emplace_back("Idempotency-Key", key);
        Request request{head, std::move(body), Peer(), pipeline_.clock.now()};
        return std::get<Response>(ingest_->respond(std::move(request)));
    }
    std::vector<std::string> delivered() {
        pipeline_.poll();
        return got_.ids;
    }

    test::Receiver got_;
    Budget budget_{1000};
    Pipeline pipeline_;  // what it holds is given up before what that needs
    std::unique_ptr<Ingest> ingest_ = *Ingest::make(
        remembering(),
        IngestContext{pipeline_.broadcaster, budget_, pipeline_.clock, pipeline_.log});
};

TEST_F(IngestDedup, takes_an_event_again_and_sends_it_once) {
    EXPECT_EQ(post(R"({"id":"1"})").body, R"({"accepted":1,"first_seq":1,"last_seq":1})");

    const Response again = post(R"({"id":"1"})");

    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, R"({"accepted":0,"duplicates":1})");
    EXPECT_EQ(delivered(), (std::vector<std::string>{"1"}));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(IngestDedup, knows_a_cloudevent_by_its_fields_in_any_order_and_with_another_trace) {
    using HeadFields = std::vector<std::pair<std::string, std::string>>;
    const auto send = [this](const HeadFields& fields) {
        RequestHead head;
        head.method = "POST";
        head.target = "/events";
        for (const auto& [name, value] : fields) head.fields.emplace_back(name, value);
        return std::get<Response>(
            ingest_->respond({head, "{\"n\":1}", Peer(), pipeline_.clock.now()}));
    };
    const HeadFields fields = {{"ce-specversion", "1.0"},
                               {"ce-id", "1"},
                               {"ce-source", "/s"},
                               {"ce-type", "t"},
                               {"ce-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad-01"}};
    EXPECT_EQ(send(fields).status, 202);
    HeadFields again(fields.rbegin() + 1, fields.rend());
    again.emplace_back("ce-traceparent", "00-ffffffffffffffffffffffffffffffff-b7ad-01");

    const Response repeated = send(again);
    again.emplace_back("ce-more", "x");

    EXPECT_EQ(repeated.body, R"({"accepted":0,"duplicates":1})");
    EXPECT_EQ(send(again).status, 409);
}

TEST_F(IngestDedup, takes_the_new_ones_among_others) {
    post(R"([{"id":"1"},{"id":"3"}])");

    const Response response = post(R"([{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"},{"id":"4"}])");

    EXPECT_EQ(response.body, R"({"accepted":2,"first_seq":3,"last_seq":4,"duplicates":3})");
    EXPECT_EQ(delivered(), (std::vector<std::string>{"1", "3", "2", "4"}));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(IngestDedup, refuses_an_id_with_another_payload_and_all_beside_it) {
    post(R"({"id":"1"})");

    const Response response = post(R"([{"id":"2"},{"id":"1","more":1},{"id":"3"}])");

    EXPECT_EQ(response.status, 409);
    EXPECT_NE(response.body.find("ID_CONFLICT"), std::string::npos);
    EXPECT_NE(response.body.find(R"("detail":{"index":1})"), std::string::npos) << response.body;
    EXPECT_FALSE(response.close);
    EXPECT_EQ(delivered(), (std::vector<std::string>{"1"}));
    EXPECT_EQ(post(R"({"id":"2","other":1})").status, 202) << "it left no trace";
}

TEST_F(IngestDedup, refuses_a_request_that_contradicts_itself) {
    EXPECT_EQ(post(R"([{"id":"1"},{"id":"1" }])").status, 409);
    EXPECT_EQ(post(R"([{"id":"1"},{"id":"1"}])").body,
              R"({"accepted":1,"first_seq":1,"last_seq":1,"duplicates":1})");
}

TEST_F(IngestDedup, forgets_after_the_window) {
    post(R"({"id":"1"})");
    pipeline_.advance(60s);

    EXPECT_EQ(post(R"({"id":"1"})").body, R"({"accepted":1,"first_seq":2,"last_seq":2})");
}

TEST_F(IngestDedup, remembers_the_id_of_the_request_but_none_of_its_own_making) {
    EXPECT_EQ(post("{}", "key").status, 202);
    EXPECT_EQ(post("{}", "key").body, R"({"accepted":0,"duplicates":1})");

    EXPECT_EQ(post("{}").body, R"({"accepted":1,"first_seq":2,"last_seq":2})");
    EXPECT_EQ(post("[{},{}]").body, R"({"accepted":2,"first_seq":3,"last_seq":4})");
}

TEST_F(IngestDedup, keeps_no_trace_of_what_found_no_room) {
    Reservation held = *budget_.try_reserve(990);
    EXPECT_EQ(post(R"({"id":"1", "long":true})").status, 503);
    held = Reservation();

    EXPECT_EQ(post(R"({"id":"1","short":1})").status, 202);
}

TEST_F(IngestDedup, needs_no_room_for_duplicates) {
    post(R"({"id":"1"})");
    const Reservation held = *budget_.try_reserve(980);

    EXPECT_EQ(post(R"({"id":"1"})").status, 202);
}

TEST_F(IngestDedup, keeps_no_trace_while_shutting_down) {
    pipeline_.broadcaster.close();

    EXPECT_EQ(post(R"({"id":"1"})").status, 503);
    EXPECT_EQ(post(R"({"id":"1"})").status, 503) << "it was never taken";
}

TEST_F(IngestDedup, takes_an_id_once_however_many_requests_race) {
    constexpr int threads = 4;
    constexpr int events = 500;
    std::atomic<int> accepted{0};
    std::atomic<int> duplicates{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> senders;
    for (int t = 0; t < threads; ++t) {
        senders.emplace_back([&] {
            for (int i = 0; i < events; ++i) {
                std::string id = std::to_string(i);
                id.insert(id.begin(), '"');
                const Response response = post("{\"id\":" + id + "\"}");
                if (response.body.starts_with(R"({"accepted":1,)")) ++accepted;
                if (response.body == R"({"accepted":0,"duplicates":1})") ++duplicates;
                if (response.status != 202) ++refused;
            }
        });
    }
    for (std::thread& sender : senders) sender.join();

    // Nobody turns the loop, so at some point there is no room any more.
    EXPECT_EQ(accepted + duplicates + refused, threads * events);
    EXPECT_EQ(delivered().size(), static_cast<std::size_t>(accepted));
    EXPECT_GT(accepted, 0);
    EXPECT_GT(duplicates, 0);
}

TEST(IngestWithoutDedup, takes_everything) {
    Budget budget(1000);
    Pipeline pipeline;
    const auto ingest = *Ingest::make(
        IngestOptions(), IngestContext{pipeline.broadcaster, budget, pipeline.clock, pipeline.log});
    RequestHead head;
    head.method = "POST";
    head.target = "/events";

    for (int i = 1; i <= 2; ++i) {
        Request request{head, R"({"id":"1"})", Peer(), pipeline.clock.now()};
        const Response response = std::get<Response>(ingest->respond(std::move(request)));
        EXPECT_TRUE(response.body.starts_with(R"({"accepted":1,)")) << response.body;
    }
}

}  // namespace
}  // namespace fanfare
