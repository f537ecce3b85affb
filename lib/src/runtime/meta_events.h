#pragma once

#include <atomic>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "event/id_generator.h"
#include "fanfare/broadcaster.h"
#include "fanfare/log.h"
#include "fanfare/meta.h"

namespace fanfare {

/// Makes events of Fanfare's own and writes them (SPEC 16). Any thread, but not with the
/// broadcaster's lock held; what goes wrong here is nobody else's concern.
class MetaEvents final : public EndpointNews {
  public:
    /// Names, and problems, that one event holds at most.
    static constexpr std::size_t names_max = 100;
    static constexpr std::size_t problems_max = 10;
    /// Of one text that comes from elsewhere, in bytes; longer ones are cut.
    static constexpr std::size_t text_bytes_max = 512;

    /// All of them must outlive it. `instance`: of the daemon.
    MetaEvents(Broadcaster& broadcaster, const Clock& clock, Log& log, std::string instance);

    /// Holds from now on.
    void take(const MetaOptions& options) noexcept;

    unsigned down_after() const noexcept override;
    bool down(const Down& news) noexcept override;
    void up(const Up& news) noexcept override;
    bool given_up(const GivenUp& news) noexcept override;

    struct Reloaded {
        const std::vector<std::string>& added;
        const std::vector<std::string>& changed;
        const std::vector<std::string>& removed;
        std::size_t unchanged = 0;
        const std::vector<std::string>& settings;  ///< keys that were taken over
        const std::vector<std::string>& needs_restart;
        std::string_view hash;  ///< of what is in effect now
    };
    void config_reloaded(const Reloaded& news) noexcept;

    struct Rejected {
        std::size_t problems = 0;
        const std::vector<std::string>& texts;  ///< of some of them, as they are logged
        std::string_view hash;                  ///< of what stays in effect
    };
    void config_rejected(const Rejected& news) noexcept;

  private:
    using Json = nlohmann::ordered_json;
    template <class Fill>
    bool tell(const char* action, std::string_view about, Fill fill) noexcept;
    bool write(const char* action, std::string_view about, Json& event);

    Broadcaster& broadcaster_;
    const Clock& clock_;
    Log& log_;
    const std::string instance_;
    IdGenerator ids_;
    std::atomic<bool> is_enabled_{true};
    std::atomic<unsigned> down_after_{MetaOptions().down_after};
};

}  // namespace fanfare
