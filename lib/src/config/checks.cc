#include "config/checks.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "base/utf8.h"
#include "event/glob.h"
#include "http/url.h"

namespace fanfare {
namespace {

using Problem = std::optional<std::string>;

bool is_alphanumeric(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

/// Whether all characters are letters, digits or in `others`.
bool consists_of(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
    });
}

bool is_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

bool is_equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

/// Host and port of a NATS server; the port may be missing.
bool is_nats_address(std::string_view text) {
    const bool is_bracketed = text.starts_with('[');
    const std::size_t host_end = is_bracketed ? text.find(']') : text.rfind(':');
    if (is_bracketed && host_end == std::string_view::npos) return false;
    const std::string_view host = text.substr(is_bracketed ? 1 : 0, host_end - is_bracketed);
    const bool is_host = !host.empty() && consists_of(host, is_bracketed ? ":.%" : "-._");
    std::string_view rest;
    if (host_end != std::string_view::npos) rest = text.substr(host_end + (is_bracketed ? 1 : 0));
    if (rest.empty()) return is_host;
    return is_host && rest.front() == ':' && rest != ":0" && is_port(rest.substr(1));
}

/// A host with its port; an IPv6 address stands in brackets.
Problem check_host_and_port(std::string_view text, const std::string& shown) {
    constexpr const char* forms = "; expected host:port, [v6]:port or unix:/path";
    const std::size_t colon = text.rfind(':');
    const bool is_bracketed = text.starts_with('[');
    if (colon == std::string_view::npos || (is_bracketed && text[colon - 1] != ']')) {
        return shown + " has no port" + forms;
    }
    if (!is_port(text.substr(colon + 1))) {
        return shown + " has a bad port; expected a number from 0 to 65535";
    }
    const std::string_view host = text.substr(0, colon);
    if (host.empty()) {
        return shown + " has no host; expected one, e.g. \"0.0.0.0:8080\" for all IPv4 addresses";
    }
    if (is_bracketed) {
        const std::string_view address = host.substr(1, host.size() - 2);
        const bool is_address =
            address.find(':') != std::string_view::npos && consists_of(address, ":.%");
        return is_address ? Problem() : Problem(shown + " has a bad IPv6 address" + forms);
    }
    if (host.find(':') != std::string_view::npos) {
        return shown + " has an IPv6 address without brackets" + forms;
    }
    if (consists_of(host, "-._")) return std::nullopt;
    return shown + " has a bad host" + forms;
}

constexpr std::array<std::string_view, 4> framing_headers = {"Host", "Content-Length",
                                                             "Transfer-Encoding", "Connection"};

std::string_view take_utf8_character(std::string_view& text) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, utf8_length(text)));
    text.remove_prefix(character.size());
    return character;
}

bool has_reversed_range(std::string_view set) {
    if (set.starts_with('!')) set.remove_prefix(1);
    while (!set.empty()) {
        const std::string_view low = take_utf8_character(set);
        if (set.size() < 2 || set.front() != '-') continue;
        set.remove_prefix(1);
        // UTF-8 sorts as its characters do.
        if (take_utf8_character(set) < low) return true;
    }
    return false;
}

}  // namespace

Problem check_listen_address(const std::string& text, const std::string& shown) {
    constexpr std::string_view unix_prefix = "unix:";
    if (!text.starts_with(unix_prefix)) return check_host_and_port(text, shown);
    const std::string_view path = std::string_view(text).substr(unix_prefix.size());
    constexpr std::size_t path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;
    if (!path.starts_with('/') || std::any_of(path.begin(), path.end(), is_control)) {
        return shown + " has no absolute path; expected unix:/path";
    }
    if (path.size() > path_bytes_max) {
        return shown + " has a path that is too long; expected at most " +
               std::to_string(path_bytes_max) + " bytes";
    }
    return std::nullopt;
}

Problem check_request_path(const std::string& text, const std::string& shown) {
    constexpr std::size_t bytes_max = 1024;
    const auto fits = [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; };
    const bool is_path = text.starts_with('/') && text.size() <= bytes_max &&
                         std::all_of(text.begin(), text.end(), fits);
    if (is_path) return std::nullopt;
    return shown + " is no path; expected one that begins with / and has no blank, ? or #";
}

Problem check_dir(const std::string& text, const std::string& shown) {
    if (text.empty()) return shown + " is empty; expected the path of a folder";
    if (check_file(text, shown)) {
        return shown + " has a control character; expected the path of a folder";
    }
    return std::nullopt;
}

Problem check_file(const std::string& text, const std::string& shown) {
    if (text.empty()) return shown + " is empty; expected the path of a file";
    if (std::none_of(text.begin(), text.end(), is_control)) return std::nullopt;
    return shown + " has a control character; expected the path of a file";
}

Problem check_absolute_dir(const std::string& text, const std::string& shown) {
    const Problem problem = check_dir(text, shown);
    if (problem || text.starts_with('/')) return problem;
    return shown + " depends on the folder it is started in; expected an absolute path";
}

Problem check_endpoint_name(const std::string& text, const std::string& shown) {
    const bool is_name = !text.empty() && text.size() <= 64 && consists_of(text, "._-");
    if (is_name) return std::nullopt;
    return shown + " is no name; expected 1 to 64 of the characters A-Z a-z 0-9 . _ -";
}

