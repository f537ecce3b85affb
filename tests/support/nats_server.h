#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/tmp_dir.h"

extern char** environ;

namespace fanfare::test {

/// Whether `holds` comes true in time; looks every few milliseconds.
inline bool soon(const std::function<bool()>& holds,
                 std::chrono::milliseconds limit = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

/// A nats-server with JetStream on the loopback, with a store of its own, which it finds again when
/// it is started anew. Ended with this object.
class NatsServer {
  public:
    static std::string program() {
        for (const char* file :
             {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"}) {
            if (::access(file, X_OK) == 0) return file;
        }
        return {};
    }

    NatsServer() : port_(free_port()) {}
    ~NatsServer() { kill(); }
    NatsServer(const NatsServer&) = delete;
    NatsServer& operator=(const NatsServer&) = delete;

    /// Returns once it takes connections.
    void start(const std::vector<std::string>& more = {}) {
        const std::string port = std::to_string(port_);
        std::vector<std::string> words = {program(), "-js", "-a",  "127.0.0.1",
                                          "-p",      port,  "-sd", dir_.path() / "store"};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<char*> args;
        for (std::string& word : words) args.push_back(word.data());
        args.push_back(nullptr);
        const std::string log = dir_.path() / "log";
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                           0600);
        ::posix_spawn_file_actions_adddup2(&files, 1, 2);
        const int problem = ::posix_spawn(&pid_, args[0], &files, nullptr, args.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (problem != 0) throw std::runtime_error("cannot start nats-server");
        if (!soon([this] { return is_listening(); })) throw std::runtime_error("no nats-server");
    }

    /// As a power failure would, but that the system keeps what was written.
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    /// It neither reads nor writes, but its connections stay. Returns once all its threads stand
    /// still: until one of them has taken the signal, the others go on.
    void freeze() const {
        ::kill(pid_, SIGSTOP);
        ::waitpid(pid_, nullptr, WUNTRACED);
    }
    void thaw() const { ::kill(pid_, SIGCONT); }

    std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
    std::filesystem::path dir() const { return dir_.path(); }

  private:
    static sockaddr_in address(std::uint16_t port) {
        sockaddr_in made{};
        made.sin_family = AF_INET;
        made.sin_port = htons(port);
        made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return made;
    }

    static std::uint16_t free_port() {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in made = address(0);
        socklen_t size = sizeof made;
        ::bind(socket, reinterpret_cast<sockaddr*>(&made), size);
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&made), &size);
        ::close(socket);
        return ntohs(made.sin_port);
    }

    bool is_listening() const {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in made = address(port_);
        const bool is_there =
            ::connect(socket, reinterpret_cast<sockaddr*>(&made), sizeof made) == 0;
        ::close(socket);
        return is_there;
    }

    TmpDir dir_;
    std::uint16_t port_;
    pid_t pid_ = 0;
};

}  // namespace fanfare::test
