#include "server/session_host.h"

#include "base/exceptions.h"
#include "server/session.h"

namespace fanfare {

SessionHost::SessionHost(std::string component, Shard& shard, const ListenerOptions& options,
                         RequestHandler& handler)
    : component_(std::move(component)),
      shard_(shard),
      options_(options),
      handler_(handler),
      turns_(shard),
      sessions_(std::make_unique<Sessions>()),
      tasks_(shard.executor(), [this](const std::exception_ptr& exception) {
          shard_.log().error(component_, "a connection failed", {{"error", describe(exception)}});
      }) {}

SessionHost::~SessionHost() = default;

void SessionHost::open(Accepted accepted) {
    const auto session =
        std::make_shared<Session>(*this, std::move(accepted.peer), std::move(accepted.slot));
    sessions_->push_back(*session);
    tasks_.spawn(Session::serve(session, std::move(accepted.socket)));
}

void SessionHost::turn_away(Accepted accepted) {
    const auto session =
        std::make_shared<Session>(*this, std::move(accepted.peer), std::move(accepted.slot));
    sessions_->push_back(*session);
    tasks_.spawn(Session::turn_away(session, std::move(accepted.socket)));
}

void SessionHost::stop() {
    is_stopping_ = true;
    for (Session& session : *sessions_) session.stop();
}

awaitable<void> SessionHost::join() {
    co_await tasks_.join();
    shard_.deadlines().clear_if_idle();
}

void SessionHost::cut() {
    is_stopping_ = true;
    is_cut_ = true;
    tasks_.cancel();
    for (Session& session : *sessions_) session.cut();
}

}  // namespace fanfare
