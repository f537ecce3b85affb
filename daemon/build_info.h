#pragma once

#include "server/admin/exposition.h"

namespace fanfare {

/// What this executable was built from and with.
const BuildInfo& build_info();

}  // namespace fanfare
