#include "server/ingest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/parsed.h"
#include "support/pipeline.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using test::Fields;
using test::Pipeline;

constexpr std::size_t budget_bytes = 100;

IngestOptions default_options() {
    IngestOptions options;
    options.events_max = 3;
    return options;
}

/// An Ingest over a pipeline, asked without a connection.
class Asked {
  public:
    explicit Asked(const IngestOptions& options = default_options())
        : ingest_(*Ingest::make(
              options, IngestContext{pipeline.broadcaster, budget, pipeline.clock, pipeline.log})) {
    }

    /// As the server does it: refuse() first, the body only if that had nothing against it.
    Response ask(const std::string& method, const std::string& target, const Fields& fields,
                 std::string body) {
        RequestHead head;
        head.method = method;
        head.target = target;
        for (const auto& [name, value] : fields) head.fields.emplace_back(name, value);
        const Peer peer;
        std::optional<Response> refusal = ingest_->refuse(head, peer);
        if (refusal) return std::move(*refusal);
        Request request{head, std::move(body), peer, pipeline.clock.now()};
        return std::get<Response>(ingest_->respond(std::move(request)));
    }
    Response post(std::string body, const Fields& fields = {}) {
        return ask("POST", "/events", fields, std::move(body));
    }

    Pipeline pipeline;
    Budget budget{budget_bytes};

  private:
    std::unique_ptr<Ingest> ingest_;
};

std::string field(const Response& response, const std::string& name) {
    for (const auto& [field, value] : response.headers) {
        if (field == name) return value;
    }
    return "";
}

Outcome take(const Attempt&) { return Outcome::delivered(204); }

TEST(Ingest, numbers_what_it_takes) {
    Asked asked;

    const Response first = asked.post("[{},{}]");
    const Response second = asked.post("{}");

    EXPECT_EQ(first.status, 202);
    EXPECT_EQ(first.body, R"({"accepted":2,"first_seq":1,"last_seq":2})");
    EXPECT_EQ(second.body, R"({"accepted":1,"first_seq":3,"last_seq":3})");
}

TEST(Ingest, takes_an_envelope_without_events) {
    Asked asked;

    const Response response = asked.post(R"({"events":[]})");

    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(response.body, R"({"accepted":0})");
}

TEST(Ingest, writes_events_in_order_to_the_endpoints) {
    Asked asked;
    test::Receiver receiver;
    asked.pipeline.add("a", take, receiver);

    asked.post(R"([{"id":"1"},{"id":"2"},{"id":"3"}])");
    asked.pipeline.poll();

    EXPECT_EQ(receiver.ids, (std::vector<std::string>{"1", "2", "3"}));
    EXPECT_CONSERVED(asked.pipeline.snapshot());
}

// Acceptance 38.
TEST(Ingest, counts_ignored_events_as_ignored_only) {
    Asked asked;
    test::Receiver receiver;
    EndpointOptions options;
    options.filter = std::make_unique<IgnoreFilter>(std::vector<std::string>{},
                                                    std::vector<std::string>{"pull"});
    asked.pipeline.add("a", take, receiver, std::move(options));

    asked.post(R"([{"action":"pull"},{"action":"push","id":"1"}])");
    asked.pipeline.poll();

    const EndpointSnapshot endpoint = asked.pipeline.snapshot_of("a");
    EXPECT_EQ(endpoint.metrics.ignored_events(), 1U);
    EXPECT_EQ(endpoint.metrics.events(), 1U);
    EXPECT_EQ(endpoint.pending_events, 0U);
    EXPECT_EQ(receiver.ids, (std::vector<std::string>{"1"}));
    EXPECT_CONSERVED(asked.pipeline.snapshot());
}

TEST(Ingest, takes_nothing_of_a_request_with_a_bad_event) {
    Asked asked;

    const Response response = asked.post("[{},5]");

    EXPECT_EQ(response.status, 400);
    EXPECT_NE(response.body.find("BODY_INVALID"), std::string::npos);
    EXPECT_NE(response.body.find(R"("index":1)"), std::string::npos);
    EXPECT_EQ(asked.pipeline.snapshot().ingested_events, 0U);
    EXPECT_EQ(asked.budget.bytes_used(), 0U);
    EXPECT_FALSE(response.close);
}

TEST(Ingest, refuses_too_many_events) {
    Asked asked;

    EXPECT_EQ(asked.post("[{},{},{}]").status, 202);
    EXPECT_EQ(asked.post("[{},{},{},{}]").status, 413);
}

TEST(Ingest, refuses_other_media_types_by_the_head) {
    Asked asked;

    EXPECT_EQ(asked.post("{}", {{"Content-Type", "text/plain"}}).status, 415);
}

struct TargetCase {
    const char* target;
    int status;
};
class IngestTarget : public testing::TestWithParam<TargetCase> {};

