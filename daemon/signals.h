#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "fanfare/clock.h"

namespace fanfare {

/// SIGTERM and SIGINT ask once, politely; the second one ends the process with 130 from inside the
/// signal handler, so that it works even if every event loop is stuck. SIGHUP only calls back.
/// One object per process at a time.
class Signals {
  public:
    struct Handlers {
        std::function<void()> on_stop;
        std::function<void()> on_hangup;  ///< empty: SIGHUP is left alone
    };

    /// Handlers run on `context`, which must outlive this object.
    Signals(boost::asio::io_context& context, Handlers handlers);
    /// The second signal still ends the process afterwards: there is something left to end.
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// Waits for no more signals, so that the context can run out of work. On its thread.
    void close() noexcept;

  private:
    void wait();
    void read();

    boost::asio::posix::stream_descriptor pipe_;
    Handlers handlers_;
};

/// Ends the process with this exit code once `limit` is over, however stuck its threads are.
void end_within(Duration limit, int code);

}  // namespace fanfare
