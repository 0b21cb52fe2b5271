#pragma once
// What a cluster and its clients know at one moment, as plain data with names in place of numbers:
// made by the composition root, turned into screens by render/state. Nothing here is judged; it is
// what kafka-transactions, kafka-consumer-groups, kafka-get-offsets and a debugger would show, all
// of the same instant.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/time.hpp"

namespace eos::reports::state {

struct Node {
    std::string name;        ///< "broker 2", "shop/0"
    std::string kind;        ///< controller, broker, app
    std::string condition;   ///< alive, paused, down
    std::int32_t ended = 0;  ///< how often its process has ended
    bool fenced = false;     ///< brokers: as the controller has it
    std::optional<std::int64_t> broker_epoch;
};

struct Replica {
    std::int32_t broker = 0;
    std::string condition;  ///< of the broker
    bool leads = false;     ///< believes so itself: a deposed leader may not know yet
    bool in_sync = false;   ///< as the controller has it
    std::int64_t log_start = 0;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable = 0;
    std::int64_t log_end = 0;
    std::int64_t stored = 0;                 ///< below this offset a power loss takes nothing
    std::optional<std::int32_t> last_epoch;  ///< leader epoch of its newest batch
};
struct OpenTransaction {
    std::int64_t producer_id = 0;
    std::int32_t epoch = 0;
    std::int64_t first_offset = 0;
    std::string txid;  ///< empty: no coordinator knows this producer id
};
struct Partition {
    std::string name;  ///< "orders/0"
    bool internal = false;
    std::optional<std::int32_t> leader;  ///< as the controller has it, like all up to `elr`
    std::int32_t leader_epoch = 0;
    std::vector<std::int32_t> in_sync;
    std::vector<std::int32_t> elr;
    std::vector<Replica> replicas;  ///< in assignment order
    /// Of the replica that leads: the offset that holds readers of committed data back.
    std::optional<std::int64_t> first_unstable;
    std::vector<OpenTransaction> open;  ///< by first offset
};

/// What the leader of a partition remembers of a producer.
struct Producer {
    std::string partition;
    std::int32_t broker = 0;
    std::int64_t producer_id = 0;
    std::int32_t epoch = 0;
    std::optional<std::int32_t> first_sequence;  ///< of the oldest batch remembered
    std::optional<std::int32_t> last_sequence;
    std::optional<std::int64_t> last_offset;
    std::int32_t batches = 0;                       ///< remembered to recognise a repetition
    std::optional<std::int64_t> open_from;          ///< first offset of its open transaction
    std::optional<std::int32_t> coordinator_epoch;  ///< of the last marker
};

struct Enrolled {
    std::string partition;
    std::string marker;  ///< to send, sent, waits for a leader; empty: not ended yet
};
struct Transaction {
    std::string txid;
    std::string coordinator;  ///< "broker 3"; a deposed one may still believe it is
    std::string log;          ///< its partition of __transaction_state
    std::int32_t coordinator_epoch = 0;
    std::string state;    ///< Kafka's spelling: "PrepareCommit"
    std::string pending;  ///< the state it is about to enter; empty: none
    std::int64_t producer_id = -1;
    std::int32_t epoch = -1;
    std::int32_t last_epoch = -1;
    std::int32_t number = 0;  ///< the ledger's name of its newest transaction; 0: none yet
    std::optional<sim::Instant> began;
    sim::Instant last_update{};
    sim::Duration timeout{};
    std::vector<Enrolled> partitions;
};

struct Member {
    std::string id;      ///< 16 hexadecimal digits
    std::string client;  ///< "biller/0"; empty: has not spoken since the load
    std::optional<std::int32_t> instance;
    std::optional<std::int32_t> epoch;  ///< KIP-848
    std::string state;                  ///< KIP-848, or what a classic member waits for
    bool leads = false;
    std::vector<std::string> assigned;
    std::vector<std::string> revoking;  ///< KIP-848, as is `target`
    std::vector<std::string> target;
};
struct CommittedOffset {
    std::string partition;
    std::int64_t offset = 0;
};
struct PendingOffset {
    std::string partition;
    std::int64_t offset = 0;
    std::int64_t producer_id = 0;
    std::string txid;  ///< empty: unknown
};
struct Group {
    std::string name;
    std::string coordinator;
    std::string log;                           ///< its partition of __consumer_offsets
    std::string protocol;                      ///< classic, consumer
    std::string state;                         ///< Kafka's spelling
    std::int32_t generation = 0;               ///< KIP-848: the group epoch
    std::optional<std::int32_t> target_epoch;  ///< KIP-848
    std::string assignor;
    std::vector<Member> members;
    std::vector<CommittedOffset> offsets;
    std::vector<PendingOffset> pending;  ///< written in a transaction that no marker has ended
};

/// A coordinator that still reads its log.
struct Loading {
    std::string log;
    std::string broker;
};

struct Numbered {
    std::string partition;
    std::int32_t next_sequence = 0;
    std::optional<std::int32_t> acked_sequence;
    std::int32_t in_flight = 0;  ///< batches
};
struct ClientProducer {
    std::string state;  ///< of its transaction manager: "IN_TRANSACTION"; empty: has none
    std::string txid;   ///< empty: not transactional
    std::optional<std::int64_t> producer_id;
    std::optional<std::int32_t> epoch;
    std::int32_t number = 0;  ///< of the transaction under way; 0: none
    std::string error;        ///< the last one; empty: none
    std::string waits_for;    ///< the transactional request without an answer
    std::int64_t open_sends = 0;
    std::vector<std::string> enrolled;
    std::vector<std::string> to_enrol;
    std::vector<Numbered> partitions;
};
struct Position {
    std::string partition;
    std::optional<std::int64_t> offset;
    std::string state;  ///< Kafka's spelling: "FETCHING"
};
struct ClientConsumer {
    std::string group;
    std::string state;                       ///< of its membership
    std::optional<std::int32_t> generation;  ///< or member epoch
    std::vector<Position> positions;
};
struct Client {
    std::string name;
    std::string condition;
    std::string step;  ///< empty: its program has ended or not begun
    std::int32_t loop = 0;
    std::string waits_for;
    sim::Instant since{};  ///< of that wait
    bool stalled = false;
    std::optional<ClientProducer> producer;
    std::optional<ClientConsumer> consumer;
};

struct Message {
    std::string what;  ///< "EndTxn bank-0#1 commit"
    std::string from;
    std::string to;
    sim::Instant sent{};
    std::string where;   ///< on its way, held by NAME, delayed, waits at its receiver, ...
    bool ghost = false;  ///< its sender has given the connection up
};

struct Cluster {
    std::string engine;
    std::string scenario;
    std::string variant;
    std::uint64_t seed = 1;
    sim::Instant at{};
    std::uint64_t events = 0;  ///< handled up to here
    std::string stopped_at;    ///< the milestone that was waited for; empty: none
    std::int64_t occurrence = 0;

    std::vector<Node> nodes;
    std::vector<Partition> partitions;
    std::vector<Producer> producers;
    std::vector<Transaction> transactions;
    std::vector<Loading> transactions_loading;
    std::vector<Group> groups;
    std::vector<Loading> groups_loading;
    std::vector<Client> clients;
    std::vector<Message> messages;
};

}  // namespace eos::reports::state
