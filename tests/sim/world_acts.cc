// What can happen to a daemon.
#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "sim/world.h"

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

/// Several things at once, and at times some more while the daemon is at work on them.
void World::burst() {
    const std::uint64_t acts = random_.between(1, 4);
    // One reload: between two of them the first one's settings may already be used, which the books
    // could not tell from those of the second.
    const std::uint64_t reload_at = random_.percent(30) ? random_.below(acts) : acts;
    for (std::uint64_t i = 0; i < acts; ++i) {
        if (i == reload_at) {
            reload();
        } else {
            write();
        }
        if (random_.percent(10)) snapshot_now();
    }
    if (!random_.percent(30)) return;
    turn_a_little();
    write();
    if (random_.percent(50)) snapshot_now();
}

void World::turn_a_little() {
    daemon_->context().restart();
    const std::uint64_t turns = random_.between(1, 20);
    for (std::uint64_t i = 0; i < turns; ++i) daemon_->context().poll_one();
}

std::shared_ptr<Event> World::make_event() {
    const std::string id = "e" + std::to_string(++ids_);
    const std::string action = random_.pick<std::string>({"push", "pull", "delete"});
    std::string payload = R"({"id":")" + id + R"(","action":")" + action + "\"";
    if (random_.percent(80)) payload += R"(,"key":"k)" + std::to_string(random_.below(6)) + "\"";
    if (random_.percent(20)) {
        payload += R"(, "more": ")" + std::string(random_.below(600), 'x') + "\"";
    }
    payload += "}";
    payloads_[id] = payload;
    EventFields fields;
    fields.id = id;
    fields.action = action;
    const bool is_other = random_.percent(10);
    return Event::make(payload, fields, is_other ? MediaType::registry_v2 : MediaType::json);
}

void World::write() {
    std::vector<std::shared_ptr<Event>> events;
    const std::uint64_t count =
        random_.one_in(20) ? random_.between(10, 60) : random_.between(1, 5);
    for (std::uint64_t i = 0; i < count; ++i) events.push_back(make_event());
    if (store_) return store(std::move(events));
    const auto written = daemon_->broadcaster().write(events);
    if (!written || written->last_seq - written->first_seq + 1 != count) {
        return story_.fail("events are not taken");
    }
    written_ += count;
    story_.tell("write #", written->first_seq, " to #", written->last_seq);
    for (const std::shared_ptr<Event>& event : events) {
        for (Chain& chain : chains_) {
            if (!chain.ledger->is_removed()) chain.ledger->offered(event, key_of(*event));
        }
    }
}

std::string World::key_of(const Event& event) {
    const std::string_view payload = event.payload();
    const std::size_t at = payload.find(R"("key":")");
    return at == std::string_view::npos ? std::string() : std::string(payload.substr(at + 7, 2));
}

World::Chain* World::pick_chain() {
    std::vector<Chain*> alive;
    for (Chain& chain : chains_) {
        if (!chain.ledger->is_removed()) alive.push_back(&chain);
    }
    return alive.empty() ? nullptr : random_.pick(alive);
}

void World::add_chain(EndpointChanges& changes) {
    if (chains_.size() >= 40) return;
    // A name that was removed may come again, and meet itself.
    std::string name = "a" + std::to_string(random_.below(6));
    for (const Chain& chain : chains_) {
        const bool is_free = store_ ? chain.ledger->is_written_off() : chain.ledger->is_removed();
        if (chain.ledger->name() == name && !is_free) return;
    }
    const Plan plan = make_plan(name, plan_limits_, random_);
    story_.tell("add ", describe(plan));
    if (Chain* const removed = find_removed(name)) {
        graveyard_.push_back(std::move(*removed));
        removed->ledger = std::make_unique<Ledger>(plan, clock_, story_);
        bring_back(*removed, *graveyard_.back().ledger, true);
        changes.added.push_back(removed->endpoint);
        return;
    }
    Chain chain;
    chain.ledger = std::make_unique<Ledger>(plan, clock_, story_);
    chain.endpoint = daemon_->make_endpoint(plan, *chain.ledger);
    changes.added.push_back(chain.endpoint);
    chains_.push_back(std::move(chain));
}

