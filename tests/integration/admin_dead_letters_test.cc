// Dead letters and the admin listener, from a file to an endpoint's queue.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "store/dead_letters.h"
#include "support/admin_listener.h"

namespace fanfare {
namespace {

using test::get;

/// An admin listener whose daemon keeps dead letters.
class DeadLettersOfADaemon : public test::AdminListener {
  protected:
    DeadLettersOfADaemon() {
        DeadLetterStore::Options options;
        options.dir = directory_.path() / "letters";
        store_ =
            std::move(*DeadLetterStore::open(std::move(options), loops_.clock(), loops_.log()));
        letters_ = store_.get();
        prepare_ = [this](AdminSources& sources) {
            sources.dead_letters = store_.get();
            sources.budget = &budget_;
        };
    }

    ~DeadLettersOfADaemon() override { end(); }

    void put(const std::string& id, const std::string& endpoint = "audit") {
        DeadLetter letter;
        letter.endpoint = endpoint;
        letter.event = test::make_event(id);
        letter.reason = DeadReason::gone;
        letter.given_up_at = loops_.clock().wall();
        store_->put(std::move(letter));
    }

    /// Waits until `count` letters are on disk.
    bool has_kept(std::uint64_t count) {
        return test::eventually([&] { return store_->counts().kept.letters == count; });
    }

    nlohmann::json ask_json(const std::string& method, const std::string& target,
                            int status = 200) {
        const test::RawAnswer answer = ask(get(target, method));
        EXPECT_EQ(answer.status, status) << target << '\n' << answer.body;
        return nlohmann::json::parse(answer.body);
    }

    Budget budget_{1000};
    std::unique_ptr<DeadLetterStore> store_;
};

TEST_F(DeadLettersOfADaemon, are_queued_again) {
    start();
    put("e1");
    put("e2", "removed");
    ASSERT_TRUE(has_kept(2));

    const nlohmann::json result = ask_json("POST", "/v1/dead-letters/replay");

    EXPECT_EQ(result["replayed"], 1);
    EXPECT_EQ(result["not_replayed"], 1);
    EXPECT_TRUE(result["next"].is_null());
    EXPECT_TRUE(test::eventually(
        [&] { return ask_json("GET", "/v1/endpoints/audit")["counters"]["successes"] == 1; }));
    ASSERT_TRUE(has_kept(1));
    EXPECT_EQ(ask_json("GET", "/v1/dead-letters")["dead_letters"][0]["event_id"], "e2");
}

TEST_F(DeadLettersOfADaemon, are_replayed_in_parts) {
    start();
    for (const char* id : {"e1", "e2", "e3"}) put(id);
    ASSERT_TRUE(has_kept(3));

    const nlohmann::json first = ask_json("POST", "/v1/dead-letters/replay?limit=2");
    ASSERT_EQ(first["next"], "2-3");
    ASSERT_TRUE(has_kept(1));
    put("e4");
    ASSERT_TRUE(has_kept(2));
    const nlohmann::json second = ask_json("POST", "/v1/dead-letters/replay?limit=2&next=2-3");

    EXPECT_EQ(first["replayed"], 2);
    EXPECT_EQ(second["replayed"], 1) << "e4 came after the replay had begun";
    EXPECT_TRUE(second["next"].is_null());
}

TEST_F(DeadLettersOfADaemon, wait_while_memory_is_nearly_used_up) {
    start();
    const auto held = budget_.try_reserve(795);
    put("e1");
    ASSERT_TRUE(has_kept(1));

    const nlohmann::json result = ask_json("POST", "/v1/dead-letters/replay");

    EXPECT_EQ(result["replayed"], 0);
    EXPECT_EQ(result["stopped"], "budget");
    EXPECT_EQ(result["next"], "0-1");
}

TEST_F(DeadLettersOfADaemon, are_shown_and_deleted_one_by_one) {
    start();
    put("e1");
    ASSERT_TRUE(has_kept(1));

    const nlohmann::json letter = ask_json("GET", "/v1/dead-letters/1");

    EXPECT_EQ(letter["payload"]["id"], "e1");
    EXPECT_EQ(letter["reason"], "gone");
    EXPECT_EQ(ask_json("DELETE", "/v1/dead-letters/1")["purged"], 1);
    for (const char* id : {"1", "0", "x", "-1", "99999999999999999999", "%31x"}) {
        ask_json("GET", std::string("/v1/dead-letters/") + id, 404);
        ask_json("DELETE", std::string("/v1/dead-letters/") + id, 404);
    }
}

TEST_F(DeadLettersOfADaemon, are_not_looked_for_at_endpoints_that_nobody_knows) {
    start();
    put("e1", "removed");
    ASSERT_TRUE(has_kept(1));

    for (const char* request :
         {"GET /v1/dead-letters", "DELETE /v1/dead-letters", "POST /v1/dead-letters/replay"}) {
        const std::string method(request, std::string_view(request).find(' '));
        const std::string target(std::string(request).substr(method.size() + 1));
        const nlohmann::json refusal = ask_json(method, target + "?endpoint=typo", 404);

        EXPECT_EQ(refusal["errors"][0]["code"], "NAME_UNKNOWN") << request;
        ask_json(method, target + "?endpoint=audit");
    }
    EXPECT_EQ(ask_json("GET", "/v1/dead-letters?endpoint=removed")["dead_letters"].size(), 1U);
    EXPECT_EQ(ask_json("DELETE", "/v1/dead-letters?endpoint=removed")["purged"], 1);
}

TEST_F(DeadLettersOfADaemon, are_not_replayed_by_a_daemon_that_ends) {
    start();
    put("e1");
    ASSERT_TRUE(has_kept(1));
    admin_->set_readiness(Readiness::draining);
    broadcaster_.close();

    const nlohmann::json refusal = ask_json("POST", "/v1/dead-letters/replay", 503);

    EXPECT_EQ(refusal["errors"][0]["code"], "SHUTTING_DOWN");
    EXPECT_EQ(refusal["errors"][0]["detail"]["replayed"], 0);
    EXPECT_EQ(store_->counts().kept.letters, 1U);
}

}  // namespace
}  // namespace fanfare
