// sim_tests: see README.md.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "sim/world.h"

namespace fanfare::sim {
namespace {

struct Settings {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;
    bool is_verbose = false;
    bool is_self_test = false;
    bool is_durable = false;
    Sabotage sabotage = Sabotage::none;
};

/// Every fourth run is over HTTP.
unsigned http_percent(std::uint64_t seed) { return seed % 4 == 0 ? 80 : 0; }

World::Options options_of(const Settings& settings, std::uint64_t seed) {
    World::Options options;
    options.seed = seed;
    options.is_verbose = settings.is_verbose;
    options.http_percent = http_percent(seed);
    options.sabotage = settings.sabotage;
    options.is_durable = settings.is_durable;
    return options;
}

void report(const World& world, const Settings& settings, std::uint64_t seed) {
    std::printf("\nseed %llu failed:\n", static_cast<unsigned long long>(seed));
    for (const std::string& failure : world.story().failures()) {
        std::printf("    %s\n", failure.c_str());
    }
    if (!settings.is_verbose) {
        std::printf("the end of its story:\n");
        for (const std::string& line : world.story().last_lines()) {
            std::printf("%s\n", line.c_str());
        }
    }
    const std::string_view sabotage =
        sabotage_names.at(static_cast<std::size_t>(settings.sabotage));
    std::printf("to repeat it: sim_tests --verbose --seed %llu",
                static_cast<unsigned long long>(seed));
    if (settings.is_durable) std::printf(" --durable");
    if (settings.sabotage != Sabotage::none) {
        std::printf(" --sabotage %s", std::string(sabotage).c_str());
    }
    std::printf("\n");
}

bool run_all(const Settings& settings) {
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t events = 0;
    std::uint64_t failed = 0;
    for (std::uint64_t seed = settings.first; seed < settings.first + settings.count; ++seed) {
        World world(options_of(settings, seed));
        world.run();
        events += world.events();
        if (!world.story().has_failed()) continue;
        report(world, settings, seed);
        if (++failed >= 5) break;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%llu seeds, %llu events, %.1f s, %llu failed\n",
                static_cast<unsigned long long>(settings.count),
                static_cast<unsigned long long>(events), took.count(),
                static_cast<unsigned long long>(failed));
    return failed == 0;
}

/// A run depends on nothing but its seed.
bool is_repeatable(Settings settings) {
    settings.is_verbose = false;
    for (std::uint64_t seed = settings.first; seed < settings.first + 20; ++seed) {
        World first(options_of(settings, seed));
        World second(options_of(settings, seed));
        first.run();
        second.run();
        if (first.story().hash() == second.story().hash()) continue;
        std::printf("two runs of seed %llu differ\n", static_cast<unsigned long long>(seed));
        return false;
    }
    return true;
}

/// The test of the test: everything that is broken on purpose is found.
bool finds_everything(Settings settings) {
    bool is_good = is_repeatable(settings);
    settings.is_durable = true;
    is_good = is_repeatable(settings) && is_good;
    for (std::size_t how = 1; how < sabotage_names.size(); ++how) {
        settings.sabotage = static_cast<Sabotage>(how);
        settings.is_durable = settings.sabotage == Sabotage::store_forgets;
        std::uint64_t found = 0;
        for (std::uint64_t seed = 1; seed <= settings.count && found == 0; ++seed) {
            World world(options_of(settings, seed));
            world.run();
            if (!world.story().has_failed()) continue;
            found = seed;
            std::printf("%-16s seed %llu: %s\n", std::string(sabotage_names.at(how)).c_str(),
                        static_cast<unsigned long long>(seed),
                        world.story().failures().front().c_str());
        }
        if (found > 0) continue;
        std::printf("%-16s NOT FOUND\n", std::string(sabotage_names.at(how)).c_str());
        is_good = false;
    }
    return is_good;
}

bool to_number(const char* text, std::uint64_t& number) {
    const char* const end = text + std::strlen(text);
    const auto result = std::from_chars(text, end, number);
    return result.ec == std::errc() && result.ptr == end;
}

bool to_sabotage(std::string_view text, Sabotage& sabotage) {
    const auto found = std::find(sabotage_names.begin(), sabotage_names.end(), text);
    sabotage = static_cast<Sabotage>(found - sabotage_names.begin());
    return found != sabotage_names.end();
}

bool read_options(int argc, char** argv, Settings& settings) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const bool has_value = i + 1 < argc;
        if (name == "--verbose") {
            settings.is_verbose = true;
        } else if (name == "--durable") {
            settings.is_durable = true;
        } else if (name == "--check-itself") {
            settings.is_self_test = true;
        } else if (name == "--seed" && has_value && to_number(argv[i + 1], settings.first)) {
            settings.count = 1;
            ++i;
        } else if (name == "--from" && has_value && to_number(argv[i + 1], settings.first)) {
            ++i;
        } else if (name == "--seeds" && has_value && to_number(argv[i + 1], settings.count)) {
            ++i;
        } else if (name == "--sabotage" && has_value &&
                   to_sabotage(argv[i + 1], settings.sabotage)) {
            ++i;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace
}  // namespace fanfare::sim

int main(int argc, char** argv) {
    using namespace fanfare::sim;
    Settings settings;
    if (!read_options(argc, argv, settings)) {
        std::printf(
            "usage: sim_tests [--durable] [--seeds N] [--from N] [--seed N] [--verbose] "
            "[--sabotage NAME]\n"
            "       sim_tests --check-itself [--seeds N]\n");
        return 2;
    }
    const bool is_good = settings.is_self_test ? finds_everything(settings) : run_all(settings);
    return is_good ? 0 : 1;
}
