#include "commands/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace fanfare::command {
namespace {

// A signal handler can reach nothing but what lives for ever: hence these.
volatile std::sig_atomic_t pipe_end = -1;
volatile std::sig_atomic_t was_asked = 0;
std::string_view last_words;

extern "C" void fanfare_interrupt(int /*number*/) {
    const int saved_errno = errno;
    [[maybe_unused]] ssize_t written = 0;
    if (was_asked != 0) {
        written = write(STDOUT_FILENO, last_words.data(), last_words.size());
        _exit(130);
    }
    was_asked = 1;
    written = write(pipe_end, "i", 1);
    errno = saved_errno;
}

/// Without SA_RESTART: a write to a reader who does not read must end, too.
void handle(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

[[noreturn]] void throw_last_error(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int open_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw_last_error("cannot make a pipe");
    pipe_end = ends[1];
    return ends[0];
}

/// One descriptor that is readable once `pipe` is, or once stdout is broken.
int watch(int pipe) {
    const int watched = epoll_create1(EPOLL_CLOEXEC);
    if (watched < 0) throw_last_error("cannot wait for signals");
    epoll_event signal{};
    signal.events = EPOLLIN;
    epoll_ctl(watched, EPOLL_CTL_ADD, pipe, &signal);
    // That it is broken is told unasked. A file cannot be watched, and does not break either.
    epoll_event output{};
    epoll_ctl(watched, EPOLL_CTL_ADD, STDOUT_FILENO, &output);
    return watched;
}

}  // namespace

Interrupt::Interrupt(std::string_view farewell) : pipe_(open_pipe()), watched_(watch(pipe_)) {
    was_asked = 0;
    last_words = farewell;
    handle(fanfare_interrupt);
}

Interrupt::~Interrupt() {
    handle(SIG_DFL);
    close(watched_);
    close(pipe_);
    close(pipe_end);
    pipe_end = -1;
}

bool Interrupt::is_raised() const { return wait(Duration::zero()); }

bool Interrupt::wait(Duration limit) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const auto wait_ms = std::clamp<std::int64_t>(left.count(), 0, 86'400'000);
        pollfd event{.fd = watched_, .events = POLLIN, .revents = 0};
        const int ready = poll(&event, 1, static_cast<int>(wait_ms));
        if (ready > 0) return true;
        if (ready == 0) return false;
    }
}

}  // namespace fanfare::command
