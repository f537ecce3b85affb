#pragma once

#include <string>

#include "server/admin/route.h"

namespace fanfare {

/// `GET /`: endpoints, events and dead letters for a browser. One page that asks the admin API for
/// all that it shows; nothing of it comes from elsewhere.
class StatusPage {
  public:
    StatusPage();

    /// The page must outlive whatever asks the routes.
    void add_to(AdminRoutes& routes) const;

    const std::string& text() const noexcept { return text_; }

    /// The Content-Security-Policy that it is served with: this very script and style, and
    /// requests to the daemon; nothing else.
    const std::string& policy() const noexcept { return policy_; }

  private:
    awaitable<Response> show() const;

    std::string text_;
    std::string policy_;
};

}  // namespace fanfare
