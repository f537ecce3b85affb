// Taking a new configuration over while events come in.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>

#include "support/imposter.h"
#include "support/running_app.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Imposter;
using test::RunningApp;

/// An App whose configuration is the file that the test writes; it is read when asked for.
class ReloadTest : public testing::Test {
  protected:
    static std::string text_of(const std::string& endpoints) {
        return "reload: {watch: false}\nthreads: 2\nshutdown: {drain: 5s}\n"
               "ingest: {listen: '127.0.0.1:0'}\nadmin: {listen: '127.0.0.1:0'}\n"
               "endpoints:\n" +
               endpoints;
    }

    static std::string endpoint(const std::string& name, const std::string& url,
                                const std::string& more = {}) {
        return "  - {name: " + name + ", url: '" + url + "', timeout: 10s" + more + "}\n";
    }

    void write(const std::string& endpoints) { std::ofstream(file_) << text_of(endpoints); }

    void start(const std::string& endpoints) {
        write(endpoints);
        Reloader::Start start;
        start.file = file_;
        start.text = *read_config_text(file_);
        start.config = std::get<Config>(load_config(file_));
        app_ = std::make_unique<RunningApp>(std::move(start));
    }

    test::TmpDir directory_;
    const std::string file_ = directory_.path() / "fanfare.yaml";
    std::unique_ptr<RunningApp> app_;
};

/// Posts events with the ids 0, 1, … until it is told to stop.
class Sender {
  public:
    explicit Sender(RunningApp& app) : thread_([this, &app] { run(app); }) {}
    ~Sender() { stop(); }

    void stop() {
        is_stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }

    int sent() const { return sent_; }

  private:
    void run(RunningApp& app) {
        while (!is_stopping_) {
            const std::string id = std::to_string(sent_);
            EXPECT_EQ(app.post(R"({"id":")" + id + R"(","action":"push"})"), 202);
            ++sent_;
        }
    }

    std::atomic<bool> is_stopping_ = false;
    std::atomic<int> sent_ = 0;
    std::thread thread_;
};

/// Of the events as they came, in order.
std::vector<int> ids_at(const Imposter& receiver) {
    std::vector<int> ids;
    for (const test::Recorded& request : receiver.requests()) {
        const std::size_t at = request.body.find("\"id\":\"") + 6;
        ids.push_back(std::stoi(request.body.substr(at)));
    }
    return ids;
}

std::vector<int> numbers_to(int end) {
    std::vector<int> numbers;
    for (int i = 0; i < end; ++i) numbers.push_back(i);
    return numbers;
}

// RL11
TEST_F(ReloadTest, loses_and_repeats_nothing_for_unchanged_endpoints) {
    constexpr int reloads = 200;
    std::vector<std::unique_ptr<Imposter>> steady;
    std::string unchanged;
    for (int i = 0; i < 3; ++i) {
        steady.push_back(std::make_unique<Imposter>());
        unchanged += endpoint("steady" + std::to_string(i), steady.back()->url());
    }
    Imposter other;
    start(unchanged);
    Sender sender(*app_);

    std::map<int, int> answers;
    for (int i = 0; i < reloads; ++i) {
        const std::string in_flight = ", max_in_flight: " + std::to_string(1 + i % 3);
        const std::string name = "other" + std::to_string(i / 4);
        const std::string url = other.url("/" + std::to_string(i));
        if (i % 4 == 3) {
            std::ofstream(file_) << "endpoints: [";
        } else {
            write(unchanged + (i % 4 == 2 ? "" : endpoint(name, url, in_flight)));
        }
        ++answers[app_->reload().status];
    }
    sender.stop();
    const auto count = static_cast<std::size_t>(sender.sent());
    for (const auto& receiver : steady) ASSERT_TRUE(receiver->wait_for_requests(count));
    app_->stop();

    EXPECT_EQ(answers, (std::map<int, int>{{200, reloads * 3 / 4}, {400, reloads / 4}}));
    for (const auto& receiver : steady) EXPECT_EQ(ids_at(*receiver), numbers_to(sender.sent()));
    EXPECT_GT(other.requests().size(), 0U);
}

TEST_F(ReloadTest, gives_each_event_to_a_changing_endpoint_once) {
    Imposter first;
    Imposter second;
    start(endpoint("a", first.url()));
    Sender sender(*app_);

    for (int i = 0; i < 100; ++i) {
        const std::string order = i % 3 == 0 ? ", order_by: /action" : "";
        const std::string in_flight = ", max_in_flight: " + std::to_string(1 + i % 4);
        write(endpoint("a", (i % 2 == 0 ? second : first).url(), in_flight + order));
        EXPECT_EQ(app_->reload().status, 200);
    }
    sender.stop();
    const auto count = static_cast<std::size_t>(sender.sent());
    ASSERT_TRUE(test::eventually(
        [&] { return first.requests().size() + second.requests().size() >= count; }));
    app_->stop();

    std::vector<int> ids = ids_at(first);
    for (const int id : ids_at(second)) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, numbers_to(sender.sent()));
}

TEST_F(ReloadTest, can_be_asked_for_by_many_at_once) {
    Imposter receiver;
    start(endpoint("a", receiver.url()));
    std::vector<std::thread> askers;
    std::atomic<int> answered = 0;
    for (int i = 0; i < 8; ++i) {
        askers.emplace_back([&, i] {
            for (int j = 0; j < 10; ++j) {
                if (i == 0) app_->app().reload();
                if (app_->reload().status == 200) ++answered;
            }
        });
    }
    for (std::thread& asker : askers) asker.join();

    EXPECT_EQ(answered, 80);
    EXPECT_EQ(app_->post("{}"), 202);
    app_->stop();
    EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST_F(ReloadTest, may_come_while_the_daemon_ends) {
    for (int i = 0; i < 10; ++i) {
        Imposter receiver;
        start(endpoint("a", receiver.url()));
        app_->post("{}");
        write(endpoint("b", receiver.url()));
        app_->app().reload();

        app_->stop();

        EXPECT_EQ(receiver.requests().size(), 1U);
        app_.reset();
    }
}

}  // namespace
}  // namespace fanfare