Problem check_url(const std::string& text, const std::string&) {
    constexpr std::size_t bytes_max = 8192;
    // Neither the message nor this one shows the URL: it may hold a password.
    const Result<Url> url = parse_url(text);
    if (url.has_error())
        return url.error().message() + R"(; expected one such as "https://example.com/hook")";
    if (text.size() > bytes_max) return "is too long; expected at most 8192 bytes";
    return std::nullopt;
}

Problem check_origin(const std::string& text, const std::string& shown) {
    const bool has_scheme = text.starts_with("http://") || text.starts_with("https://");
    const std::string_view host =
        has_scheme ? std::string_view(text).substr(text.find("://") + 3) : std::string_view();
    const auto fits = [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '@'; };
    const bool is_origin = !host.empty() && std::all_of(host.begin(), host.end(), fits);
    if (text == "*" || is_origin) return std::nullopt;
    return shown + " is no origin; expected one as https://ops.example.com, or *";
}

Problem check_server_name(const std::string& text, const std::string& shown) {
    const bool is_name = !text.empty() && text.size() <= 253 && consists_of(text, "-._:");
    if (is_name) return std::nullopt;
    return shown + " is no host name; expected a host name or address";
}

Problem check_nats_url(const std::string& text, const std::string&) {
    constexpr std::size_t bytes_max = 1024;
    constexpr const char* forms = R"(; expected one such as "nats://nats.example.com:4222")";
    // The URL is not shown: it may hold a password.
    const std::size_t scheme_end = text.find("://");
    const std::string_view scheme = std::string_view(text).substr(0, scheme_end);
    if (scheme_end == std::string::npos || (scheme != "nats" && scheme != "tls")) {
        return std::string("is no nats:// or tls:// URL") + forms;
    }
    std::string_view rest = std::string_view(text).substr(scheme_end + 3);
    const std::size_t at = rest.rfind('@');
    const std::string_view user = rest.substr(0, at == std::string_view::npos ? 0 : at);
    if (at != std::string_view::npos) rest.remove_prefix(at + 1);
    // The client library sends them as they are, within quotes.
    const auto is_bad = [](char c) {
        return c <= ' ' || c > '~' || std::string_view("/?#,\"\\").find(c) != std::string::npos;
    };
    if (std::any_of(user.begin(), user.end(), is_bad)) {
        return R"(has a character before the @ that cannot be sent: a space, / ? # , " or \)";
    }
    if (!is_nats_address(rest) || text.size() > bytes_max) {
        return std::string("has no host and port that a server can have") + forms;
    }
    return std::nullopt;
}

Problem check_stream_name(const std::string& text, const std::string& shown) {
    if (!text.empty() && text.size() <= 64 && consists_of(text, "_-")) return std::nullopt;
    return shown + " is no name of a stream; expected 1 to 64 of the characters A-Z a-z 0-9 _ -";
}

Problem check_any_text(const std::string&, const std::string&) { return std::nullopt; }

Problem check_header_name(const std::string& text, const std::string& shown) {
    if (text.empty() || !consists_of(text, "!#$%&'*+-.^_`|~")) {
        return shown + " is no header name; expected letters, digits and - only";
    }
    const auto is_same = [&](std::string_view name) { return is_equal_ignoring_case(name, text); };
    if (std::none_of(framing_headers.begin(), framing_headers.end(), is_same)) return std::nullopt;
    return "cannot be configured; Fanfare sets it";
}

Problem check_header_value(const std::string& text, const std::string&) {
    const auto is_bad = [](char c) { return is_control(c) && c != '\t'; };
    if (std::none_of(text.begin(), text.end(), is_bad)) return std::nullopt;
    return "has a control character (a line end, perhaps); expected one line of text";
}

Problem check_field(const std::string& text, const std::string& shown) {
    if (text.starts_with('/')) {
        for (std::size_t i = text.find('~'); i != std::string::npos; i = text.find('~', i + 1)) {
            if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) continue;
            return shown + " is no JSON pointer; expected ~0 for ~ and ~1 for / in a name";
        }
        return std::nullopt;
    }
    if (!text.empty() && text.size() <= 64 && consists_of(text, "")) return std::nullopt;
    return shown +
           " is no field; expected a JSON pointer, e.g. \"/target/repository\", or the "
           "name of an attribute";
}

Problem check_pointer(const std::string& text, const std::string& shown) {
    if (text.starts_with('/')) return check_field(text, shown);
    return shown + " is no JSON pointer; expected one, e.g. \"/target/repository\"";
}

Problem check_glob(const std::string& text, const std::string& shown) {
    std::string_view rest = text;
    for (std::size_t i = rest.find('['); i != std::string_view::npos; i = rest.find('[')) {
        rest.remove_prefix(i);
        const std::size_t end = glob_set_end(rest);
        if (end == std::string_view::npos) return shown + " has a [ without ]; expected a glob";
        if (has_reversed_range(rest.substr(1, end - 1))) {
            return shown + " has a range that ends before it begins; expected a glob";
        }
        rest.remove_prefix(end + 1);
    }
    return std::nullopt;
}

}  // namespace fanfare
