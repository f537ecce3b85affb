#include "sim/web.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;

constexpr unsigned first_port = 1000;

std::string field(const std::string& head, const std::string& name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

/// The values of all ids in a body.
std::vector<std::string> ids_in(const std::string& body) {
    const std::string before = R"({"id":")";
    std::vector<std::string> ids;
    for (std::size_t at = body.find(before); at != std::string::npos; at = body.find(before, at)) {
        at += before.size();
        ids.push_back(body.substr(at, body.find('"', at) - at));
    }
    return ids;
}

std::string text_of(const Reply& reply, bool is_last) {
    if (reply.kind == Reply::Kind::garbage) return "SMTP ready\r\n\r\n";
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Answer\r\n";
    if (reply.retry_after) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*reply.retry_after);
        text += "Retry-After: " + std::to_string(seconds.count()) + "\r\n";
    }
    if (is_last) text += "Connection: close\r\n";
    if (reply.status == 204) return text + "\r\n";
    return text + "Content-Length: 2\r\n\r\nok";
}

}  // namespace

struct Web::Request {
    std::string head;
    std::string body;
    std::vector<std::string> ids;
};

Web::Web(World world) : world_(std::move(world)) {
    set_names(true);
    network_.on_connect = [this](const ConnectTarget& target) {
        const std::optional<bool> takes =
            world_.receivers.at(target.port - first_port).takes_connection();
        if (!takes) return error_code(net::error::in_progress);
        return *takes ? error_code() : error_code(net::error::connection_refused);
    };
    network_.on_connected = [this](test::FakeWire&) { connected(); };
}

std::string Web::url(unsigned receiver) {
    return "http://receiver.test:" + std::to_string(first_port + receiver) + "/hook";
}

void Web::set_names(bool are_known) {
    network_.names = {};
    if (are_known) {
        network_.names.addresses = {net::ip::make_address("10.0.0.1")};
    } else {
        network_.names.error = net::error::host_not_found;
    }
}

void Web::connected() {
    // Those that are closed are not needed any more.
    std::erase_if(network_.wires, [](const auto& wire) { return wire->is_closed; });
    Receiver& receiver = world_.receivers.at(network_.targets.back().port - first_port);
    network_.targets.clear();
    const std::weak_ptr<test::FakeWire> wire = network_.wires.back();
    network_.wires.back()->on_sent = [this, wire, &receiver] {
        if (const test::FakeWirePtr alive = wire.lock()) serve(alive, receiver);
    };
}

/// One request if it is there as a whole.
void Web::serve(const test::FakeWirePtr& wire, Receiver& receiver) {
    const std::size_t head_end = wire->sent.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    Request request;
    request.head = wire->sent.substr(0, head_end + 2);
    const std::size_t length = std::stoul(field(request.head, "Content-Length"));
    if (wire->sent.size() < head_end + 4 + length) return;
    request.body = wire->sent.substr(head_end + 4, length);
    wire->sent.erase(0, head_end + 4 + length);
    request.ids = ids_in(request.body);
    check(request, receiver);
    const Duration timeout =
        std::chrono::milliseconds(std::stol(field(request.head, "Sim-Timeout")));
    answer(wire, receiver.reply(request.ids, timeout));
}

void Web::check(const Request& request, Receiver& receiver) {
    const std::string id = field(request.head, "webhook-id");
    receiver.see(field(request.head, "Sim-Endpoint") + " " + id, request.body);
    const bool is_single = request.ids.size() == 1;
    if (request.ids.empty() || (is_single && request.ids.front() != id)) {
        world_.story.fail("a request under the id ", id, " with another event");
    }
    for (const std::string& event : request.ids) {
        if (request.body.find(world_.payload_of(event)) == std::string::npos) {
            world_.story.fail("a request without the payload of ", event, ": ", request.body);
        }
    }
}

void Web::answer(const test::FakeWirePtr& wire, const Reply& reply) {
    Random& random = world_.random;
    const bool is_last = random.one_in(10);
    const std::string text = text_of(reply, is_last);
    if (reply.kind == Reply::Kind::silence) return;
    // At times it comes in two parts.
    const std::size_t cut = random.one_in(4) ? random.below(text.size()) : 0;
    if (reply.kind == Reply::Kind::reset) {
        const std::size_t sent = random.below(text.size());
        return later(wire, reply.delay, [text, sent](test::FakeWire& alive) {
            alive.answer(text.substr(0, sent));
            alive.end(net::error::connection_reset);
        });
    }
    const bool ends = is_last || random.one_in(10);
    const auto rest = [text, cut, ends](test::FakeWire& alive) {
        alive.answer(text.substr(cut));
        if (!ends) return;
        alive.is_stale = true;
        alive.end(net::error::eof);
    };
    if (cut > 0) {
        later(wire, reply.delay / 2,
              [text, cut](test::FakeWire& alive) { alive.answer(text.substr(0, cut)); });
    }
    later(wire, reply.delay, rest);
}

void Web::later(const test::FakeWirePtr& wire, Duration delay,
                std::function<void(test::FakeWire&)> work) {
    if (delay <= Duration::zero()) return work(*wire);
    const std::weak_ptr<test::FakeWire> weak = wire;
    world_.agenda.add(world_.clock.now() + delay, [weak, work = std::move(work)] {
        const test::FakeWirePtr alive = weak.lock();
        if (alive && !alive->is_closed) work(*alive);
    });
}

}  // namespace fanfare::sim