void World::reload() {
    EndpointChanges changes;
    changes.drain =
        random_.percent(50) ? Duration::zero() : random_.between(Duration(1ms), Duration(2min));
    for (Chain& chain : chains_) {
        Ledger& ledger = *chain.ledger;
        if (ledger.is_removed()) continue;
        if (random_.percent(15)) {
            story_.tell("remove ", ledger.name(), " within ", changes.drain);
            changes.removed.push_back(ledger.name());
            ledger.removed(clock_.now() + changes.drain, DropReason::removed);
        } else if (random_.percent(40)) {
            const Plan plan = change_plan(ledger.plan(), plan_limits_, random_);
            story_.tell("change ", describe(plan));
            changes.changed.push_back(daemon_->endpoint_options(plan, ledger));
            ledger.changed(plan);
        }
    }
    while (random_.percent(50)) add_chain(changes);
    const std::vector<std::string> removed = changes.removed;
    if (!daemon_->broadcaster().apply(std::move(changes))) story_.fail("a reload is refused");
    if (!store_ || removed.empty()) return;
    daemon_->journal().use([this, removed](EventStore& store) {
        for (const StoredEndpoint& endpoint : store.endpoints()) {
            const bool is_it = std::count(removed.begin(), removed.end(), endpoint.name) > 0;
            if (is_it) store.remove_endpoint(endpoint.id, clock_.wall());
        }
    });
}

void World::snapshot_now() {
    using Snapshots = test::Running<Snapshot>;
    snapshots_.emplace_back(
        std::make_unique<Snapshots>(daemon_->context(), daemon_->broadcaster().snapshot()),
        store_ ? stored_ : written_);
}

/// At any moment, not only at a quiet one.
void World::check_conserved(const Snapshot& snapshot, std::uint64_t written) {
    if (snapshot.ingested_events < written) story_.fail("a snapshot misses events");
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
        const EndpointMetrics& m = endpoint.metrics;
        const std::uint64_t ends = m.ignored_events() + m.dropped_events() + m.dead_letters() +
                                   m.successes() + endpoint.pending_events;
        if (m.offered_events() + m.restored_events() != ends)
            story_.fail(endpoint.name, " is not conserved");
    }
}

void World::pause() {
    Chain* const chain = pick_chain();
    if (chain == nullptr) return;
    story_.tell("pause ", chain->ledger->name());
    chain->endpoint->pause();
    chain->ledger->paused();
}

void World::resume() {
    Chain* const chain = pick_chain();
    if (chain == nullptr) return;
    story_.tell("resume ", chain->ledger->name());
    chain->endpoint->resume();
    chain->ledger->resumed();
}

void World::purge() {
    Chain* const chain = pick_chain();
    if (chain == nullptr) return;
    story_.tell("purge ", chain->ledger->name());
    test::Running<std::optional<std::size_t>> purge(
        daemon_->context(), daemon_->broadcaster().purge(chain->endpoint));
    // Nothing else is due at this moment, so that nothing begins before the purge.
    test::ManualClock::poll(daemon_->context());
    if (!purge.is_done()) return story_.fail("a purge does not end");
    chain->ledger->purged(purge.get().value());
}

void World::replay() {
    Chain* const chain = pick_chain();
    if (chain == nullptr) return;
    std::vector<Replayed> events;
    for (const KeptLetter& letter : chain->ledger->letters()) {
        if (letter.is_replayed || events.size() >= 10) continue;
        const Event& old = *letter.event;
        EventFields fields;
        fields.id = old.id();
        fields.action = old.action();
        events.push_back({Event::make(old.payload(), fields, old.type()), letter.id});
    }
    if (events.empty()) return;
    const std::vector<Replayed> copy = events;
    if (!daemon_->broadcaster().replay(chain->endpoint, std::move(events))) {
        return story_.fail("a replay is refused");
    }
    for (const Replayed& replayed : copy) {
        story_.tell("replay ", replayed.event->id(), " as #", replayed.event->seq());
        chain->ledger->offered(replayed.event, key_of(*replayed.event), replayed.letter);
        chain->ledger->replayed(replayed.letter);
    }
}

void World::step_wall_clock() {
    const Duration hour = 1h;
    const Duration step = random_.pick<Duration>({hour, -hour, hour * 24 * 365, -hour * 24 * 365});
    story_.tell("the wall clock steps by ", step);
    clock_.step_wall(step);
    has_stepped_ = true;
}

void World::change_moods() {
    for (Receiver& receiver : receivers_) {
        if (random_.percent(50)) receiver.change_mood();
    }
}

void World::lose_names() {
    story_.tell("names are not found");
    daemon_->web().set_names(false);
    const Duration time = random_.between(Duration(10ms), Duration(30s));
    agenda_.add(clock_.now() + time, [this] { daemon_->web().set_names(true); });
}

}  // namespace fanfare::sim
