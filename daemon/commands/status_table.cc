#include "commands/status_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

constexpr std::string_view cut_off_text =
    "No server of the shared queue can be reached: PENDING and OLDEST are as of before.\n\n";

std::string one_decimal(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string per_second(double value) { return one_decimal(value) + "/s"; }

std::uint64_t sum_of(const json& counts) {
    std::uint64_t total = 0;
    for (const auto& count : counts) total += count.get<std::uint64_t>();
    return total;
}

Rates::Rate counts_of(const json& counters) {
    const auto count = [&counters](const char* name) {
        return static_cast<double>(counters.at(name).get<std::uint64_t>());
    };
    return {.events = count("events") + count("replayed"),
            .delivered = count("successes"),
            .failures = count("failures") + static_cast<double>(sum_of(counters.at("errors")))};
}

void append_rates(Row& row, const std::optional<Rates::Rate>& rate) {
    if (!rate) {
        row.insert(row.end(), {"-", "-", "-"});
        return;
    }
    for (const double value : {rate->events, rate->delivered, rate->failures}) {
        row.push_back(per_second(value));
    }
}

/// `12s`, `3m`, `5h`, `9d`: one unit will do.
std::string age(Duration age) {
    using namespace std::chrono;
    const auto text = [](auto count, char unit) { return std::to_string(count) + unit; };
    if (age < minutes(1)) return text(std::max(duration_cast<seconds>(age).count(), 0L), 's');
    if (age < hours(1)) return text(duration_cast<minutes>(age).count(), 'm');
    if (age < hours(48)) return text(duration_cast<hours>(age).count(), 'h');
    return text(duration_cast<days>(age).count(), 'd');
}

std::string text_of_error(const json& error, WallTime now) {
    std::string text = printable(error.at("message").get<std::string>());
    const std::optional<WallTime> at = parse_rfc3339(error.at("at").get<std::string>());
    return at ? age(now - *at) + " ago: " + text : text;
}

Row row_of(const json& endpoint, const Rates* rates, WallTime now) {
    const json& counters = endpoint.at("counters");
    const json& error = endpoint.at("last_error");
    const auto name = endpoint.at("name").get<std::string>();
    Row row{printable(name), printable(endpoint.at("state").get<std::string>()),
            std::to_string(endpoint.at("pending").get<std::uint64_t>()),
            one_decimal(endpoint.at("oldest_pending_seconds").get<double>()) + 's',
            std::to_string(endpoint.at("in_flight").get<std::uint64_t>())};
    if (rates != nullptr) {
        append_rates(row, rates->of(name));
    } else {
        row.push_back(per_second(endpoint.at("rate").get<double>()));
    }
    row.push_back(std::to_string(counters.at("successes").get<std::uint64_t>()));
    row.push_back(std::to_string(counters.at("failures").get<std::uint64_t>()));
    for (const char* const counts : {"errors", "dropped", "dead_letters"}) {
        row.push_back(std::to_string(sum_of(counters.at(counts))));
    }
    row.push_back(error.is_null() ? "-" : text_of_error(error, now));
    return row;
}

}  // namespace

void Rates::look(const json& list, std::chrono::steady_clock::time_point now) {
    std::map<std::string, Rate> counts;
    for (const json& endpoint : list.at("endpoints")) {
        counts[endpoint.at("name").get<std::string>()] = counts_of(endpoint.at("counters"));
    }
    rates_.clear();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    for (const auto& [name, count] : counts) {
        const auto before = counts_.find(name);
        if (before == counts_.end() || seconds <= 0) continue;
        const Rate& old = before->second;
        const Rate rate{.events = (count.events - old.events) / seconds,
                        .delivered = (count.delivered - old.delivered) / seconds,
                        .failures = (count.failures - old.failures) / seconds};
        if (rate.events >= 0 && rate.delivered >= 0 && rate.failures >= 0) rates_[name] = rate;
    }
    counts_ = std::move(counts);
    last_ = now;
}

std::optional<Rates::Rate> Rates::of(const std::string& endpoint) const {
    const auto found = rates_.find(endpoint);
    if (found == rates_.end()) return std::nullopt;
    return found->second;
}

std::optional<Rates::Rate> Rates::sum() const {
    if (rates_.empty()) return std::nullopt;
    Rate total;
    for (const auto& [name, rate] : rates_) {
        total.events += rate.events;
        total.delivered += rate.delivered;
        total.failures += rate.failures;
    }
    return total;
}

std::string status_table(const json& list, const Rates* rates, WallTime now) {
    Row titles{"NAME", "STATE", "PENDING", "OLDEST", "IN-FLIGHT"};
    if (rates != nullptr) {
        titles.insert(titles.end(), {"IN", "OUT", "FAILING"});
    } else {
        titles.emplace_back("RATE");
    }
    titles.insert(titles.end(),
                  {"DELIVERED", "FAILURES", "ERRORS", "DROPPED", "DEAD", "LAST-ERROR"});
    std::vector<Row> rows{std::move(titles)};
    for (const json& endpoint : list.at("endpoints")) rows.push_back(row_of(endpoint, rates, now));
    const bool is_cut_off = !list.value("queue_connected", true);
    return std::string(is_cut_off ? cut_off_text : "") + table(rows);
}

std::string status_summary(const json& list, const Rates& rates) {
    std::uint64_t pending = 0;
    const json& endpoints = list.at("endpoints");
    for (const json& endpoint : endpoints) pending += endpoint.at("pending").get<std::uint64_t>();
    std::string text =
        counted(endpoints.size(), "endpoint") + ", " + std::to_string(pending) + " pending";
    const std::optional<Rates::Rate> sum = rates.sum();
    if (!sum) return text;
    return text + ", " + per_second(sum->events) + " in, " + per_second(sum->delivered) +
           " delivered, " + per_second(sum->failures) + " failed";
}

}  // namespace fanfare::command
