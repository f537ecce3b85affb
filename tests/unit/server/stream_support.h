#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/wakeup.h"
#include "server/admin/composer.h"
#include "server/admin/config_view.h"
#include "server/admin/route.h"
#include "server/events/event_routes.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare::test {

/// The connection of a streamed answer: notes what is written, and does with it what the test says.
class FakeReader final : public ResponseStream {
  public:
    explicit FakeReader(const Executor& executor) : wakeup_(executor), changed_(executor) {}

    bool is_held = false;            ///< writes that begin do not end
    bool is_broken = false;          ///< writes fail
    bool is_throwing = false;        ///< writes throw
    bool is_stopping_now = false;    ///< what is_stopping() says
    std::size_t begun = 0;           ///< writes, ended or not
    bool is_cut = false;             ///< cut() was called
    std::vector<std::string> texts;  ///< of writes that have ended well

    /// Lets the write that is held go on, and those to come.
    void release() {
        is_held = false;
        changed_.notify();
    }
    /// Lets the write that is held go on; the next one is held again.
    void let_one_through() {
        ++let_through_;
        changed_.notify();
    }
    /// The client goes: a write under way fails.
    void leave() {
        has_gone_ = true;
        changed_.notify();
        wakeup_.notify();
    }
    /// The server stops, and says so.
    void stop_server() {
        is_stopping_now = true;
        wakeup_.notify();
    }

    awaitable<bool> write(std::string_view text) override;
    void cut() noexcept override {
        is_cut = true;
        changed_.notify();
    }
    Wakeup& wakeup() noexcept override { return wakeup_; }
    bool has_client_gone() const noexcept override { return has_gone_; }
    bool is_stopping() const noexcept override { return is_stopping_now; }

  private:
    bool is_waiting() const { return is_held && let_through_ == 0 && !is_cut && !has_gone_; }

    std::size_t let_through_ = 0;
    bool has_gone_ = false;
    Wakeup wakeup_;
    Wakeup changed_;
};

/// A clock on which time passes whenever somebody looks, as on a machine that has other things to
/// do.
class HurriedClock final : public Clock {
  public:
    explicit HurriedClock(ManualClock& clock) : clock_(clock) {}

    Duration per_look{};

    TimePoint now() const noexcept override {
        passed_ += per_look;
        return clock_.now() + passed_;
    }
    WallTime wall() const noexcept override { return clock_.wall(); }
    std::unique_ptr<Alarm> make_alarm(const Executor& executor) override {
        return std::make_unique<LateAlarm>(*this, executor);
    }

  private:
    class LateAlarm final : public Alarm {
      public:
        LateAlarm(HurriedClock& clock, const Executor& executor)
            : clock_(clock), alarm_(clock.clock_.make_alarm(executor)) {}
        void set(TimePoint at, std::function<void()> callback) override {
            alarm_->set(at - clock_.passed_, std::move(callback));
        }
        void clear() noexcept override { alarm_->clear(); }

      private:
        HurriedClock& clock_;
        std::unique_ptr<Alarm> alarm_;
    };

    ManualClock& clock_;
    mutable Duration passed_{};
};

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// What is asked, and by whom.
struct Asked {
    std::string target;
    HeaderFields fields = {};
    std::string method = "GET";
    Peer peer = {.is_local = true, .is_unix = false, .text = "127.0.0.1:4711"};
    std::function<bool()> is_awaited = {};
};

class StreamBench;

/// A stream that was opened, and its reader, who goes when this is destroyed.
class OpenStream {
  public:
    OpenStream(StreamBench& bench, Response response);
    ~OpenStream();

    /// The answer's head has gone out: its body begins.
    void begin();
    bool is_ended() const { return running_ && running_->is_done(); }
    void rethrow() { running_->get(); }

    /// The NDJSON frames that were written since the last call, in short:
    /// `hello 1 2 gap:3-5 ping close:kicked`. What is no known frame fails the test.
    std::string take();
    /// All that was written since the last call, as it is.
    std::string take_text();

    FakeReader reader;
    Response response;

  private:
    StreamBench& bench_;
    std::size_t taken_ = 0;
    std::optional<Running<void>> running_;
};

/// A request under way, and all that must live meanwhile. If it is still when this is destroyed,
/// the daemon ends.
class Answering {
  public:
    Answering(StreamBench& bench, Asked asked);
    ~Answering();
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;

    bool is_done() const { return running_->is_done(); }
    Response get() { return running_->get(); }

  private:
    StreamBench& bench_;
    const Asked asked_;
    RequestHead head_;
    std::optional<Running<Response>> running_;
};

/// The routes of history and streams on a loop that the test turns.
class StreamBench : public testing::Test {
  protected:
    static constexpr const char* instance = "4745779b-c3e2-4e6d-8811-efc0da8568a2";

    StreamBench();
    ~StreamBench() override;

    void use(const StreamsOptions& options);
    void keep(std::size_t capacity);

    /// Events come in.
    void add(std::size_t count, std::string_view action = "push", std::string_view payload = "{}");

    void poll() { ManualClock::poll(context); }
    void advance(Duration step) { clock.advance(step, context); }

    /// Asks, and waits for the answer.
    Response ask(Asked asked);
    /// Opens a stream with these parameters and lets it begin.
    std::unique_ptr<OpenStream> open(const std::string& parameters = "");
    /// A stream that was answered, but whose body has not begun.
    std::unique_ptr<OpenStream> open_without_beginning(Asked asked);
    /// DELETE /v1/streams/{id}; the status.
    int kick(const std::string& id);

    std::size_t open_streams() const { return hub.streams().size(); }
    std::uint64_t closed(StreamEnd end) { return hub.counts().closed[std::size_t(end)]; }
    std::uint64_t gaps(GapReason reason) { return hub.counts().gaps[std::size_t(reason)]; }
    std::uint64_t rejected(StreamRefusal why) { return hub.counts().rejected[std::size_t(why)]; }
    /// The log's lines with this in them.
    std::vector<std::string> logged(std::string_view part) const;

    /// Turns the loop until `is_so`; what happens on other threads may take a moment.
    void wait_until_so(const std::function<bool()>& is_so);

    net::io_context context{1};
    ManualClock clock;
    HurriedClock hurried{clock};
    std::vector<std::string> lines_;
    Log log_;
    Shard shard{context, hurried, log_};
    History history{clock, {}};
    StreamHub hub{shard, history, {}, instance};
    Broadcaster broadcaster_{{&shard}};
    ConfigView view_{{}};
    Composer composer_;
    EventRoutes event_routes_{hub, broadcaster_, view_, composer_};
    AdminRoutes routes_;
    std::uint64_t next_ = 1;

    friend class OpenStream;
    friend class Answering;
};

}  // namespace fanfare::test
