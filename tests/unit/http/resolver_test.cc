#include "http/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <latch>

#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

Resolved found(const char* address) {
    Resolved resolved;
    resolved.addresses.push_back(net::ip::make_address(address));
    return resolved;
}

/// Turns the loop until `running` has ended; lookups are on real threads.
Resolved finish(net::io_context& context, test::Running<Resolved>& running) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!running.is_done() && std::chrono::steady_clock::now() < deadline) {
        context.restart();
        context.run_for(1ms);
    }
    return running.get();
}

Resolved ask(net::io_context& context, Resolver& resolver, const std::string& host) {
    test::Running<Resolved> running(context, resolver.resolve(host));
    return finish(context, running);
}

class ResolverTest : public testing::Test {
  protected:
    ThreadedResolver::Options options(std::function<Resolved(const std::string&)> lookup) {
        ThreadedResolver::Options options;
        options.lookup = std::move(lookup);
        return options;
    }

    net::io_context context_{1};
    test::ManualClock clock_;
};

TEST_F(ResolverTest, answers_literals_at_once) {
    ThreadedResolver resolver(clock_, options([](const std::string&) -> Resolved { abort(); }));

    const Resolved v4 = test::run(context_, resolver.resolve("127.0.0.1"));
    const Resolved v6 = test::run(context_, resolver.resolve("::1"));

    EXPECT_EQ(v4.addresses, found("127.0.0.1").addresses);
    EXPECT_EQ(v6.addresses, found("::1").addresses);
}

TEST_F(ResolverTest, asks_the_system_for_names) {
    ThreadedResolver resolver(clock_, {});

    const Resolved localhost = ask(context_, resolver, "localhost");

    ASSERT_FALSE(localhost.error) << localhost.error.message();
    const auto loopback = [](const net::ip::address& address) { return address.is_loopback(); };
    EXPECT_TRUE(std::all_of(localhost.addresses.begin(), localhost.addresses.end(), loopback));
}

TEST_F(ResolverTest, remembers_an_answer_for_its_ttl) {
    std::atomic<int> lookups = 0;
    ThreadedResolver resolver(clock_, options([&](const std::string&) {
                                  ++lookups;
                                  return found("10.0.0.1");
                              }));

    ask(context_, resolver, "name");
    clock_.advance(29s, context_);
    const Resolved again = ask(context_, resolver, "name");
    EXPECT_EQ(again.addresses, found("10.0.0.1").addresses);
    EXPECT_EQ(lookups, 1);

    clock_.advance(1s, context_);
    ask(context_, resolver, "name");
    EXPECT_EQ(lookups, 2);
}

TEST_F(ResolverTest, does_not_remember_failures) {
    std::atomic<int> lookups = 0;
    ThreadedResolver resolver(clock_, options([&](const std::string&) {
                                  Resolved resolved = found("10.0.0.1");
                                  if (++lookups == 1) resolved.error = net::error::host_not_found;
                                  return resolved;
                              }));

    EXPECT_EQ(ask(context_, resolver, "name").error, net::error::host_not_found);
    EXPECT_FALSE(ask(context_, resolver, "name").error);
}

TEST_F(ResolverTest, takes_a_lookup_that_throws_for_a_failure) {
    ThreadedResolver resolver(clock_, options([](const std::string&) -> Resolved {
                                  throw std::runtime_error("no memory");
                              }));

    EXPECT_EQ(ask(context_, resolver, "name").error, net::error::no_recovery);
}

TEST_F(ResolverTest, looks_a_name_up_once_for_all_who_wait) {
    std::atomic<int> lookups = 0;
    std::latch gate(1);
    ThreadedResolver resolver(clock_, options([&](const std::string&) {
                                  ++lookups;
                                  gate.wait();
                                  return found("10.0.0.1");
                              }));
    test::Running<Resolved> first(context_, resolver.resolve("name"));
    test::Running<Resolved> second(context_, resolver.resolve("name"));
    test::ManualClock::poll(context_);

    gate.count_down();

    EXPECT_EQ(finish(context_, first).addresses, found("10.0.0.1").addresses);
    EXPECT_EQ(finish(context_, second).addresses, found("10.0.0.1").addresses);
    EXPECT_EQ(lookups, 1);
}

// DESIGN 7, row 6: Asio's own resolver fails this one.
TEST_F(ResolverTest, answers_other_names_while_many_are_slow) {
    std::latch gate(1);
    ThreadedResolver resolver(clock_, options([&](const std::string& host) {
                                  if (host != "quick") gate.wait();
                                  return found("10.0.0.1");
                              }));
    std::vector<std::unique_ptr<test::Running<Resolved>>> slow;
    for (int i = 0; i < 100; ++i) {
        slow.push_back(std::make_unique<test::Running<Resolved>>(
            context_, resolver.resolve("slow" + std::to_string(i))));
    }
    test::ManualClock::poll(context_);

    EXPECT_FALSE(ask(context_, resolver, "quick").error);
    EXPECT_FALSE(slow.back()->is_done());
    gate.count_down();
    for (const auto& running : slow) EXPECT_FALSE(finish(context_, *running).error);
}

TEST_F(ResolverTest, lets_a_cancelled_waiter_go_at_once) {
    std::latch gate(1);
    ThreadedResolver resolver(clock_, options([&](const std::string&) {
                                  gate.wait();
                                  return found("10.0.0.1");
                              }));
    net::cancellation_signal cancel;
    error_code error;
    net::co_spawn(context_, resolver.resolve("slow"),
                  net::bind_cancellation_slot(
                      cancel.slot(), [&](const std::exception_ptr& exception, const Resolved&) {
                          try {
                              if (exception) std::rethrow_exception(exception);
                          } catch (const boost::system::system_error& e) {
                              error = e.code();
                          }
                      }));
    test::ManualClock::poll(context_);

    cancel.emit(net::cancellation_type::terminal);
    test::ManualClock::poll(context_);

    EXPECT_EQ(error, net::error::operation_aborted);
    gate.count_down();
}

TEST_F(ResolverTest, bounds_what_it_remembers) {
    std::atomic<int> lookups = 0;
    ThreadedResolver::Options few = options([&](const std::string&) {
        ++lookups;
        return found("10.0.0.1");
    });
    few.cache_names_max = 2;
    ThreadedResolver resolver(clock_, few);

    for (const char* host : {"a", "b", "c", "d"}) {
        EXPECT_FALSE(ask(context_, resolver, host).error) << host;
    }
    for (const char* host : {"a", "b", "c", "d"}) ask(context_, resolver, host);

    EXPECT_GE(lookups, 6);
}

TEST_F(ResolverTest, refuses_more_lookups_at_once_than_its_bound) {
    std::latch gate(1);
    ThreadedResolver::Options few = options([&](const std::string&) {
        gate.wait();
        return found("10.0.0.1");
    });
    few.cache_names_max = 1;
    ThreadedResolver resolver(clock_, few);
    test::Running<Resolved> slow(context_, resolver.resolve("slow"));
    test::ManualClock::poll(context_);

    EXPECT_EQ(test::run(context_, resolver.resolve("other")).error,
              net::error::host_not_found_try_again);

    gate.count_down();
    EXPECT_FALSE(finish(context_, slow).error);
}

}  // namespace
}  // namespace fanfare
