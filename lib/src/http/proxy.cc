#include "http/proxy.h"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <cctype>
#include <locale>
#include <optional>

#include "http/cidr.h"
#include "http/egress.h"

namespace fanfare {
namespace {

std::string_view without_last_dot(std::string_view host) {
    return host.size() > 1 && host.back() == '.' ? host.substr(0, host.size() - 1) : host;
}

bool is_host_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

bool is_block(std::string_view text) {
    return text.find('/') != std::string_view::npos || text.find(':') != std::string_view::npos;
}

bool covers(const std::string& listed, const std::string& host) {
    const std::locale& locale = std::locale::classic();
    const std::string_view name = without_last_dot(host);
    if (listed.starts_with('.')) {
        return name.size() > listed.size() && boost::algorithm::iends_with(name, listed, locale);
    }
    if (boost::algorithm::iequals(name, without_last_dot(listed), locale)) return true;
    const Result<Cidr> block = Cidr::parse(listed);
    if (block.has_error()) return false;
    const std::optional<net::ip::address> address = literal_address(host);
    return address && block->contains(*address);
}

}  // namespace

Result<Url> parse_proxy(std::string_view text) {
    Result<Url> url = parse_url(text);
    if (url.has_error()) return url;
    if (url->is_tls()) return Error("the scheme of a proxy must be http");
    const bool has_more = url->target != "/";
    if (has_more) return Error("a proxy has no path and no query");
    return url;
}

Result<void> check_no_proxy(std::string_view text) {
    if (is_block(text)) {
        const Result<Cidr> block = Cidr::parse(text);
        if (block.has_error()) return block.error();
        return {};
    }
    const bool is_host = !text.empty() && text != "." && text.size() <= 253 &&
                         std::all_of(text.begin(), text.end(), is_host_char);
    if (is_host) return {};
    return Error("is no host; expected a host name, a suffix such as .internal, or a CIDR");
}

bool is_listed(const std::string& host, const std::vector<std::string>& no_proxy) {
    return std::any_of(no_proxy.begin(), no_proxy.end(),
                       [&](const std::string& listed) { return covers(listed, host); });
}

TunnelPtr make_tunnel(const Url& url, const Url& proxy) {
    const bool is_v6 = url.host.find(':') != std::string::npos;
    const std::string host = is_v6 ? "[" + url.host + "]" : url.host;
    const std::string authority = host + ":" + std::to_string(url.port);
    auto tunnel = std::make_shared<Tunnel>();
    tunnel->request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    tunnel->request += "User-Agent: fanfare/" FANFARE_VERSION "\r\n";
    if (!proxy.authorization.empty()) {
        tunnel->request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
    }
    tunnel->request += "\r\n";
    return tunnel;
}

}  // namespace fanfare
