#include "fanfare/log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>

namespace fanfare {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::trace:
            return spdlog::level::trace;
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::critical:
            return spdlog::level::critical;
    }
    return spdlog::level::info;
}

void append_escaped(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        } else {
            out += c;
        }
    }
}

void append_value(std::string& out, const LogField::Value& value, LogFormat format) {
    const auto append = [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
            const bool is_bare = format == LogFormat::text && !v.empty() &&
                                 v.find_first_of(" \"=\\\n\r\t\x7f") == std::string_view::npos &&
                                 std::all_of(v.begin(), v.end(), [](char c) {
                                     return static_cast<unsigned char>(c) > 0x20;
                                 });
            if (!is_bare) out += '"';
            if (is_bare) {
                out += v;
            } else {
                append_escaped(out, v);
                out += '"';
            }
        } else if constexpr (std::is_same_v<T, bool>) {
            out += v ? "true" : "false";
        } else {
            out += fmt::format("{}", v);
        }
    };
    std::visit(append, value);
}

/// Everything behind time and level, in one go: spdlog escapes nothing.
std::string render(LogFormat format, std::string_view component, std::string_view message,
                   Log::Fields fields) {
    std::string line;
    if (format == LogFormat::json) {
        line += "\"component\":\"";
        append_escaped(line, component);
        line += "\",\"msg\":\"";
        append_escaped(line, message);
        line += '"';
        for (const LogField& field : fields) {
            line += ",\"";
            line += field.name;
            line += "\":";
            append_value(line, field.value, format);
        }
        line += '}';
        return line;
    }
    line += component;
    line += ": ";
    line += message;
    for (const LogField& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        append_value(line, field.value, format);
    }
    return line;
}

constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
constexpr const char* json_pattern = R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)";

class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit WriterSink(Log::Writer writer) : writer_(std::move(writer)) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t buffer;
        formatter_->format(message, buffer);
        std::string_view line(buffer.data(), buffer.size());
        while (line.ends_with('\n')) line.remove_suffix(1);
        writer_(line);
    }
    void flush_() override {}

    Log::Writer writer_;
};

}  // namespace

class Log::Backend {
  public:
    Backend(const LogOptions& options, spdlog::sink_ptr sink) : logger("fanfare", std::move(sink)) {
        logger.set_level(to_spdlog(options.level));
        logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            options.format == LogFormat::json ? json_pattern : text_pattern,
            spdlog::pattern_time_type::utc));
    }

    spdlog::logger logger;
};

Log::Log(const LogOptions& options)
    : level_(options.level),
      format_(options.format),
      backend_(
          std::make_unique<Backend>(options, std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

Log::Log(const LogOptions& options, Writer writer)
    : level_(options.level),
      format_(options.format),
      backend_(
          std::make_unique<Backend>(options, std::make_shared<WriterSink>(std::move(writer)))) {}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view component, std::string_view message,
                Fields fields) {
    if (!is_enabled(level)) return;
    const std::string line = render(format_, component, message, fields);
    backend_->logger.log(to_spdlog(level), spdlog::string_view_t(line));
}

void Log::debug(std::string_view component, std::string_view message, Fields fields) {
    write(LogLevel::debug, component, message, fields);
}

void Log::info(std::string_view component, std::string_view message, Fields fields) {
    write(LogLevel::info, component, message, fields);
}

void Log::warn(std::string_view component, std::string_view message, Fields fields) {
    write(LogLevel::warning, component, message, fields);
}

void Log::error(std::string_view component, std::string_view message, Fields fields) {
    write(LogLevel::error, component, message, fields);
}

}  // namespace fanfare
