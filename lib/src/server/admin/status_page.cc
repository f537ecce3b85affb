#include "server/admin/status_page.h"

#include <openssl/evp.h>

#include <array>

#include "base/base64.h"
#include "server/admin/status_page_parts.h"

namespace fanfare {
namespace {

/// How a policy names the text that stands between two tags.
std::string hash_source(std::string_view text) {
    std::array<char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
               EVP_sha256(), nullptr);
    return "'sha256-" + base64(std::string_view(digest.data(), size)) + "'";
}

void put_in(std::string& page, std::string_view place, const std::string& text) {
    page.replace(page.find(place), place.size(), text);
}

std::string page_of(const StatusPageParts& parts) {
    std::string page(parts.html);
    put_in(page, "<!--style-->", "<style>" + std::string(parts.style) + "</style>");
    put_in(page, "<!--script-->", "<script>" + std::string(parts.script) + "</script>");
    return page;
}

// Events hold what strangers wrote. The page shows it as text; should it ever fail to, then the
// policy keeps it from running, and from sending anything anywhere.
std::string policy_of(const StatusPageParts& parts) {
    return "default-src 'none'; script-src " + hash_source(parts.script) + "; style-src " +
           hash_source(parts.style) +
           "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
}

}  // namespace

StatusPage::StatusPage()
    : text_(page_of(status_page_parts())), policy_(policy_of(status_page_parts())) {}

void StatusPage::add_to(AdminRoutes& routes) const {
    AdminRoute route{
        .method = "GET", .path = "/", .serve = [this](const AdminCall&) { return show(); }};
    // What stands behind `?` may be a bookmark's.
    route.takes_anything = true;
    routes.add(std::move(route));
}

awaitable<Response> StatusPage::show() const {
    Response response;
    response.body = text_;
    response.content_type = "text/html; charset=utf-8";
    response.headers.emplace_back("Content-Security-Policy", policy_);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    co_return response;
}

}  // namespace fanfare