TEST_P(IngestTarget, is_answered) {
    Asked asked;

    EXPECT_EQ(asked.ask("POST", GetParam().target, {}, "{}").status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Ingest, IngestTarget,
    testing::Values(TargetCase{"/events", 202}, TargetCase{"/events?source=r", 202},
                    TargetCase{"/events?", 202}, TargetCase{"http://host:80/events", 202},
                    TargetCase{"http://host/events?x", 202}, TargetCase{"/events/", 404},
                    TargetCase{"/event", 404}, TargetCase{"/Events", 404}, TargetCase{"/", 404},
                    TargetCase{"*", 404}, TargetCase{"http://host", 404},
                    TargetCase{"http://host?/events", 404}, TargetCase{"events", 404},
                    TargetCase{"/?/events", 404}));

TEST(Ingest, takes_no_other_method) {
    Asked asked;

    for (const char* const method : {"GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post"}) {
        const Response response = asked.ask(method, "/events", {}, "");

        EXPECT_EQ(response.status, 405) << method;
        EXPECT_EQ(field(response, "Allow"), "POST") << method;
        EXPECT_FALSE(response.close) << method;
    }
}

TEST(Ingest, holds_the_bytes_of_events_until_they_are_delivered) {
    Asked asked;
    test::Receiver receiver;
    bool is_up = false;
    const auto answer = [&is_up](const Attempt&) {
        return is_up ? Outcome::delivered(204) : Outcome::refused(503);
    };
    asked.pipeline.add("a", answer, receiver);

    asked.post(R"([{"id":"1"}, {"id":"2"}])");
    EXPECT_EQ(asked.budget.bytes_used(), 20U);

    is_up = true;
    asked.pipeline.advance(std::chrono::seconds(2));
    EXPECT_EQ(asked.budget.bytes_used(), 0U);
}

TEST(Ingest, asks_to_wait_at_the_bound_and_takes_again_below_nine_tenths) {
    Asked asked;
    Reservation held = *asked.budget.try_reserve(95);

    const Response full = asked.post(R"({"id":"123456"})");
    Reservation rest = held.split(90);
    held = Reservation();
    const Response still_full = asked.post("{}");
    { const Reservation freed = rest.split(1); }
    const Response taken = asked.post("{}");

    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(field(full, "Retry-After"), "1");
    EXPECT_NE(full.body.find("QUEUE_FULL"), std::string::npos);
    EXPECT_EQ(still_full.status, 503);
    EXPECT_EQ(taken.status, 202);
    EXPECT_EQ(asked.pipeline.log_count("no room for events"), 1U);
    EXPECT_EQ(asked.pipeline.log_count("events are taken again"), 1U);
}

TEST(Ingest, refuses_for_good_what_could_never_fit) {
    Asked asked;
    const std::string body = R"({"a":")" + std::string(budget_bytes, 'x') + R"("})";

    EXPECT_EQ(asked.post(body).status, 413);
    EXPECT_EQ(asked.post("{}").status, 202);
}

TEST(Ingest, takes_nothing_when_only_a_part_would_fit) {
    Asked asked;
    const Reservation held = *asked.budget.try_reserve(80);

    const Response response = asked.post(R"([{"id":"123"},{"id":"456"}])");

    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(asked.budget.bytes_used(), 80U);
    EXPECT_EQ(asked.pipeline.snapshot().ingested_events, 0U);
}

TEST(Ingest, asks_to_wait_while_shutting_down) {
    Asked asked;
    asked.pipeline.broadcaster.close();

    const Response response = asked.post("{}");

    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(field(response, "Retry-After"), "1");
    EXPECT_NE(response.body.find("SHUTTING_DOWN"), std::string::npos);
    EXPECT_EQ(asked.budget.bytes_used(), 0U);
}

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

TEST(IngestToken, is_asked_for) {
    const test::TmpDir dir;
    write_file(dir.path() / "token", "secret\n");
    IngestOptions options = default_options();
    options.bearer_token_file = dir.path() / "token";
    Asked asked(options);

    const Response without = asked.post("{}");
    const Response wrong = asked.post("{}", {{"Authorization", "Bearer secreT"}});
    const Response right = asked.post("{}", {{"Authorization", "Bearer secret"}});

    EXPECT_EQ(without.status, 401);
    EXPECT_EQ(field(without, "WWW-Authenticate"), "Bearer");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(right.status, 202);
}

TEST(IngestToken, counts_for_nothing_when_there_are_several) {
    const test::TmpDir dir;
    write_file(dir.path() / "token", "secret\n");
    IngestOptions options = default_options();
    options.bearer_token_file = dir.path() / "token";
    Asked asked(options);

    const Response twice =
        asked.post("{}", {{"Authorization", "Bearer secret"}, {"Authorization", "Bearer secret"}});

    EXPECT_EQ(twice.status, 401);
}

TEST(IngestToken, can_be_rotated) {
    const test::TmpDir dir;
    write_file(dir.path() / "token", "old");
    IngestOptions options = default_options();
    options.bearer_token_file = dir.path() / "token";
    Asked asked(options);

    write_file(dir.path() / "token", "new");
    asked.pipeline.advance(std::chrono::seconds(2));

    EXPECT_EQ(asked.post("{}", {{"Authorization", "Bearer old"}}).status, 401);
    EXPECT_EQ(asked.post("{}", {{"Authorization", "Bearer new"}}).status, 202);
}

TEST(IngestToken, must_be_there_at_the_start) {
    Pipeline pipeline;
    Budget budget(1);
    IngestOptions options;
    options.bearer_token_file = "/nonexistent/token";

    const auto made = Ingest::make(
        options, IngestContext{pipeline.broadcaster, budget, pipeline.clock, pipeline.log});

    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message().find("/nonexistent/token"), std::string::npos);
}

}  // namespace
}  // namespace fanfare
