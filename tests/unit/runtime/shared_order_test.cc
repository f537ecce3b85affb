// Order over several processes, and that nothing is lost whatever becomes of them.
#include <map>
#include <random>
#include <set>

#include "shared_support.h"

namespace fanfare::test {
namespace {

using SharedOrder = SharedTest;

std::size_t number_of(const std::string& id) { return std::stoul(id); }

unsigned partition_of(const Event& event) {
    return static_cast<unsigned>(std::hash<std::string_view>()(event.action()) % log_partitions);
}

EndpointOptions by_action(unsigned max_in_flight = 8) {
    EndpointOptions options = many_at_once(max_in_flight);
    options.order_by = "/action";
    return options;
}

TEST_F(SharedOrder, strict_order_holds_over_processes_though_the_receiver_fails) {
    using Strategy = RetryPolicy::Strategy;
    for (const Strategy strategy : {Strategy::breaker, Strategy::exponential}) {
        const std::string name = strategy == Strategy::breaker ? "breaker" : "exponential";
        Receiver receiver;
        const auto script = [n = 0](const Attempt& a) mutable {
            return ++n % 3 ? deliver(a) : refuse(a);
        };
        for (int i = 0; i < 3; ++i) {
            EndpointOptions options;
            options.retry.strategy = strategy;
            begin().add(name, script, receiver, std::move(options));
        }
        poll();
        const std::string prefix = name == "breaker" ? "1" : "2";
        Strings expected;
        for (int i = 0; i < 60; ++i) {
            expected.push_back(prefix + std::to_string(100 + i));
            processes_[static_cast<std::size_t>(i) % 4]->store(expected.back());
            advance(100ms);
        }
        advance(1h);

        EXPECT_EQ(receiver.ids, expected) << name;
        EXPECT_GT(receiver.attempts, 60U);
        EXPECT_EQ(pending(name), 0U);
        for (std::size_t i = processes_.size() - 3; i < processes_.size(); ++i) {
            expect_shared_conserved(processes_[i]->snapshot_of(name));
            processes_[i]->drain(0s);
        }
        processes_.resize(1);
    }
}

TEST_F(SharedOrder, order_per_key_holds_while_processes_come_and_go) {
    world_.log.partition_of = partition_of;
    std::map<std::string, std::vector<std::size_t>> taken;
    std::minstd_rand random(7);
    const auto script = [&](const Attempt& attempt) {
        if (random() % 4 == 0) return refuse(attempt);
        const Event& event = *attempt.batch.front();
        taken[std::string(event.action())].push_back(number_of(std::string(event.id())));
        return deliver(attempt);
    };
    const auto join = [&]() -> void {
        SharedPipeline& process = begin();
        process.attempts_take = std::chrono::milliseconds(random() % 300);
        process.add("audit", script, receiver_, by_action());
    };
    join();
    join();
    poll();
    for (std::size_t i = 0; i < 400; ++i) {
        first().store(std::to_string(i), "key-" + std::to_string(random() % 20));
        if (i % 10 == 0) advance(std::chrono::milliseconds(random() % 2000));
        if (i % 40 == 20) {
            if (random() % 2 == 0) {
                processes_[1]->kill();
            } else {
                processes_[1]->drain(1s);
            }
            processes_.erase(processes_.begin() + 1);
            join();
        }
    }
    advance(1h);

    EXPECT_EQ(pending("audit"), 0U);
    std::set<std::size_t> all;
    for (const auto& [key, numbers] : taken) {
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << key;
        all.insert(numbers.begin(), numbers.end());
    }
    EXPECT_EQ(all.size(), 400U);
}

/// Processes of three endpoints each, one of every order, that things happen to at random.
class SharedChaos : public SharedTest, public testing::WithParamInterface<unsigned> {
  protected:
    static constexpr std::size_t events = 150;
    static const Strings& names() {
        static const Strings all = {"strict", "keyed", "free"};
        return all;
    }

    /// It goes to two of the endpoints only if it is of an odd key.
    static bool is_wanted(const std::string& name, std::size_t key) {
        return name == "strict" || key % 2 == 1;
    }
    static std::string action(std::size_t key) { return "key-" + std::to_string(key); }

    class OddKeys final : public Filter {
      public:
        bool wants(const Event& event) const noexcept override {
            return number_of(std::string(event.action().substr(4))) % 2 == 1;
        }
    };

    void join() {
        SharedPipeline& process = begin();
        process.attempts_take = std::chrono::milliseconds(random_() % 1500);
        for (const std::string& name : names()) {
            process.add(name, script(name), receiver_, of(name, process.letters));
        }
    }

