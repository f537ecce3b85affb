#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/admin/query.h"
#include "server/http_server.h"

namespace fanfare {

/// A request that has found its route.
struct AdminCall {
    const RequestHead& head;  ///< valid until the answer is given, as is `peer`
    const Peer& peer;
    std::string name;  ///< what stands where the path of the route has `{}`, decoded
    Query query;
    std::string body;
    std::function<bool()> is_awaited = {};  ///< as in Request
};

/// What is served under a path by a method.
struct AdminRoute {
    std::string_view method;  ///< GET serves HEAD too
    std::string_view path;    ///< `{}` stands for one part: `/v1/endpoints/{}/pause`
    std::vector<std::string_view> parameters = {};
    std::function<awaitable<Response>(AdminCall call)> serve;
    bool is_open = false;         ///< to all, not only to local peers and with the token
    bool takes_anything = false;  ///< parameters and a body, which are not looked at
    bool takes_body = false;      ///< that is looked at; on any other route one is refused
};

/// All routes of the admin listener.
class AdminRoutes {
  public:
    /// One whose path is spelt out comes before one that has `{}` there.
    void add(AdminRoute route) { routes_.push_back(std::move(route)); }

    std::span<const AdminRoute> all() const noexcept { return routes_; }

    /// Whether anything is served under the path, whatever the method.
    const AdminRoute* find_path(std::string_view path) const;
    const AdminRoute* find(std::string_view method, std::string_view path) const;
    /// The methods that the path is served by, for the Allow field.
    std::string methods_of(std::string_view path) const;

    /// What `{}` of the route stands for in `path`, as it is written there.
    static std::string_view name_in(const AdminRoute& route, std::string_view path);

  private:
    std::vector<AdminRoute> routes_;
};

/// Whether a browser says that the request comes from a page of another site: then it must not
/// change anything, as the browser's user may be somebody whom the daemon trusts.
bool is_cross_site(const RequestHead& head);

// The answers that all groups of routes give.
Response json_response(std::string body);
/// A message that begins as `count: …` names the parameter in the detail, too, if that is made of
/// letters, digits, `_`, `-` and `.`, as all are that there are.
Response bad_parameter(std::string_view message);

}  // namespace fanfare
