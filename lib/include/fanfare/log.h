#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace fanfare {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, critical };
enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    bool operator==(const LogOptions&) const = default;
};

/// A fact beside the message of a log line. Text is only looked at during the call.
struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
    LogField(std::string_view field, const char* text)
        : name(field), value(std::string_view(text)) {}
    LogField(std::string_view field, const std::string& text)
        : name(field), value(std::string_view(text)) {}
    LogField(std::string_view field, bool truth) : name(field), value(truth) {}
    LogField(std::string_view field, double number) : name(field), value(number) {}
    template <std::signed_integral T>
    LogField(std::string_view field, T number) : name(field), value(std::int64_t{number}) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) LogField(std::string_view field, T number)
        : name(field), value(std::uint64_t{number}) {}

    std::string_view name;
    Value value;
};

/// Writes one line per event of interest, to stderr or to a function. Any thread. A message is a
/// constant phrase, the facts are fields, of which long ones are cut; no payload, no secret, no
/// header value.
class Log {
  public:
    using Fields = std::initializer_list<LogField>;
    using Writer = std::function<void(std::string_view line)>;

    /// To stderr. Never waits for its reader: lines that it does not take are lost, and told of
    /// by number once it takes some again.
    explicit Log(const LogOptions& options);
    /// To `writer`, which gets whole lines without their end and is never called concurrently.
    Log(const LogOptions& options, Writer writer);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    bool is_enabled(LogLevel level) const noexcept {
        return level >= level_.load(std::memory_order_relaxed);
    }

    /// The least level that is written from now on.
    void set_level(LogLevel level) noexcept { level_ = level; }

    /// `component` names the part that speaks: ingest, endpoint, admin, config, daemon.
    void write(LogLevel level, std::string_view component, std::string_view message,
               Fields fields = {});

    void debug(std::string_view component, std::string_view message, Fields fields = {});
    void info(std::string_view component, std::string_view message, Fields fields = {});
    void warn(std::string_view component, std::string_view message, Fields fields = {});
    void error(std::string_view component, std::string_view message, Fields fields = {});

  private:
    class Backend;

    std::atomic<LogLevel> level_;
    const LogFormat format_;
    std::unique_ptr<Backend> backend_;
};

}  // namespace fanfare
