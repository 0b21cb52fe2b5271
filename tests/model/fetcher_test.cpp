#include "model/fetcher.hpp"

#include <doctest/doctest.h>

using namespace eos::model;

namespace {

constexpr LogId log0{0};
constexpr BrokerId leader{1};
constexpr ProducerId anna{1};
constexpr ProducerId bert{2};

Batch records(std::int64_t base, std::int32_t count, std::optional<ProducerId> producer,
              bool transactional = true) {
    std::vector<Record> list;
    for (std::int32_t i = 0; i < count; ++i)
        list.push_back({RecordId{static_cast<std::uint64_t>(base + i)}, 0, 0});
    Batch batch;
    batch.base = {base};
    batch.count = count;
    batch.producer_id = producer;
    batch.transactional = producer && transactional;
    batch.payload = Payload(std::move(list));
    return batch;
}
Batch marker(std::int64_t base, ProducerId producer, ControlType control) {
    Batch batch;
    batch.base = {base};
    batch.producer_id = producer;
    batch.transactional = true;
    batch.control = control;
    return batch;
}
AbortedTxn aborted(ProducerId producer, std::int64_t first, std::int64_t last) {
    return {producer, {first}, {last}, {last + 1}};
}

/// A read_committed consumer of one log that stands at offset 0.
struct Reader {
    Reader() {
        config.isolation = Isolation::read_committed;
        subscriptions.assign({log0});
        subscriptions.seek(*subscriptions.find(log0), {{0}, {}, {leader, {}}}, guard);
    }
    void answer(std::vector<Batch> batches, std::vector<AbortedTxn> list) {
        FetchResponse response;
        FetchResponse::Part part;
        part.log = log0;
        part.fetch_offset = subscriptions.find(log0)->position->offset;
        part.batches = std::move(batches);
        part.aborted = std::move(list);
        response.parts.push_back(std::move(part));
        fetcher.answered(leader, &response);
    }
    std::vector<std::int64_t> poll(std::int32_t max = 500) {
        harvest = fetcher.collect({}, max, subscriptions, config, guard);
        std::vector<std::int64_t> offsets;
        for (const auto& chunk : harvest.chunks)
            for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i)
                offsets.push_back((chunk.base + i).value);
        return offsets;
    }
    [[nodiscard]] Offset position() const { return subscriptions.find(log0)->position->offset; }

    ConsumerConfig config;
    SubscriptionState subscriptions;
    Fetcher fetcher;
    Guard guard;
    Fetcher::Harvest harvest;
};

using Offsets = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("nothing of an aborted transaction is handed out, all of a committed one between it is") {
    Reader reader;
    reader.answer({records(0, 2, anna), records(2, 1, bert), marker(3, bert, ControlType::commit),
                   records(4, 1, anna), marker(5, anna, ControlType::abort), records(6, 1, anna),
                   marker(7, anna, ControlType::commit)},
                  {aborted(anna, 0, 5)});

    CHECK(reader.poll() == Offsets{2, 6});

    CHECK(reader.position() == Offset{8});
}

TEST_CASE("the list of aborted transactions need not be in order of their first records") {
    Reader reader;
    reader.answer({records(0, 1, bert), records(1, 1, anna), marker(2, anna, ControlType::abort),
                   marker(3, bert, ControlType::abort), records(4, 1, bert)},
                  {aborted(anna, 1, 2), aborted(bert, 0, 3)});

    CHECK(reader.poll() == Offsets{4});
}

TEST_CASE("what an aborted producer wrote outside transactions is handed out") {
    Reader reader;
    reader.answer({records(0, 1, anna), records(1, 1, anna, false), records(2, 1, {}),
                   marker(3, anna, ControlType::abort)},
                  {aborted(anna, 0, 3)});

    CHECK(reader.poll() == Offsets{1, 2});
}

TEST_CASE("a full poll ends inside an answer and the next one goes on with the same filter") {
    Reader reader;
    reader.answer({records(0, 1, bert), records(1, 1, anna), records(2, 3, bert),
                   records(5, 1, anna), marker(6, anna, ControlType::abort), records(7, 1, anna)},
                  {aborted(anna, 1, 6)});

    CHECK(reader.poll(2) == Offsets{0, 2});
    CHECK(reader.poll(2) == Offsets{3, 4});
    CHECK(reader.poll(2) == Offsets{7});
}

TEST_CASE("a position moves over an aborted transaction although there is no record to return") {
    Reader reader;
    reader.answer({records(0, 3, anna), marker(3, anna, ControlType::abort)},
                  {aborted(anna, 0, 3)});

    CHECK(reader.poll().empty());

    CHECK(reader.harvest.advanced);
    CHECK(reader.position() == Offset{4});
}

TEST_CASE("a read_uncommitted answer has no list and everything but markers is handed out") {
    Reader reader;
    FetchResponse response;
    FetchResponse::Part part;
    part.log = log0;
    part.batches = {records(0, 2, anna), marker(2, anna, ControlType::abort)};
    response.parts.push_back(part);
    reader.fetcher.answered(leader, &response);

    CHECK(reader.poll() == Offsets{0, 1});
}

TEST_CASE("without the filter aborted records are handed out and the guard remembers") {
    Reader reader;
    reader.guard.set.remove(Safeguard::aborted_filter);
    reader.guard.spared = {};
    reader.answer({records(0, 2, anna), marker(2, anna, ControlType::abort)},
                  {aborted(anna, 0, 2)});

    CHECK(reader.poll() == Offsets{0, 1});

    CHECK(reader.guard.spared.has(Safeguard::aborted_filter));
    CHECK(reader.position() == Offset{3});
}
