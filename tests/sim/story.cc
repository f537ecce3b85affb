#include "sim/story.h"

#include <array>
#include <cstdio>

namespace fanfare::sim {

void append(std::string& text, Duration part) {
    std::array<char, 32> buffer{};
    const double ms = std::chrono::duration<double, std::milli>(part).count();
    std::snprintf(buffer.data(), buffer.size(), "%.6g ms", ms);
    text += buffer.data();
}

void Story::add(const std::string& line) {
    std::array<char, 32> time{};
    const double seconds = std::chrono::duration<double>(clock_.now() - began_).count();
    std::snprintf(time.data(), time.size(), "%14.6f  ", seconds);
    std::string whole = time.data() + line;
    for (const char c : whole) {
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    if (is_verbose_) std::printf("%s\n", whole.c_str());
    lines_.push_back(std::move(whole));
    if (lines_.size() > lines_max) lines_.pop_front();
}

}  // namespace fanfare::sim
