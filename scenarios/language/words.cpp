// The closed lists of words.

#include <algorithm>
#include <array>

#include "scenarios/language/tables.hpp"
#include "scenarios/scenario.hpp"

namespace eos::scenarios {
namespace {

constexpr std::string_view relays = "relays";
constexpr std::string_view clients_missing = "this client's behaviour profile";

constexpr std::array kind_rows{
    Word{"producer", "writes"},
    Word{"consumer", "only reads"},
    Word{"processor", "reads, transforms and writes"},
    Word{"sink", "reads and writes into a store"},
    Word{"service", "answers calls and writes into a store", services},
    Word{"relay", "reads rows of a store and writes topics", relays},
    Word{"streams", "a Kafka Streams application", streams},
    Word{"flink-job", "a Flink job: Kafka source, processing, Kafka sink, by checkpoints"},
    Word{"connect-source", "a Connect source with exactly-once support", "Kafka Connect"},
};

constexpr std::array mode_rows{
    Word{"client-defaults", "what the client does if nobody configures it"},
    Word{"at-most-once", "acks=1, no retries, offsets committed before processing"},
    Word{"at-least-once", "acks=all, retries, idempotence off, offsets committed after processing"},
    Word{"idempotent", "at-least-once with enable.idempotence"},
    Word{"exactly-once", "transactions, offsets inside, read-committed"},
};

constexpr std::array client_words{
    Word{"java", "the Java client of Kafka 4"},
    Word{"java-2.4", "the Java client of 2.4: acks=1 and idempotence off by default"},
    Word{"java-0.11", "the Java client of 0.11: as 2.4, and fatal after a lost sequence"},
    Word{"librdkafka", "librdkafka 2", clients_missing},
    Word{"librdkafka-1.5", "librdkafka 1.5", clients_missing},
    Word{"librdkafka-1.6.0", "librdkafka 1.6.0", clients_missing},
    Word{"sarama", "Sarama (Go)", clients_missing},
    Word{"brod", "brod (Erlang)", clients_missing},
};

constexpr std::array metadata_rows{
    Word{"kraft", "brokers pull a metadata log"},
    Word{"zookeeper", "a controller pushes metadata, with its slower failover"},
};

constexpr std::array group_protocol_rows{
    Word{"classic", "members join, a leader among them assigns"},
    Word{"consumer", "members send heartbeats, the broker assigns (KIP-848)"},
};

constexpr std::array flush_rows{
    Word{"never", "rely on replication, as Kafka does"},
    Word{"every-write", "each append reaches the platter"},
};

constexpr std::array preset_rows{
    Word{"one-az", "one data centre: 0.2ms..0.4ms one way, solid state disks"},
    Word{"cross-az", "three zones: 0.5ms..1.5ms one way, solid state disks"},
    Word{"wan", "brokers and clients far apart: 25ms..75ms one way"},
    Word{"laptop", "everything on one machine: 50us..150us, four threads"},
    Word{"slow-disks", "as one-az, on spinning disks: 5ms..12ms per fsync"},
};

constexpr std::array source_rows{
    Word{"replay", "unacknowledged input is offered again after a crash"},
    Word{"push", "unacknowledged input is gone after a crash"},
};

constexpr std::array workload_rows{
    Word{"plain", "records with unique ids"},
    Word{"transfers", "a debit and a credit record with opposite sums"},
    Word{"fan-out", "one input, one record per topic"},
    Word{"counts", "running counts per key"},
    Word{"updates", "versions per key", "the updates workload"},
    Word{"stock", "reservations that must not go below zero", "the stock workload"},
    Word{"lookup", "enrichment join with another topic", "the lookup workload"},
};

constexpr std::array mistake_rows{
    Word{"auto-commit-on", "enable.auto.commit instead of committing after processing"},
    Word{"unsafe-inflight", "five requests in flight, retries, no idempotence: order breaks"},
    Word{"unchecked-send", "the result of flush is ignored"},
    Word{"resend-unknown", "a timed-out send is taken for a failed one and sent again"},
    Word{"offsets-from-position", "commits the position instead of what was processed"},
    Word{"retry-after-fatal", "a fatal error is retried instead of ending the client"},
    Word{"random-transactional-id", "a new transactional id at every start"},
    Word{"shared-transactional-id", "one transactional id for all instances"},
    Word{"no-group-metadata", "offsets sent without generation and member"},
    Word{"commit-offsets-outside", "offsets committed beside the transaction"},
    Word{"read-uncommitted", "the reader sees aborted records"},
    Word{"no-rewind-after-abort", "the position is not rewound after an abort"},
    Word{"abort-after-commit-timeout", "aborts when commit timed out"},
    Word{"id-per-producer-number", "transactional ids by the order of creation", "producers made on demand"},
};

constexpr std::array step_rows{
    Word{"subscribe", "joins the group"},
    Word{"unsubscribe", "leaves the group"},
    Word{"poll", "fetches records, the position moves (max)"},
    Word{"process", "spends `work`; one output per input"},
    Word{"produce", "sends without waiting (to, partition, records, key)"},
    Word{"flush", "waits for all answers; failed sends are raised here (timeout)"},
    Word{"commit_offsets", "commits the group's offsets (at, async, bytes, only)"},
    Word{"rewind", "moves the position back (to)"},
    Word{"seek", "moves the position (to)"},
    Word{"end_offset", "asks the end offset; a bounded reader stops there"},
    Word{"wait", "lets virtual time pass"},
    Word{"close", "closes the client"},
    Word{"reopen", "a new client object with the same ids"},
    Word{"wait_for", "waits until a trigger has come (when, at, match, since, nth, after)"},
    Word{"init", "initTransactions"},
    Word{"begin", "beginTransaction"},
    Word{"commit", "commitTransaction"},
    Word{"abort", "abortTransaction"},
    Word{"enrol", "adds a partition to the transaction"},
    Word{"send_offsets", "sendOffsetsToTransaction (at, metadata, bytes, only)"},
    Word{"db_begin", "begins at the store; BEGIN goes with the next statement (store)"},
    Word{"claim", "inserts the identities alone; a write behind it does what was new (store, identity)"},
    Word{"write", "the effects at the store (store, effect, identity)"},
    Word{"write_offset", "the offsets at the store (store)"},
    Word{"outbox", "a row for the relay", services},
    Word{"db_prepare", "prepares at the store (store)"},
    Word{"db_commit", "commits at the store (store)"},
    Word{"db_rollback", "rolls back at the store (store)"},
    Word{"fetch", "reads rows", relays},
    Word{"mark", "marks rows as sent", relays},
    Word{"save_position", "writes the source position as a record", relays},
};

constexpr std::array class_rows{
    Word{"failed_send", "a send ended in a timeout or a definite error"},
    Word{"generation", "a commit was refused after a rebalance"},
    Word{"unknown", "a commit timed out"},
    Word{"fatal", "fenced, or an illegal state"},
    Word{"poison", "a record cannot be processed"},
    Word{"abortable", "the transaction must abort"},
    Word{"store", "a store call failed"},
};

constexpr std::array reaction_rows{
    Word{"retry", "the same call again"},
    Word{"resend", "the records again, as new sends"},
    Word{"skip", "goes on with the next loop"},
    Word{"rewind", "back to the committed offsets"},
    Word{"restart", "a new client"},
    Word{"crash", "the process dies"},
    Word{"stop", "the program ends"},
    Word{"ignore", "taken for success"},
    Word{"abort", "aborts the transaction"},
    Word{"abort-and-rewind", "aborts and rewinds"},
};

constexpr std::array txid_rows{
    Word{"per-instance", "NAME-0, NAME-1, ..."},
    Word{"per-start", "a new one at every start of a client: nobody is fenced"},
    Word{"per-input-partition", "as before KIP-447", "a producer per input partition"},
    Word{"shared", "one for all instances: they fence each other"},
};

// In the order of model::DuplicateFilter::By.
constexpr std::array dedup_key_rows{
    Word{"event", "the business id: knows what was written twice, too"},
    Word{"offset", "the place in its partition: knows what was read twice"},
};

constexpr std::array job_id_rows{
    Word{"incrementing", "PREFIX-SUBTASK-COUNTER, never used again"},
    Word{"pooling", "the smallest that is free", "pools of transactional ids"},
};
constexpr std::array lingering_rows{
    Word{"probing", "initTransactions on the ids that come next, up to the first unused one"},
    Word{"listing", "asks brokers for open transactions", "listings of transactions"},
};

constexpr std::array isolation_rows{
    Word{"read-uncommitted", "everything up to the high watermark"},
    Word{"read-committed", "committed transactions only"},
};

constexpr std::array fold_kind_rows{Word{"count", "how many records"},
                                    Word{"set", "the set of values"}, Word{"sum", "the sum"},
                                    Word{"min", "the least value"}};
constexpr std::array fold_field_rows{Word{"id", "ledger id"}, Word{"key", "record key"},
                                     Word{"value", "record value", "values in records"},
                                     Word{"amount", "amount of a transfer"}};
constexpr std::array fold_time_rows{Word{"end", "after settle"},
                                    Word{"commits", "after every transaction", "invariants at every commit"}};
constexpr std::array stat_rows{Word{"mean", "mean over the seeds"}, Word{"sum", "sum"},
                               Word{"median", "median"}, Word{"max", "greatest"}};
constexpr std::array seek_rows{Word{"committed", "the committed offset"},
                               Word{"earliest", "the start of the log"},
                               Word{"end", "the end of the log"}};
constexpr std::array key_rows{Word{"none", "no key: the sticky partitioner chooses"},
                              Word{"control-marker", "bytes of a marker key", "marker keys in records"}};
constexpr std::array oneway_rows{Word{"both", "both directions"},
                                 Word{"in", "only what travels to the target"},
                                 Word{"out", "only what leaves it"}};
constexpr std::array style_rows{Word{"silent", "a black hole"},
                                Word{"refused", "connections are reset"}};
constexpr std::array notice_rows{Word{"timeout", "silence until the caller's timeout"},
                                 Word{"disconnect", "the connection closes at once"}};
constexpr std::array lose_rows{Word{"log", "log segments"}, Word{"snapshots", "producer snapshots"},
                               Word{"indexes", "indexes"}, Word{"checkpoints", "checkpoint files"}};

constexpr std::array metric_rows{
    // The modelled ones first, in the order of Metric.
    Word{"throughput", "records acknowledged per second of `duration`"},
    Word{"latency_p50", "produce to visible, median, in microseconds"},
    Word{"latency_p95", "the same, 95th percentile"},
    Word{"latency_p99", "the same, 99th percentile"},
    Word{"latency_max", "the same, greatest"},
    Word{"ack_p50", "produce to acknowledged, median, in microseconds"},
    Word{"ack_p99", "the same, 99th percentile"},
    Word{"unavailable", "longest gap without a success, in microseconds"},
    Word{"attempts_per_effect", "processing attempts per effect"},
    Word{"requests_per_record", "requests per acknowledged record"},
    Word{"log_bytes_per_record", "bytes appended per acknowledged record"},
    Word{"detected_duplicates", "retries that brokers recognised"},
    Word{"rebalances", "completed rebalances of all groups"},
    Word{"records_offered", "records the applications wanted to write"},
    Word{"records_acked", "records acknowledged to a writer"},
    Word{"commits", "transactions decided to commit"},
    Word{"aborts", "transactions decided to abort"},
    Word{"aborts.client", "of those: by the application"},
    Word{"aborts.timeout", "of those: by the coordinator, transaction.timeout.ms was over"},
    Word{"aborts.fence", "of those: by a newer holder of the id"},
    Word{"txn_timeouts", "transactions that timed out"},
    Word{"fences", "times a client was told to be superseded"},
    Word{"fences.timeout", "of those: a producer, transaction.timeout.ms was over"},
    Word{"fences.init", "of those: a producer, by InitProducerId of a newer holder or an operator"},
    Word{"fences.group", "of those: a member, by ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, "
                         "FENCED_INSTANCE_ID, FENCED_MEMBER_EPOCH"},
    Word{"open_txns_max", "transactional ids with a transaction under way at once"},
    Word{"commit_latency_p99", "the application's commit call, 99th percentile, in microseconds"},
    Word{"coordinator_lag_p99", "EndTxn received to completed, 99th percentile, in microseconds"},
    Word{"lso_stall_max", "longest time a last stable offset stood still, in microseconds"},
    Word{"lso_lag_max", "most records at once replicated and not decided (HW - LSO)"},
    Word{"lag_max", "most records a reader was behind what it may be given"},
    Word{"wasted_bytes", "bytes of aborted transactions in the logs"},
    Word{"recovery_max", "longest time from the loss of a leader, a coordinator or an instance to "
                         "the first success of the same partition, ids, group or instance, in "
                         "microseconds"},
    Word{"broker_busy", "share of the time of its handler threads that the busiest broker spent on "
                        "requests, over `duration`"},
    Word{"marker_queue_max", "markers decided and not yet written, most of one coordinator at once"},
    Word{"coordinator_load_max", "longest time a coordinator was loading its log, in microseconds"},
    Word{"store_calls_per_record", "calls at stores per record that had an effect there"},
    Word{"checkpoint_p99", "triggered to completed checkpoint, 99th percentile, in microseconds"},
    Word{"checkpoints_failed", "checkpoints that came to nothing"},
    Word{"settings_count", "settings one has to get right", "the settings count"},
    Word{"money", "cost by costs.money", "the money model"},
};

constexpr auto jepsen_rows = [] {
    std::array<Word, model::jepsen_kinds> rows;
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = {model::jepsen_entries[i].name, model::jepsen_entries[i].help};
    return rows;
}();

// In the order of the model's enumerations.
constexpr std::array store_kind_rows{
    Word{"sql", "transactions, unique keys, prepared transactions"},
    Word{"kv", "last write wins by timestamp, counters, compare-and-set"},
    Word{"http", "calls with an idempotency key"},
    Word{"queue", "visibility timeout", queues},
    Word{"files", "rename on commit", "files as stores"},
    Word{"source", "read by relays and jobs", relays},
};
constexpr std::array duplicate_rows{
    Word{"ignore", "nothing is done, and that is a success"},
    Word{"stored-reply", "the answer of the first time (http)"},
    Word{"error", "refused"},
};
constexpr std::array in_flight_rows{
    Word{"block", "waits for the first call"},
    Word{"conflict", "refused while the first call runs"},
};
constexpr std::array keep_rows{
    Word{"all", "answers of failed calls too"},
    Word{"success", "answers of calls that had their effect"},
};
constexpr std::array write_time_rows{
    Word{"record", "the record's own: the same in every attempt"},
    Word{"now", "the store's clock when the write arrives"},
};
constexpr std::array in_doubt_rows{Word{"wait", "prepared transactions keep their locks for ever"}};
constexpr std::array effect_rows{
    Word{"insert", "a row of its own"},
    Word{"add", "x = x + d of the record's key"},
    Word{"put", "the value of the record's key is overwritten"},
    Word{"put-if-newer", "only by a greater offset"},
    Word{"insert-if-absent", "a row unless its identity is there"},
    Word{"call", "one HTTP call"},
};
constexpr std::array identity_rows{
    Word{"none", "nothing names the effect"},
    Word{"offset", "topic, partition, offset: knows redelivery"},
    Word{"event", "the event's id: knows what was written twice, too"},
    Word{"business", "the record's key: two events of one key are one effect"},
    Word{"random", "a new one for every attempt"},
};
constexpr std::array check_rows{
    Word{"with-effect", "by the statement that makes the effect"},
    Word{"before", "set first, in a transaction of its own"},
    Word{"after", "looked up first, set when the effect is committed"},
};
constexpr std::array offset_place_rows{
    Word{"kafka", "committed to the group"},
    Word{"store", "in the transaction of the effect; read from there on assignment"},
};
constexpr std::array fence_rows{
    Word{"none", "whoever wakes up late is let in"},
    Word{"generation", "the group's generation; a smaller one is refused"},
};
constexpr std::array phase_rows{
    Word{"one-phase", "the store commits by itself"},
    Word{"two-phase", "prepared first; the committed offset decides"},
};

constexpr std::array warning_rows{
    Word{"auto-commit-in-loop",
         "a consume-transform-produce loop commits behind the program's back"},
    Word{"offsets-outside", "a transactional loop commits its offsets outside the transaction"},
    Word{"no-group-metadata", "offsets in a transaction do not say who the member is"},
    Word{"no-rewind", "after an abort the loop reads on, and skips the aborted input"},
    Word{"read-uncommitted-downstream",
         "a topic written in transactions is read without waiting for their end"},
    Word{"shared-id", "instances or apps with one transactional id fence each other"},
    Word{"random-id", "a new transactional id at every start fences nobody"},
    Word{"one-id-many-instances", "a literal transactional.id, and several instances"},
    Word{"timeout-order", "timeouts that should be below one another are not"},
    Word{"promise-without-storage", "lost: none with storage that may forget"},
    Word{"in-flight", "settings that break the order of a partition"},
    Word{"acks-idempotence", "a setting switches idempotence off"},
    Word{"push-source", "the input of a crashed writer is gone in every mode"},
    Word{"retention", "offsets are kept for less than the longest planned outage"},
    Word{"short-settle", "settle is too short to judge liveness"},
    Word{"cannot-fire", "a trigger that nothing in this scenario can cause"},
    Word{"never-judged", "nothing is judged, or a topic is never read"},
    Word{"unused", "a value that has no effect in this scenario"},
    Word{"external-effect", "a store is written inside of a Kafka transaction, which it is no part of"},
    Word{"zombie-sink", "offsets in a store, several instances, and no fencing token"},
    Word{"identity-too-weak", "an identity that lets duplicates pass, or forgets"},
};

}  // namespace

const Words kinds{"a kind of application", kind_rows};
const Words modes{"a delivery mode", mode_rows};
const Words clients{"a client", client_words};
const Words metadata_modes{"a metadata mode", metadata_rows};
const Words group_protocols{"a group protocol", group_protocol_rows};
const Words flush_policies{"a flush policy or duration", flush_rows};
const Words cost_presets{"a cost preset", preset_rows};
const Words sources{"a kind of source", source_rows};
const Words workloads{"a workload", workload_rows};
const Words mistakes{"a mistake", mistake_rows};
const Words steps{"a step", step_rows};
const Words error_classes{"an error class", class_rows};
const Words reactions{"a reaction", reaction_rows};
const Words dedup_keys{"a name of a record", dedup_key_rows};
const Words job_ids{"a naming of transactional ids", job_id_rows};
const Words job_lingering{"a way to clean up", lingering_rows};
const Words isolations{"an isolation level", isolation_rows};
const Words txid_policies{"a way to choose transactional ids", txid_rows};
const Words fold_kinds{"a fold", fold_kind_rows};
const Words fold_fields{"a field of a record", fold_field_rows};
const Words fold_times{"a moment of judging", fold_time_rows};
const Words claim_stats{"a statistic", stat_rows};
const Words seek_targets{"a position", seek_rows};
const Words key_words{"a choice of keys", key_rows};
const Words oneways{"a direction", oneway_rows};
const Words styles{"a style of cut", style_rows};
const Words notices{"a notice", notice_rows};
const Words lose_words{"a kind of file", lose_rows};
const Words store_kinds{"a kind of store", store_kind_rows};
const Words duplicate_answers{"an answer to a known key", duplicate_rows};
const Words in_flight_answers{"an answer to a key in flight", in_flight_rows};
const Words kept_answers{"a choice of answers", keep_rows};
const Words write_times{"a source of timestamps", write_time_rows};
const Words in_doubt_words{"a fate of prepared transactions, or a duration", in_doubt_rows};
const Words effects{"an effect at a store", effect_rows};
const Words identities{"an identity of effects", identity_rows};
const Words checks{"a moment to look an identity up", check_rows};
const Words offset_places{"a place for offsets", offset_place_rows};
const Words fencing_tokens{"a fencing token", fence_rows};
const Words commit_phases{"a way to commit", phase_rows};
const Words metrics{"a metric", metric_rows};
const Words jepsen_names{"an anomaly of the black-box judge", jepsen_rows};
const Words warnings{"a warning", warning_rows};

std::optional<Measure> measure_named(std::string_view name) {
    if (const auto count = model::count_named(name)) return *count;
    constexpr auto modelled = static_cast<std::size_t>(Metric::checkpoints_failed) + 1;
    static_assert(metric_rows[modelled - 1].missing.empty() &&
                      !metric_rows[modelled].missing.empty(),
                  "every modelled row is measured, and no other");
    for (std::size_t i = 0; i < modelled; ++i)
        if (metric_rows[i].name == name) return static_cast<Metric>(i);
    return std::nullopt;
}

std::string_view name_of(Measure measure) {
    if (const auto* count = std::get_if<Count>(&measure)) return model::name(*count);
    return metric_rows[static_cast<std::size_t>(std::get<Metric>(measure))].name;
}

const Word* word_named(const Words& words, std::string_view name) {
    const auto found = std::find_if(words.rows.begin(), words.rows.end(),
                                    [&](const Word& w) { return w.name == name; });
    return found == words.rows.end() ? nullptr : &*found;
}

}  // namespace eos::scenarios
