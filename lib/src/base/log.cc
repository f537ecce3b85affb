#include "fanfare/log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>

#include "base/line_writer.h"

#include "base/utf8.h"

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

/// Ids, URLs and error texts come from outside and have any length.
constexpr std::size_t value_bytes_max = 256;

/// Whether U+0080 to U+009F begins at `position`: control characters, some terminals obey them.
bool is_c1_control(std::string_view text, std::size_t position) {
    return text[position] == '\xc2' && position + 1 < text.size() &&
           static_cast<unsigned char>(text[position + 1]) < 0xa0;
}

void append_escaped(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(is_c1_control(text, i) ? text[++i] : c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f || (c == '\xc2' && byte != 0xc2)) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        } else {
            out += c;
        }
    }
}

/// Text without blanks and quotes in it stands bare in a line of text.
bool is_bare(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_odd = c == '"' || c == '=' || c == '\\' || c == '\x7f';
        if (static_cast<unsigned char>(c) <= 0x20 || is_odd || is_c1_control(text, i)) return false;
    }
    return !text.empty();
}

void append_text(std::string& out, std::string_view text, LogFormat format) {
    const std::string_view shown = shortened(text, value_bytes_max);
    const bool is_cut = shown.size() < text.size();
    if (format == LogFormat::text && !is_cut && is_bare(shown)) {
        out += shown;
        return;
    }
    out += '"';
    append_escaped(out, shown);
    out += is_cut ? "…\"" : "\"";
}

void append_value(std::string& out, const LogField::Value& value, LogFormat format) {
    const auto append = [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
            append_text(out, v, format);
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

/// To stderr. Lines that cannot be written are lost, and counted.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit StderrSink(LogFormat format) : format_(format) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (lost_ > 0 && !tell_lost()) {
            ++lost_;
        } else if (!write(message)) {
            ++lost_;
        }
    }

    bool tell_lost() {
        const std::string text =
            render(format_, "log", "lines lost, as they could not be written", {{"lines", lost_}});
        if (!write({"fanfare", spdlog::level::warn, text})) return false;
        lost_ = 0;
        return true;
    }

    bool write(const spdlog::details::log_msg& message) {
        spdlog::memory_buf_t buffer;
        formatter_->format(message, buffer);
        return writer_.write({buffer.data(), buffer.size()});
    }

    void flush_() override {}

    const LogFormat format_;
    LineWriter writer_{STDERR_FILENO};
    std::uint64_t lost_ = 0;
};

}  // namespace

class Log::Backend {
  public:
    Backend(const LogOptions& options, spdlog::sink_ptr sink) : logger("fanfare", std::move(sink)) {
        logger.set_level(spdlog::level::trace);  // Log decides, and its level may change
        logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            options.format == LogFormat::json ? json_pattern : text_pattern,
            spdlog::pattern_time_type::utc));
    }

    spdlog::logger logger;
};

Log::Log(const LogOptions& options)
    : level_(options.level),
      format_(options.format),
      backend_(std::make_unique<Backend>(options, std::make_shared<StderrSink>(options.format))) {}

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
