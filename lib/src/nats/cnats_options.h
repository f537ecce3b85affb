#pragma once

#include <nats/nats.h>

#include <memory>

#include "fanfare/error.h"
#include "nats/connection.h"

namespace fanfare {

struct DestroyCnatsOptions {
    void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using CnatsOptions = std::unique_ptr<natsOptions, DestroyCnatsOptions>;

/// What cnats is to call, on threads of its own.
struct CnatsHooks {
    natsConnectionHandler on_connected = nullptr;  ///< again, not the first time
    natsConnectionHandler on_lost = nullptr;
    natsConnectionHandler on_closed = nullptr;  ///< the last call
    natsErrHandler on_error = nullptr;
    void* closure = nullptr;
};

/// Whether it is to be encrypted, whatever the server says.
bool wants_tls(const NatsConnectionOptions& options);

/// Options with which cnats connects once, and after that again until no server has taken it a few
/// times. An Error if a file cannot be used.
Result<CnatsOptions> make_cnats_options(const NatsConnectionOptions& options,
                                        const CnatsHooks& hooks);

}  // namespace fanfare
