#include "config/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace fanfare {
namespace {

std::string normalized(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

/// The number of insertions, removals, replacements and swaps of neighbours that turn a into b.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), 0U);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

}  // namespace

std::string suggest(std::string_view text, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest = 64;  // the distance costs time by the product of the lengths
    if (text.empty() || text.size() > longest) return {};
    const std::string wanted = normalized(text);
    std::string best;
    std::size_t best_distance = std::min<std::size_t>(3, (text.size() + 3) / 4);
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(wanted, normalized(candidate));
        const bool is_better = best.empty() ? distance <= best_distance : distance < best_distance;
        if (!is_better || distance >= candidate.size()) continue;
        best = candidate;
        best_distance = distance;
    }
    if (!best.empty() || wanted.size() < 3) return best;
    // `warn` is far from `warning` by distance, but not for a person.
    const auto begins = [&](const std::string& c) { return c.starts_with(wanted); };
    const auto longer = std::find_if(candidates.begin(), candidates.end(), begins);
    return longer == candidates.end() ? std::string() : *longer;
}

std::string join(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) {
        if (!out.empty()) out += ", ";
        out += part;
    }
    return out;
}

std::string one_of(const std::vector<std::string>& names) {
    return names.size() == 1 ? names[0] : "one of " + join(names);
}

}  // namespace fanfare
