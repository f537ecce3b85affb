#include "config/reloader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>

#include "config/reload_route.h"
#include "config_support.h"
#include "support/tmp_dir.h"

namespace fanfare::test {
namespace {

using Names = std::vector<std::string>;
using nlohmann::json;

constexpr const char* first_text =
    "reload: {watch: false}\n"
    "endpoints: [{name: a, url: 'http://a/'}]\n";

/// A reloader that reads its file only when it is asked to.
class ReloaderTest : public testing::Test {
  protected:
    ReloaderTest() { write(first_text); }

    void write(const std::string& text) { std::ofstream(file_) << text; }

    void start() {
        Reloader::Start start{file_, *read_config_text(file_), config_of(first_text)};
        reloader_ = std::make_unique<Reloader>(
            std::move(start), [this](const ConfigChange& change) { return apply(change); }, clock_,
            log_);
        reloader_->start();
    }

    std::future<std::optional<ReloadOutcome>> ask() {
        const auto promise = std::make_shared<std::promise<std::optional<ReloadOutcome>>>();
        reloader_->request([promise](std::optional<ReloadOutcome> outcome) {
            promise->set_value(std::move(outcome));
        });
        return promise->get_future();
    }
    ReloadOutcome reload() { return ask().get().value(); }

    std::vector<ConfigError> apply(const ConfigChange& change) {
        applied_.push_back(change.diff);
        if (fails_) throw std::runtime_error("boom");
        if (problem_.empty()) return {};
        return {endpoint_error(change.source, change.file, 1, problem_)};
    }

    std::uint64_t count(ReloadResult result) {
        return reloader_->counts().results.at(static_cast<std::size_t>(result));
    }

    TmpDir directory_;
    const std::string file_ = directory_.path() / "fanfare.yaml";
    SteadyClock clock_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    std::vector<ConfigDiff> applied_;
    std::string problem_;
    bool fails_ = false;
    std::unique_ptr<Reloader> reloader_;
};

TEST_F(ReloaderTest, does_nothing_about_what_is_in_effect) {
    start();

    const ReloadOutcome outcome = reload();

    EXPECT_EQ(outcome.result, ReloadResult::noop);
    EXPECT_EQ(outcome.diff.unchanged, Names{"a"});
    EXPECT_EQ(outcome.hash, hash_of(first_text));
    EXPECT_TRUE(applied_.empty());
    EXPECT_EQ(count(ReloadResult::noop), 1U);
}

TEST_F(ReloaderTest, carries_out_what_is_new) {
    start();
    const std::string text = std::string("threads: 3\n") + first_text;
    write(text);

    const ReloadOutcome outcome = reload();

    EXPECT_EQ(outcome.result, ReloadResult::ok);
    EXPECT_EQ(outcome.diff.unchanged, Names{"a"});
    EXPECT_EQ(outcome.diff.needs_restart, Names{"threads"});
    EXPECT_EQ(outcome.hash, hash_of(text));
    EXPECT_EQ(reloader_->counts().hash, hash_of(text));
    EXPECT_EQ(reload().diff.needs_restart, Names{"threads"}) << "it still does";
}

TEST_F(ReloaderTest, keeps_what_is_in_effect_when_the_file_is_refused) {
    start();
    for (const char* text : {"", "\n\n", "# nothing\n", "threads: 2\n", "endpoints: [\n",
                             "endpoints: [{name: a, url: 'http://a/'}, {name: a, url: x}]\n"}) {
        write(text);

        const ReloadOutcome outcome = reload();

        EXPECT_EQ(outcome.result, ReloadResult::rejected) << text;
        EXPECT_FALSE(outcome.errors.empty()) << text;
        EXPECT_EQ(outcome.hash, hash_of(first_text)) << text;
        EXPECT_FALSE(reloader_->counts().is_last_good) << text;
    }
    EXPECT_TRUE(applied_.empty());

    write(first_text);
    EXPECT_EQ(reload().result, ReloadResult::noop);
    EXPECT_TRUE(reloader_->counts().is_last_good);
}

TEST_F(ReloaderTest, says_where_the_endpoint_stands_that_cannot_be_made) {
    start();
    write("endpoints:\n  - {name: a, url: 'http://a/'}\n  - {name: b, url: 'http://b/'}\n");
    problem_ = "no such file";

    const ReloadOutcome outcome = reload();

    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].text(), file_ + ":3:5: error: endpoints[1]: no such file");
    EXPECT_EQ(reload().result, ReloadResult::rejected) << "it is tried again when asked for";
}

TEST_F(ReloaderTest, survives_whatever_is_thrown) {
    start();
    fails_ = true;
    write("endpoints: []\n");

    const ReloadOutcome outcome = reload();

    ASSERT_EQ(outcome.result, ReloadResult::rejected);
    EXPECT_NE(outcome.errors[0].message.find("boom"), std::string::npos);
}

TEST_F(ReloaderTest, says_that_the_file_is_missing) {
    start();
    std::filesystem::remove(file_);

    const ReloadOutcome outcome = reload();

    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_NE(outcome.errors[0].text().find(file_ + ": error: cannot be read"), std::string::npos);
}

TEST_F(ReloaderTest, carries_out_what_is_in_effect_if_somebody_insists) {
    start();

    reloader_->insist();

    // What is asked for later is done later, or together with it.
    reload();
    EXPECT_EQ(applied_.size(), 1U);
    EXPECT_EQ(count(ReloadResult::ok), 1U);
}

TEST_F(ReloaderTest, tells_those_who_ask_when_it_ends) {
    start();

    reloader_->stop();

    EXPECT_FALSE(ask().get().has_value());
}

TEST_F(ReloaderTest, does_not_wait_for_a_pipe) {
    start();
    std::filesystem::remove(file_);
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);

    EXPECT_EQ(reload().result, ReloadResult::rejected);
}

TEST(ReloadResponse, tells_what_has_changed) {
    ReloadOutcome outcome;
    outcome.result = ReloadResult::ok;
    outcome.diff = {{"a"}, {"b"}, {"c"}, {"d", "e"}, {"history.capacity"}, {"threads"}};
    outcome.hash = "sha256:0";

    const Response response = reload_response(outcome);

    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(json::parse(response.body), json::parse(R"({"result": "ok", "added": ["a"],
        "changed": ["b"], "removed": ["c"], "unchanged": ["d", "e"],
        "settings": ["history.capacity"], "needs_restart": ["threads"],
        "hash": "sha256:0"})"));
}

TEST(ReloadResponse, tells_each_problem_with_its_place) {
    ReloadOutcome outcome;
    outcome.result = ReloadResult::rejected;
    outcome.errors = {{"f.yaml", 3, 5, "threads", "is bad"}, {"f.yaml", 0, 0, {}, "is gone"}};

    const Response response = reload_response(outcome);

    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(json::parse(response.body), json::parse(R"({"errors": [
        {"code": "CONFIG_INVALID", "message": "f.yaml:3:5: error: threads: is bad",
         "detail": {"file": "f.yaml", "line": 3, "column": 5, "key": "threads"}},
        {"code": "CONFIG_INVALID", "message": "f.yaml: error: is gone",
         "detail": {"file": "f.yaml", "line": null, "column": null, "key": null}}]})"));
}

}  // namespace
}  // namespace fanfare::test
