#include "sim/network.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::sim {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

std::size_t position(NodeId node) { return static_cast<std::size_t>(node.value); }
std::uint64_t name(NodeId node) { return static_cast<std::uint64_t>(node.value); }

}  // namespace

void Network::add_node(std::optional<Spread> latency) {
    ensure(paths_.empty(), "nodes are added before anybody speaks");
    ++nodes_;
    latencies_.push_back(latency);
    index_.assign(nodes_ * nodes_, no_slot);
}

void Network::configure(NodeId from, NodeId to, const LinkConfig& config) {
    ensure(paths_.empty(), "links are configured before anybody speaks");
    const auto number = static_cast<std::uint32_t>(configs_.size());
    configs_.push_back(config);
    pairs_.push_back({from, to, number});
}

Path& Network::path(NodeId from, NodeId to) {
    const std::size_t place = position(from) * nodes_ + position(to);
    ensure(position(from) < nodes_ && position(to) < nodes_, "a path joins nodes that exist");
    if (index_[place] == no_slot) index_[place] = add_path(from, to);
    return paths_[index_[place]];
}

// Paths appear when first used: a world of a hundred nodes has few of the ten thousand pairs.
Slot Network::add_path(NodeId from, NodeId to) {
    Path path;
    path.from = from;
    path.to = to;
    for (const Pair& pair : pairs_)
        if (pair.from == from && pair.to == to) path.config = pair.config;
    path.latency = configs_[path.config].latency;
    if (path.config == 0) {
        if (latencies_[position(from)])
            path.latency = *latencies_[position(from)];
        else if (latencies_[position(to)])
            path.latency = *latencies_[position(to)];
    }
    path.latencies = Rng::stream(seed_, "link-latency", name(from), name(to));
    path.spikes = Rng::stream(seed_, "link-spike", name(from), name(to));
    path.disconnects = Rng::stream(seed_, "link-disconnect", name(from), name(to));
    path.ghosts = Rng::stream(seed_, "link-ghost", name(from), name(to));
    paths_.push_back(std::move(path));
    return static_cast<Slot>(paths_.size() - 1);
}

Channel& Network::channel(NodeId client, Peer to) {
    auto& channels = path(client, to.node).channels;
    const auto found = std::ranges::lower_bound(channels, to.lane, {}, &Channel::lane);
    if (found != channels.end() && found->lane == to.lane) return *found;
    return *channels.insert(found, Channel{.lane = to.lane});
}

Slot Network::current(NodeId client, Peer to) { return channel(client, to).current; }

Slot Network::find(NodeId server, const ReplyTo& to) {
    Slot slot = channel(to.client, {server, to.lane}).newest;
    while (slot != no_slot && connections_[slot].life != to.connection)
        slot = connections_[slot].older;
    return slot;
}

Slot Network::open(NodeId client, Peer to, bool extra) {
    Channel& channel = this->channel(client, to);
    Connection fresh;
    fresh.client = client;
    fresh.server = to.node;
    fresh.lane = to.lane;
    fresh.life = ++channel.lives;
    fresh.older = channel.newest;
    fresh.extra = extra;
    const Slot slot = connections_.insert(std::move(fresh));
    channel.newest = slot;
    if (!extra) {
        ensure(channel.current == no_slot, "a client uses one connection of a channel at a time");
        channel.current = slot;
        refer(slot);
    }
    return slot;
}

void Network::detach(Slot slot) {
    const Connection& connection = connections_[slot];
    Channel& channel = this->channel(connection.client, {connection.server, connection.lane});
    if (channel.current != slot) return;
    channel.current = no_slot;
    release(slot);
}

void Network::release(Slot slot) {
    Connection& connection = connections_[slot];
    ensure(connection.references > 0, "a connection is released as often as it was referred to");
    if (--connection.references > 0) return;
    Channel& channel = this->channel(connection.client, {connection.server, connection.lane});
    Slot* link = &channel.newest;
    while (*link != slot) link = &connections_[*link].older;
    *link = connection.older;
    connections_.erase(slot);
}

Duration Network::transit(Path& path, std::int64_t bytes) {
    const LinkConfig& config = configs_[path.config];
    Duration time = path.latencies.duration(path.latency) + path.extra;
    if (path.spikes.chance(config.spike)) time += path.spikes.duration(config.spike_extra);
    const std::int64_t rate = path.narrowed_to != 0 ? path.narrowed_to : config.bytes_per_second;
    if (rate > 0) {
        const auto scaled = static_cast<__int128>(bytes) * nanoseconds_per_second / rate;
        time += Duration{static_cast<std::int64_t>(scaled)};
    }
    return time;
}

boost::container::small_vector<Slot, 8> Network::between(NodeId client, NodeId server) {
    boost::container::small_vector<Slot, 8> found;
    const std::size_t place = position(client) * nodes_ + position(server);
    if (index_[place] == no_slot) return found;
    for (const Channel& channel : paths_[index_[place]].channels)
        for (Slot slot = channel.newest; slot != no_slot; slot = connections_[slot].older)
            found.push_back(slot);
    return found;
}

}  // namespace eos::sim
