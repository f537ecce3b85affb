// Who may use which route of the admin listener.
#include <gtest/gtest.h>

#include "server/admin/admin.h"
#include "support/admin_listener.h"

namespace fanfare {
namespace {

using test::get;

class AdminAccess : public test::AdminListener {
  protected:
    static std::string target_of(const AdminRoute& route) {
        std::string target(route.path);
        const std::size_t place = target.find("{}");
        if (place != std::string::npos) target.replace(place, 2, "audit");
        return target;
    }

    const Peer stranger_{.is_local = false, .is_unix = false, .text = "192.0.2.1:1"};
    const Peer local_{.is_local = true, .is_unix = false, .text = "127.0.0.1:1"};
    const Peer unix_{.is_local = true, .is_unix = true, .text = "unix"};
};

TEST_F(AdminAccess, is_open_to_all_for_health_and_metrics_only) {
    start();
    std::string open;

    for (const AdminRoute& route : admin_->routes().all()) {
        if (route.is_open) open += std::string(route.method) + ' ' + std::string(route.path) + '\n';
    }

    EXPECT_EQ(open, "GET /metrics\nGET /healthz\nGET /readyz\n");
}

TEST_F(AdminAccess, is_denied_to_strangers_without_a_token_on_every_route) {
    start();
    ASSERT_GE(admin_->routes().all().size(), 18U);

    for (const AdminRoute& route : admin_->routes().all()) {
        const std::string target = target_of(route);
        const int expected = route.is_open ? 0 : 403;
        EXPECT_EQ(status_for(stranger_, route.method, target), expected) << target;
        EXPECT_EQ(status_for(stranger_, route.method, target, {{"Authorization", "Bearer s3cret"}}),
                  expected)
            << target;
    }
    EXPECT_EQ(status_for_stranger("/no/such"), 403);
}

TEST_F(AdminAccess, is_given_to_strangers_with_the_token_on_every_route) {
    start("s3cret\n");

    for (const AdminRoute& route : admin_->routes().all()) {
        const std::string target = target_of(route);
        const int denied = route.is_open ? 0 : 401;
        const auto status = [&](const Fields& fields) {
            return status_for(stranger_, route.method, target, fields);
        };
        EXPECT_EQ(status({}), denied) << target;
        EXPECT_EQ(status({{"Authorization", "Bearer wrong"}}), denied) << target;
        EXPECT_EQ(status({{"Authorization", "Bearer s3cret"}}), 0) << target;
    }
    EXPECT_EQ(status_for_stranger("/no/such"), 401);
    EXPECT_EQ(status_for_stranger("/no/such", {{"Authorization", "Bearer s3cret"}}), 404);
    EXPECT_EQ(ask(get("/v1/endpoints")).status, 200) << "loopback needs none";
}

/// A page of another site whose name has been made to lead to loopback: to the browser, it asks
/// for nothing but its own site.
TEST_F(AdminAccess, is_denied_on_loopback_to_those_who_ask_for_another_host) {
    prepare_ = [](AdminSources& sources) { sources.listen = {"unix:/a", "ops.internal:8081"}; };
    start();
    const Fields page = {{"Host", "evil.example:8081"},
                         {"Origin", "http://evil.example:8081"},
                         {"Sec-Fetch-Site", "same-origin"}};

    for (const AdminRoute& route : admin_->routes().all()) {
        const std::string target = target_of(route);
        EXPECT_EQ(status_for(local_, route.method, target, page), route.is_open ? 0 : 403)
            << target;
        EXPECT_EQ(status_for(unix_, route.method, target, page), 0) << target;
    }
    const auto status = [this](std::string_view host) {
        return status_for(local_, "GET", "/v1/endpoints", {{"Host", host}});
    };
    for (const char* host : {"localhost", "LocalHost:8081", "127.0.0.1", "127.0.0.1:8081", "[::1]",
                             "[::1]:8081", "192.0.2.7:1", "ops.internal", "OPS.internal:9"}) {
        EXPECT_EQ(status(host), 0) << host;
    }
    for (const char* host : {"a", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1",
                             "ops.internal.evil.example", "unix", "x@127.0.0.1"}) {
        EXPECT_EQ(status(host), 403) << host;
    }
    EXPECT_EQ(status_for(local_, "GET", "/v1/endpoints"), 403) << "no Host at all";
}

TEST_F(AdminAccess, is_given_on_loopback_under_any_host_with_the_token) {
    start("s3cret\n");

    EXPECT_EQ(status_for(local_, "GET", "/v1/endpoints", {{"Host", "alias"}}), 403);
    EXPECT_EQ(status_for(local_, "GET", "/v1/endpoints",
                         {{"Host", "alias"}, {"Authorization", "Bearer s3cret"}}),
              0);
}

TEST_F(AdminAccess, changes_nothing_for_pages_of_other_sites) {
    start();
    const auto status = [this](const std::string& fields) {
        return ask("POST /v1/match HTTP/1.1\r\nHost: localhost:1\r\nContent-Length: 2\r\n" +
                   fields + "\r\n{}")
            .status;
    };

    for (const char* fields :
         {"Origin: http://evil\r\n", "Origin: null\r\n", "Origin: http://localhost:2\r\n",
          "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
          "Origin: http://localhost:1\r\nSec-Fetch-Site: cross-site\r\n"}) {
        EXPECT_EQ(status(fields), 403) << fields;
    }
    EXPECT_EQ(status(""), 200);
    EXPECT_EQ(status("Origin: http://LOCALHOST:1\r\nSec-Fetch-Site: same-origin\r\n"), 200);
}

}  // namespace
}  // namespace fanfare
