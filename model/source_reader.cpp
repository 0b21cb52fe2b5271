#include "model/source_reader.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

/// How long one poll of a split reader waits for records.
constexpr auto split_poll_timeout = milliseconds(500);

std::uint64_t reader_actor(ProcessId process) {
    return (static_cast<std::uint64_t>(process.app.value) << 32) |
           static_cast<std::uint64_t>(process.instance);
}

}  // namespace

std::vector<SplitState> initial_splits(const Topology& topology, const std::vector<TopicId>& topics,
                                       std::int32_t subtask, std::int32_t parallelism) {
    std::vector<SplitState> result;
    for (const TopicId id : topics) {
        const auto& topic = topology.topics[static_cast<std::size_t>(id.value)];
        const auto hash = static_cast<std::uint32_t>(java_string_hash(topic.name)) * 31U;
        const auto start = static_cast<std::int32_t>(hash & 0x7fffffffU) % parallelism;
        for (std::int32_t p = 0; p < topic.partitions; ++p)
            if ((start + p) % parallelism == subtask)
                result.push_back({topic.first + p, std::nullopt});
    }
    std::sort(result.begin(), result.end(),
              [](const SplitState& a, const SplitState& b) { return a.log < b.log; });
    return result;
}

SourceReader::SourceReader(const ClientSetup& setup, ProcessId process, std::int32_t session,
                           std::vector<SplitState> splits)
    : splits_(std::move(splits)),
      consumer_(setup.consumer, setup.topology, process,
                sim::Rng::stream(setup.seed, "consumer", reader_actor(process),
                                 static_cast<std::uint64_t>(session))) {}

void SourceReader::open(const Context& ctx, Fx& fx) {
    std::vector<LogId> logs;
    std::vector<LogId> unread;
    for (const auto& split : splits_) {
        logs.push_back(split.log);
        if (!split.offset) unread.push_back(split.log);
    }
    if (logs.empty()) return;
    consumer_.assign(ctx, std::move(logs), fx);
    for (const auto& split : splits_)
        if (split.offset) consumer_.seek(ctx, split.log, *split.offset, fx);
    if (!unread.empty()) consumer_.seek_to_beginning(ctx, unread, fx);
}

void SourceReader::want(const Context& ctx, std::int32_t most, Fx& fx) {
    if (polling_ || has_records() || failure_ || splits_.empty()) return;
    polling_ = true;
    consumer_.poll(ctx, most, split_poll_timeout, fx);
    take_events();
}

std::vector<Chunk> SourceReader::take() {
    auto chunks = std::exchange(waiting_, {});
    for (const auto& chunk : chunks)
        for (auto& split : splits_)
            if (split.log == chunk.log) split.offset = chunk.next_offset();
    return chunks;
}

void SourceReader::commit_offsets(const Context& ctx, const std::vector<SplitState>& positions,
                                  Fx& fx) {
    std::vector<CommitOffset> offsets;
    for (const auto& split : positions)
        if (split.offset) offsets.push_back({split.log, *split.offset, std::nullopt, 0});
    if (offsets.empty() || consumer_.closed()) return;
    (void)consumer_.commit_async(ctx, std::move(offsets), fx);
    take_events();
}

std::optional<Offset> SourceReader::position(LogId log) const {
    const auto waits = std::any_of(waiting_.begin(), waiting_.end(),
                                   [&](const Chunk& chunk) { return chunk.log == log; });
    if (!waits) return consumer_.position(log);
    for (const auto& split : splits_)
        if (split.log == log) return split.offset;
    return std::nullopt;
}

void SourceReader::take_events() {
    for (auto& event : consumer_.take_events()) {
        // A commit that failed changes nothing: nobody reads from it (F16).
        auto* returned = std::get_if<consumer_event::PollReturned>(&event);
        if (returned == nullptr) continue;
        polling_ = false;
        if (returned->result != CallResult::ok)
            failure_ = returned->error == ErrorCode::none ? ErrorCode::unknown_server_error
                                                          : returned->error;
        waiting_ = std::move(returned->chunks);
    }
}

void SourceReader::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                            Message&& message, Fx& fx) {
    consumer_.on_reply(ctx, from, correlation, std::move(message), fx);
    take_events();
}

void SourceReader::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    consumer_.on_link(ctx, peer, event, fx);
    take_events();
}

void SourceReader::on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
    consumer_.on_timer(ctx, key, fx);
    take_events();
}

}  // namespace eos::model