    EndpointOptions of(const std::string& name, Letters& letters) {
        EndpointOptions options = name == "keyed" ? by_action(6) : many_at_once(5);
        if (name == "strict") {
            options.max_in_flight = 1;
            if (GetParam() % 2 == 0) options.retry.strategy = RetryPolicy::Strategy::breaker;
        } else {
            options.filter = std::make_shared<OddKeys>();
        }
        options.retry.attempts_max = 4;
        options.dead_letters = &letters;
        return options;
    }

    ScriptedSink::Script script(const std::string& name) {
        return [this, name](const Attempt& attempt) {
            if (is_ill_ && random_() % 3 != 0) return refuse(attempt);
            const Event& event = *attempt.batch.front();
            const std::string order = name == "keyed" ? std::string(event.action()) : "";
            taken_[name][order].push_back(number_of(std::string(event.id())));
            return deliver(attempt);
        };
    }

    /// A sender repeats until it is told that the event is stored.
    void send(std::size_t number) {
        for (;;) {
            SharedPipeline& process = *processes_[random_() % processes_.size()];
            process.results.clear();
            process.store(std::to_string(number), action(number % 9));
            advance(10ms);
            if (!process.results.empty() && process.results.back() == Stored::stored) return;
            world_.log.trouble = Trouble::none;
        }
    }

    void keep_letters() {
        for (const auto& process : processes_) {
            for (DeadLetter& letter : std::exchange(process->letters.all, {})) {
                given_up_[letter.endpoint].insert(number_of(std::string(letter.event->id())));
                letter.on_kept(*letter.event);
            }
        }
        poll();
    }

    void do_something() {
        const std::size_t which = random_() % processes_.size();
        switch (random_() % 10) {
            case 0:
                processes_[which]->kill();
                return replace(which);
            case 1:
                processes_[which]->drain(std::chrono::milliseconds(random_() % 2000));
                return replace(which);
            case 2:
                is_ill_ = !is_ill_;
                return;
            case 3:
                world_.log.loses_settles = !world_.log.loses_settles;
                return;
            case 4:
                world_.log.trouble = Trouble::stored_but_silent;
                return;
            case 5:
                world_.log.trouble = Trouble::unavailable;
                return;
            case 6:
                return keep_letters();
            case 7:
                return join();
            default:
                return advance(std::chrono::milliseconds(random_() % 5000));
        }
    }

    /// What letters it had not kept yet, it never will.
    void replace(std::size_t which) {
        processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(which));
        if (processes_.size() < 2) join();
    }

    void come_to_rest() {
        world_.log.trouble = Trouble::none;
        world_.log.loses_settles = false;
        is_ill_ = false;
        for (int i = 0; i < 200; ++i) {
            advance(20s);
            keep_letters();
        }
    }

    void expect_all_is_somewhere() {
        std::map<std::string, std::set<std::size_t>> found = given_up_;
        for (const auto& [name, orders] : taken_) {
            for (const auto& [order, numbers] : orders) {
                EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()) || name == "free")
                    << name << " " << order;
                found[name].insert(numbers.begin(), numbers.end());
            }
        }
        for (const std::string& name : names()) {
            EXPECT_EQ(pending(name), 0U) << name;
            for (std::size_t i = 0; i < events; ++i) {
                EXPECT_EQ(found[name].contains(i), is_wanted(name, i % 9)) << name << " " << i;
            }
        }
    }

    std::minstd_rand random_{GetParam() + 1};
    bool is_ill_ = false;
    std::map<std::string, std::set<std::size_t>> given_up_;
    std::map<std::string, std::map<std::string, std::vector<std::size_t>>> taken_;
};

TEST_P(SharedChaos, every_stored_event_is_delivered_or_given_up_at_all_who_want_it) {
    world_.log.partition_of = partition_of;
    processes_.clear();
    join();
    join();
    poll();
    for (std::size_t i = 0; i < events; ++i) {
        send(i);
        if (random_() % 3 == 0) do_something();
    }
    come_to_rest();

    expect_all_is_somewhere();
    for (const auto& process : processes_) {
        for (const std::string& name : names()) {
            const EndpointSnapshot snapshot = process->snapshot_of(name);
            expect_shared_conserved(snapshot);
            EXPECT_EQ(snapshot.shared->held, 0U);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SharedChaos, testing::Range(0U, 20U));

}  // namespace
}  // namespace fanfare::test
