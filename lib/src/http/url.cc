#include "http/url.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>  // Boost.URL's own code, compiled here and nowhere else
#include <boost/url/url_view.hpp>
#include <charconv>

#include "base/base64.h"

namespace fanfare {
namespace {

namespace urls = boost::urls;

constexpr std::size_t host_bytes_max = 253;  // of a DNS name

bool is_blank_or_control(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_url_port(std::string_view text) {
    if (text.empty()) return true;  // the scheme's own
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

/// Why nothing can be posted to `view`; null if something can.
const char* find_problem(const urls::url_view& view) {
    if (view.scheme_id() != urls::scheme::http && view.scheme_id() != urls::scheme::https) {
        return "the scheme must be http or https";
    }
    if (!view.has_authority() || view.encoded_host().empty()) return "the host is missing";
    if (view.has_fragment()) return "a fragment (#…) cannot be posted to";
    // Boost 1.81 takes the x of `http://h:x/` for a path, and ports modulo 65536.
    const bool is_path_rooted = view.encoded_path().empty() || view.encoded_path().front() == '/';
    if (!is_path_rooted || !is_url_port(view.port())) return "the port must be from 1 to 65535";
    if (view.host_type() == urls::host_type::ipvfuture) return "the host is no known address";
    if (view.host_type() != urls::host_type::name) return nullptr;

    const std::string host = view.host();
    const bool is_name =
        host.size() <= host_bytes_max && std::all_of(host.begin(), host.end(), is_name_char);
    return is_name ? nullptr : "the host is no DNS name or address";
}

std::string host_of(const urls::url_view& view) {
    return view.host_type() == urls::host_type::ipv6 ? view.host_ipv6_address().to_string()
                                                     : view.host();
}

/// Boost 1.81 reads a name that begins like an IPv4 address, `10.0.0.1.nip.io`, as that address
/// with a path behind it. Then this is where it begins in `text`; npos if all is well.
std::size_t find_misread_name(const urls::url_view& view, std::string_view text) {
    const bool is_misread = view.host_type() == urls::host_type::ipv4 &&
                            !view.encoded_path().empty() && view.encoded_path().front() != '/';
    if (!is_misread) return std::string_view::npos;
    return static_cast<std::size_t>(view.encoded_host().data() - text.data());
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    if (text.empty()) return Error("the URL is empty");
    if (std::any_of(text.begin(), text.end(), is_blank_or_control)) {
        return Error("the URL holds a blank or a control character");
    }
    auto parsed = urls::parse_uri({text.data(), text.size()});
    // With a letter in front of it, it is a name for Boost, too.
    std::string marked;
    const std::size_t misread =
        parsed.has_error() ? std::string_view::npos : find_misread_name(*parsed, text);
    if (misread != std::string_view::npos) {
        marked.append(text).insert(misread, 1, 'x');
        parsed = urls::parse_uri({marked.data(), marked.size()});
    }
    if (parsed.has_error()) return Error("not an absolute http or https URL");
    const urls::url_view& view = *parsed;
    if (const char* const problem = find_problem(view)) return Error(problem);

    Url url;
    url.scheme = view.scheme_id() == urls::scheme::https ? "https" : "http";
    const std::uint16_t default_port = url.is_tls() ? 443 : 80;
    const std::size_t mark = marked.empty() ? 0 : 1;
    url.host = host_of(view).substr(mark);
    url.port = view.port().empty() ? default_port : view.port_number();
    url.host_header = std::string(view.encoded_host()).substr(mark);
    if (url.port != default_port) url.host_header += ":" + std::to_string(url.port);
    url.target = std::string(view.encoded_target());
    if (view.encoded_path().empty()) url.target.insert(0, "/");
    if (view.has_userinfo()) {
        url.authorization = "Basic " + base64(view.user() + ":" + view.password());
    }
    return url;
}

std::string without_userinfo(std::string_view text) {
    std::string result(text);
    const std::size_t scheme_end = result.find("://");
    if (scheme_end == std::string::npos) return result;
    const std::size_t begin = scheme_end + 3;
    const std::size_t authority_end = result.find_first_of("/?#", begin);
    // The last one: what stands before it is userinfo for some reader.
    const std::size_t at = result.substr(0, authority_end).rfind('@');
    if (at != std::string::npos && at >= begin) result.erase(begin, at + 1 - begin);
    return result;
}

std::string redacted_url(std::string_view text) {
    const Result<Url> url = parse_url(text);
    if (url.has_error()) return "<bad url>";
    const std::string path = url->target.substr(0, url->target.find('?'));
    return url->scheme + "://" + url->host_header + path;
}

std::string redacted_origin(std::string_view text) {
    const Result<Url> url = parse_url(text);
    if (url.has_error()) return "<bad url>";
    return url->scheme + "://" + url->host_header + "/…";
}

}  // namespace fanfare
