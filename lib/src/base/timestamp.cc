#include "base/timestamp.h"

#include <array>
#include <ctime>

namespace fanfare {

std::string rfc3339(WallTime time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - whole).count();
    const std::time_t since_epoch = std::chrono::system_clock::to_time_t(whole);
    std::tm parts{};
    gmtime_r(&since_epoch, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string fraction = std::to_string(1000 + milliseconds);
    fraction.front() = '.';
    return std::string(text.data(), size) + fraction + 'Z';
}

}  // namespace fanfare
