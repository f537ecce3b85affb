#include "base/secret_file.h"

#include <algorithm>

#include "base/files.h"

namespace fanfare {
namespace {

Error error_of(const SecretFile::Options& options, const Error& problem) {
    return Error(options.what + " " + options.file + " " + problem.message());
}

}  // namespace

Result<SecretFile> SecretFile::load(Options options, Log* log) {
    SecretFile loaded(std::move(options), log);
    // Before the reading: what changes after that is seen at the next look.
    loaded.stamp_ = stamp_of(loaded.options_.file);
    Result<Secret> text = loaded.read();
    if (text.has_error()) return text.error();
    loaded.text_ = std::move(*text);
    return loaded;
}

Result<Secret> SecretFile::read() const {
    Result<std::string> content = read_file(options_.file, bytes_max);
    if (content.has_error()) return error_of(options_, content.error());
    std::string& text = *content;
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) return error_of(options_, Error("is empty"));
    const Result<void> checked = options_.check(text);
    if (checked.has_error()) return error_of(options_, checked.error());
    return Secret(std::move(text));
}

/// Stamps tell times that are a few milliseconds apart, no less: what is written right after the
/// reading may have the same one. So a text counts as settled when it has been read once more, a
/// second later, under the same stamp.
bool SecretFile::may_have_changed() {
    const FileStamp stamp = stamp_of(options_.file);
    const bool is_same = stamp == stamp_;
    if (is_same && is_settled_ && !is_bad_) return false;
    stamp_ = stamp;
    is_settled_ = is_same;
    return true;
}

bool SecretFile::refresh(TimePoint now, std::string_view endpoint) {
    if (now < next_look_) return false;
    was_read(now);
    if (!may_have_changed()) return false;
    if (is_read_once(options_.file)) return false;
    Result<Secret> text = read();
    const bool was_bad = is_bad_;
    is_bad_ = text.has_error();
    if (is_bad_) {
        if (!was_bad) warn(text.error(), endpoint);
        return false;
    }
    if (*text == text_) return false;
    text_ = std::move(*text);
    tell_of_change(endpoint);
    return true;
}

void SecretFile::tell_of_change(std::string_view endpoint) const {
    static constexpr std::string_view message = "a secret's file has changed";
    if (log_ == nullptr) return;
    if (endpoint.empty()) return log_->info(options_.component, message, {{"file", options_.file}});
    log_->info(options_.component, message, {{"endpoint", endpoint}, {"file", options_.file}});
}

void SecretFile::warn(const Error& problem, std::string_view endpoint) const {
    static constexpr std::string_view message =
        "a secret's file is of no use, the last secret stays";
    if (log_ == nullptr) return;
    if (endpoint.empty()) {
        return log_->warn(options_.component, message,
                          {{"file", options_.file}, {"error", problem.message()}});
    }
    log_->warn(options_.component, message,
               {{"endpoint", endpoint}, {"file", options_.file}, {"error", problem.message()}});
}

Result<void> check_token(const std::string& text) {
    const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (std::all_of(text.begin(), text.end(), is_visible)) return {};
    return Error("must hold one line of visible characters");
}

Result<void> check_one_line(const std::string& text) {
    const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
    if (std::none_of(text.begin(), text.end(), is_control)) return {};
    return Error("must hold one line of text");
}

}  // namespace fanfare
