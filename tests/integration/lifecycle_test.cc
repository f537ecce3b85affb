// Starting and ending, again and again, and while much else is going on.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "support/imposter.h"
#include "support/running_app.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Imposter;
using test::RunningApp;

std::ptrdiff_t entries_of(const char* folder) {
    const std::filesystem::directory_iterator first(folder);
    return std::distance(begin(first), end(first));
}

/// With the queue in memory, and on disk.
class Lifecycle : public testing::TestWithParam<std::string> {
  protected:
    void write(const std::string& second) {
        std::ofstream(file_) << "queue: {storage: " << GetParam()
                             << ", dir: " << directory_.path() / ("queue" + std::to_string(round_))
                             << "}\n"
                             << "reload: {watch: false}\nthreads: 2\nshutdown: {drain: 20s}\n"
                                "ingest: {listen: '127.0.0.1:0'}\nadmin: {listen: '127.0.0.1:0'}\n"
                                "endpoints:\n  - {name: kept, url: '"
                             << receiver_.url() << "', timeout: 10s}\n  - {name: " << second
                             << ", url: '" << receiver_.url() << "', ignore: {actions: [all]}}\n";
    }

    std::unique_ptr<RunningApp> start() {
        Reloader::Start start;
        start.file = file_;
        start.text = *read_config_text(file_);
        start.config = std::get<Config>(load_config(file_));
        return std::make_unique<RunningApp>(std::move(start));
    }

    Imposter receiver_;
    test::TmpDir directory_;
    const std::string file_ = directory_.path() / "fanfare.yaml";
    int round_ = 0;  // each has a queue of its own
};

INSTANTIATE_TEST_SUITE_P(All, Lifecycle, testing::Values("memory", "disk"),
                         [](const auto& storage) { return storage.param; });

// X1 of the lifecycle rules.
TEST_P(Lifecycle, leaves_nothing_behind_however_often) {
    write("other");
    start()->stop();
    const auto descriptors = entries_of("/proc/self/fd");
    const auto threads = entries_of("/proc/self/task");

    for (int i = 0; i < 100; ++i) {
        const std::unique_ptr<RunningApp> app = start();
        ASSERT_EQ(app->post(R"({"action":"all"})"), 202);
        app->stop();
    }

    EXPECT_EQ(receiver_.requests().size(), 100U);
    EXPECT_TRUE(test::eventually([&] { return entries_of("/proc/self/task") <= threads; }));
    EXPECT_TRUE(test::eventually([&] { return entries_of("/proc/self/fd") <= descriptors; }))
        << entries_of("/proc/self/fd") << " descriptors, " << descriptors << " before";
}

// X2, as far as there is what it names.
TEST_P(Lifecycle, ends_in_the_middle_of_ingest_and_reloads_and_loses_nothing) {
    for (round_ = 0; round_ < 5; ++round_) {
        write("other");
        const std::unique_ptr<RunningApp> app = start();
        std::atomic<int> accepted{0};
        const auto post = [&app, &accepted](int first) {
            try {
                while (app->post(R"({"id":")" + std::to_string(++first) + R"(","action":"all"})") ==
                       202) {
                    ++accepted;
                }
            } catch (const std::exception&) {
                // Nobody listens any more.
            }
        };
        const std::size_t before = receiver_.requests().size();
        std::thread one(post, 0);
        std::thread two(post, 1'000'000);
        std::thread reloading([&] {
            for (int i = 0; i < 20; ++i) {
                write("other" + std::to_string(i % 3));
                app->app().reload();
                std::this_thread::yield();
            }
        });
        ASSERT_TRUE(test::eventually([&] { return accepted > 20 * (round_ + 1); }));

        app->stop();
        one.join();
        two.join();
        reloading.join();

        const std::size_t delivered = receiver_.requests().size() - before;
        EXPECT_GE(delivered, static_cast<std::size_t>(accepted.load()));
        EXPECT_LE(delivered, static_cast<std::size_t>(accepted.load()) + 2) << "unanswered ones";
    }
}

}  // namespace
}  // namespace fanfare
