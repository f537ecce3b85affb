#include "sim/world.h"

#include <algorithm>

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

World::World(const Options& options)
    : options_(options),
      random_(options.seed),
      sabotage_random_(options.seed),
      story_(clock_, options.is_verbose) {}

World::~World() { agenda_.detach(); }

void World::run() {
    set_up();
    const std::uint64_t steps = random_.between(10, 60);
    for (std::uint64_t i = 0; i < steps && !story_.has_failed(); ++i) step();
    settle();
    const bool is_healed = random_.percent(70);
    if (is_healed && !story_.has_failed()) heal();
    if (options_.is_durable && !story_.has_failed()) restart_in_order();
    const Duration limit = random_.between(Duration(0ms), Duration(2min));
    shut_down(story_.has_failed() ? Duration::zero() : limit);
}

void World::set_up() {
    const std::uint64_t receivers = random_.between(1, 4);
    receivers_.reserve(receivers);
    for (unsigned i = 0; i < receivers; ++i) receivers_.emplace_back(i, random_, story_);
    plan_limits_.receivers = static_cast<unsigned>(receivers);
    plan_limits_.http_percent = options_.http_percent;
    plan_limits_.is_durable = options_.is_durable;
    if (options_.is_durable) store_ = std::make_unique<SimStore>(test::MemoryStore());
    start_daemon();
    EndpointChanges changes;
    const std::uint64_t endpoints = random_.between(1, 4);
    for (std::uint64_t i = 0; i < endpoints; ++i) add_chain(changes);
    daemon_->broadcaster().apply(std::move(changes));
    settle();
}

void World::start_daemon() {
    Web::World web{receivers_, agenda_, random_,
                   story_,     clock_,  [this](const std::string& id) { return payloads_[id]; }};
    Daemon::Options options{clock_,
                            std::move(web),
                            static_cast<unsigned>(random_.between(1, 2)),
                            options_.sabotage,
                            sabotage_random_,
                            store_.get(),
                            [this] {
                                is_broken_ = true;
                                broken_at_ = clock_.now();
                            }};
    if (store_ && options_.sabotage == Sabotage::store_forgets) store_->set_forgetful();
    is_broken_ = has_stepped_ = is_ending_ = false;
    stored_ = 0;
    daemon_ = std::make_unique<Daemon>(options);
    agenda_.attach(daemon_->context().get_executor());
}

void World::step() {
    using Act = void (World::*)();
    static const std::vector<std::pair<unsigned, Act>> memory_acts = {
        {60, &World::burst},        {6, &World::pause},      {8, &World::resume},
        {3, &World::purge},         {4, &World::replay},     {6, &World::step_wall_clock},
        {20, &World::change_moods}, {2, &World::lose_names},
    };
    static const std::vector<std::pair<unsigned, Act>> disk_acts = {
        {60, &World::burst},        {6, &World::pause},           {8, &World::resume},
        {3, &World::purge},         {6, &World::step_wall_clock}, {20, &World::change_moods},
        {2, &World::lose_names},    {10, &World::crash},          {3, &World::restart_in_order},
        {15, &World::keep_letters}, {3, &World::fill_disk},       {2, &World::break_disk},
    };
    const auto& acts = options_.is_durable ? disk_acts : memory_acts;
    unsigned sum = 0;
    for (const auto& [weight, act] : acts) sum += weight;
    std::uint64_t drawn = random_.below(sum);
    for (const auto& [weight, act] : acts) {
        if (drawn < weight) {
            (this->*act)();
            break;
        }
        drawn -= weight;
    }
    settle();
    if (random_.percent(60)) pass(draw_wait());
}

/// Mostly short, at times long.
Duration World::draw_wait() {
    switch (random_.below(10)) {
        case 0:
            return random_.between(Duration(1min), Duration(3h));
        case 1:
        case 2:
            return random_.between(Duration(1s), Duration(1min));
        case 3:
        case 4:
        case 5:
            return random_.between(Duration(100ms), Duration(1s));
        default:
            return random_.between(Duration(1us), Duration(100ms));
    }
}

/// Until nothing more happens at this moment.
void World::settle() {
    test::ManualClock::poll(daemon_->context());
    check();
    // The process ends when its store fails.
    if (is_broken_ && !is_ending_ && !story_.has_failed()) restart(false);
}

void World::pass(Duration step) {
    if (story_.has_failed()) return;
    clock_.advance(step, daemon_->context());
    settle();
}

void World::check() {
    if (story_.has_failed()) return;
    for (auto& [running, written] : snapshots_) {
        if (!running->is_done()) {
            story_.fail("a snapshot does not come");
        } else {
            check_conserved(running->get(), written);
        }
    }
    snapshots_.clear();
    // A process whose store has failed only has to end.
    if (is_broken_) return;
    std::erase_if(storing_, [](const auto& storing) {
        return storing->result.has_value() && storing->result != Broadcaster::Stored::failed;
    });
    if (!storing_.empty()) story_.fail("there is no word from the disk");
    for (Chain& chain : chains_) {
        if (chain.endpoint) chain.ledger->check_quiet(chain.endpoint->snapshot());
    }
}

bool World::is_all_done() const {
    return std::all_of(chains_.begin(), chains_.end(), [](const Chain& chain) {
        return chain.ledger->has_ended() || chain.ledger->pending() == 0;
    });
}

/// Once all receivers are well, everything comes to its end within a foreseeable time.
void World::heal() {
    story_.tell("all is well from now on");
    for (Receiver& receiver : receivers_) receiver.set_mood(Receiver::Mood::well);
    daemon_->web().set_names(true);
    if (store_) store_->set_full(false);
    for (Chain& chain : chains_) {
        if (chain.ledger->is_removed()) continue;
        chain.endpoint->resume();
        chain.ledger->resumed();
        settle();
    }
    // An answer that was under way may still ask for an hour.
    for (int i = 0; i < 60 && !is_all_done(); ++i) {
        if (options_.is_durable) keep_letters();
        pass(3min);
    }
    if (is_all_done() || story_.has_failed()) return;
    for (const Chain& chain : chains_) {
        if (chain.ledger->pending() == 0 || chain.ledger->has_ended()) continue;
        story_.fail(chain.ledger->name(), " still has ", std::uint64_t{chain.ledger->pending()},
                    " events three hours after all was well");
    }
}

void World::shut_down(Duration limit) {
    story_.tell("shutdown within ", limit);
    is_ending_ = true;
    const TimePoint deadline = clock_.now() + limit;
    test::Running<void> drain(daemon_->context(), daemon_->broadcaster().drain(deadline));
    for (Chain& chain : chains_) chain.ledger->removed(deadline, DropReason::shutdown);
    settle();
    while (clock_.now() < deadline && !drain.is_done() && !story_.has_failed()) {
        const Duration left = deadline - clock_.now();
        pass(std::min(left, random_.between(Duration(1ms), Duration(10s))));
        // What is on a disk need not be waited for.
        const bool may_end = is_all_done() || options_.is_durable;
        const bool must_end = is_all_done() && !options_.is_durable;
        if (drain.is_done() ? !may_end : must_end)
            story_.fail("the end does not come when it should");
    }
    clock_.advance(deadline - clock_.now(), daemon_->context());
    check();
    if (!drain.is_done()) story_.fail("the end does not come");
}

}  // namespace fanfare::sim
