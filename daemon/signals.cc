#include "signals.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace fanfare {
namespace {

// A signal handler can reach nothing but what lives for ever: hence these.
volatile std::sig_atomic_t pipe_end = -1;
volatile std::sig_atomic_t was_asked = 0;
volatile std::sig_atomic_t exit_code = 0;

constexpr char stop_byte = 's';
constexpr char hangup_byte = 'h';

extern "C" void fanfare_handle_signal(int number) {
    const int saved_errno = errno;
    if (number != SIGHUP) {
        if (was_asked != 0) _exit(130);
        was_asked = 1;
    }
    const char byte = number == SIGHUP ? hangup_byte : stop_byte;
    // A full pipe is no loss: what stands in it says the same.
    [[maybe_unused]] const ssize_t written = write(pipe_end, &byte, 1);
    errno = saved_errno;
}

extern "C" void fanfare_end_process(int /*number*/) { _exit(exit_code); }

void install(int number, void (*handler)(int) = fanfare_handle_signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
}

int open_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    }
    pipe_end = ends[1];
    return ends[0];
}

}  // namespace

Signals::Signals(boost::asio::io_context& context, Handlers handlers)
    : pipe_(context, open_pipe()), handlers_(std::move(handlers)) {
    was_asked = 0;
    install(SIGTERM);
    install(SIGINT);
    if (handlers_.on_hangup) install(SIGHUP);
    wait();
}

Signals::~Signals() {
    const int end = pipe_end;
    pipe_end = -1;
    ::close(end);
}

void Signals::close() noexcept {
    boost::system::error_code ignored;
    pipe_.close(ignored);
}

void Signals::wait() {
    pipe_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](boost::system::error_code error) {
                         if (!error) read();
                     });
}

void Signals::read() {
    std::array<char, 64> bytes{};
    const ssize_t size = ::read(pipe_.native_handle(), bytes.data(), bytes.size());
    wait();
    for (ssize_t i = 0; i < size; ++i) {
        const auto& handler = bytes[static_cast<std::size_t>(i)] == stop_byte ? handlers_.on_stop
                                                                              : handlers_.on_hangup;
        if (handler) handler();
    }
}

void end_within(Duration limit, int code) {
    exit_code = code;
    install(SIGALRM, fanfare_end_process);
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(limit).count();
    itimerval timer{};
    timer.it_value.tv_sec = micros / 1'000'000;
    timer.it_value.tv_usec = micros % 1'000'000;
    setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace fanfare
