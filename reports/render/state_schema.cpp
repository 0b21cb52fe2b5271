// The schema of eosim.state/1: the keys that state_json writes.

#include "reports/render/schema_parts.hpp"
#include "reports/render/state.hpp"

namespace eos::reports {
namespace {

Schema text_list(const char* help) { return list_of(typed("string", help)); }

Schema node_schema() {
    return object({{"name", typed("string", "broker 2, shop/0")},
                   {"kind", typed("string", "controller, broker, app, ...")},
                   {"condition", typed("string", "alive, paused, down")},
                   {"ended", whole("how often its process has ended")},
                   {"broker_epoch", whole("brokers; absent: not registered")},
                   {"fenced", typed("boolean", "brokers: as the controller has it")}},
                  {"name", "kind", "condition", "ended"});
}

Schema replica_schema() {
    return object({{"broker", whole()},
                   {"condition", typed("string", "of the broker")},
                   {"leads", typed("boolean", "believes so itself")},
                   {"in_sync", typed("boolean", "as the controller has it")},
                   {"log_start", whole()},
                   {"last_stable_offset", whole()},
                   {"high_watermark", whole()},
                   {"log_end", whole()},
                   {"stored", whole("below this offset a power loss takes nothing")},
                   {"last_epoch", whole("leader epoch of its newest batch")}},
                  {"broker", "condition", "leads", "in_sync", "log_start", "last_stable_offset",
                   "high_watermark", "log_end", "stored"});
}

Schema partition_schema() {
    return object(
        {{"name", typed("string", "topic/partition")},
         {"internal", typed("boolean")},
         {"leader", whole("as the controller has it; absent: none")},
         {"leader_epoch", whole()},
         {"in_sync", list_of(whole("broker"))},
         {"elr", list_of(whole("broker: eligible leader replicas"))},
         {"first_unstable", whole("holds readers of committed data back")},
         {"open", list_of(object({{"producer_id", whole()},
                                  {"epoch", whole()},
                                  {"first_offset", whole()},
                                  {"txid", typed("string", "absent: no coordinator knows it")}},
                                 {"producer_id", "epoch", "first_offset"}))},
         {"replicas", list_of(replica_schema())}},
        {"name", "internal", "leader_epoch", "in_sync", "open", "replicas"});
}

Schema producer_schema() {
    return object({{"partition", typed("string")},
                   {"broker", whole("the leader, who remembers it")},
                   {"producer_id", whole()},
                   {"epoch", typed("integer", "-1: known by a marker alone")},
                   {"first_sequence", whole("of the oldest batch remembered")},
                   {"last_sequence", whole()},
                   {"last_offset", whole()},
                   {"batches", whole("remembered to recognise a repetition")},
                   {"open_from", whole("first offset of its open transaction")},
                   {"coordinator_epoch", typed("integer", "of the last marker")}},
                  {"partition", "broker", "producer_id", "epoch", "batches"});
}

Schema transaction_schema() {
    const auto enrolled = object(
        {{"name", typed("string")},
         {"marker", typed("string", "to send, sent, waits for a leader; absent: not ended")}},
        {"name"});
    return object({{"txid", typed("string")},
                   {"state", typed("string", "Kafka's spelling: PrepareCommit")},
                   {"pending", typed("string", "the state it is about to enter")},
                   {"producer_id", typed("integer")},
                   {"epoch", typed("integer")},
                   {"last_epoch", whole()},
                   {"txn", whole("its newest transaction: the third begin is 3")},
                   {"began_us", whole()},
                   {"last_update_us", whole()},
                   {"timeout_us", whole()},
                   {"coordinator", typed("string")},
                   {"coordinator_epoch", whole()},
                   {"log", typed("string", "its partition of __transaction_state")},
                   {"partitions", list_of(enrolled)}},
                  {"txid", "state", "producer_id", "epoch", "last_update_us", "timeout_us",
                   "coordinator", "coordinator_epoch", "log", "partitions"});
}

Schema loading_schema() {
    return object({{"log", typed("string")}, {"broker", typed("string")}}, {"log", "broker"});
}

Schema group_schema() {
    const auto member =
        object({{"id", typed("string", "16 hexadecimal digits")},
                {"client", typed("string", "absent: has not spoken since the load")},
                {"instance", typed("integer", "group.instance.id")},
                {"epoch", typed("integer", "KIP-848")},
                {"state", typed("string")},
                {"leads", typed("boolean")},
                {"assigned", text_list("partition")},
                {"revoking", text_list("partition")},
                {"target", text_list("partition: KIP-848")}},
               {"id", "assigned"});
    return object(
        {{"name", typed("string")},
         {"state", typed("string", "Kafka's spelling")},
         {"protocol", typed("string", "classic, consumer")},
         {"generation", typed("integer", "KIP-848: the group epoch")},
         {"target_epoch", typed("integer", "KIP-848")},
         {"assignor", typed("string")},
         {"coordinator", typed("string")},
         {"log", typed("string", "its partition of __consumer_offsets")},
         {"members", list_of(member)},
         {"committed", list_of(object({{"partition", typed("string")}, {"offset", whole()}},
                                      {"partition", "offset"}))},
         {"pending", list_of(object({{"partition", typed("string")},
                                     {"offset", whole()},
                                     {"producer_id", whole()},
                                     {"txid", typed("string")}},
                                    {"partition", "offset", "producer_id"}))}},
        {"name", "state", "protocol", "generation", "coordinator", "log", "members", "committed",
         "pending"});
}

Schema client_producer_schema() {
    return object({{"state", typed("string", "of its transaction manager: IN_TRANSACTION")},
                   {"txid", typed("string")},
                   {"producer_id", whole()},
                   {"epoch", whole()},
                   {"txn", whole("the transaction under way")},
                   {"error", typed("string", "the last one")},
                   {"waits_for", typed("string", "the transactional request without an answer")},
                   {"open_sends", whole()},
                   {"enrolled", text_list("partition")},
                   {"to_enrol", text_list("partition")},
                   {"partitions", list_of(object({{"name", typed("string")},
                                                  {"next_sequence", whole()},
                                                  {"acked_sequence", whole()},
                                                  {"in_flight", whole("batches")}},
                                                 {"name", "next_sequence", "in_flight"}))}},
                  {"open_sends", "partitions"});
}

Schema client_schema() {
    const auto consumer =
        object({{"group", typed("string")},
                {"state", typed("string", "of its membership")},
                {"generation", typed("integer", "or member epoch")},
                {"positions", list_of(object({{"partition", typed("string")},
                                              {"offset", whole()},
                                              {"state", typed("string", "Kafka's: FETCHING")}},
                                             {"partition", "state"}))}},
               {"positions"});
    return object({{"name", typed("string")},
                   {"condition", typed("string")},
                   {"step", typed("string", "absent: its program has ended or not begun")},
                   {"loop", whole()},
                   {"waits_for", typed("string")},
                   {"since_us", whole("of that wait")},
                   {"stalled", typed("boolean")},
                   {"producer", client_producer_schema()},
                   {"consumer", consumer}},
                  {"name", "condition", "loop"});
}

Schema message_schema() {
    return object({{"sent_us", whole()},
                   {"from", typed("string")},
                   {"to", typed("string")},
                   {"what", typed("string", "EndTxn bank-0#1 commit")},
                   {"where", typed("string", "on its way, held by NAME, delayed, ...")},
                   {"ghost", typed("boolean", "its sender has given the connection up")}},
                  {"sent_us", "from", "to", "what", "where"});
}

}  // namespace

std::string state_schema() {
    Schema p;
    p["schema"] = Schema{{"const", "eosim.state/1"}};
    p["engine"] = typed("string", "version of eosim");
    p["scenario"] = typed("string");
    p["variant"] = typed("string", "empty: the file as it is");
    p["seed"] = whole();
    p["at_us"] = whole("virtual time");
    p["events"] = whole("handled up to here");
    p["stopped_at"] = typed("string", "the milestone that was waited for");
    p["occurrence"] = whole("of that milestone");
    // Sections nobody asked for are absent.
    p["nodes"] = list_of(node_schema());
    p["partitions"] = list_of(partition_schema());
    p["producers"] = list_of(producer_schema());
    p["transactions"] = list_of(transaction_schema());
    p["transactions_loading"] = list_of(loading_schema());
    p["groups"] = list_of(group_schema());
    p["groups_loading"] = list_of(loading_schema());
    p["clients"] = list_of(client_schema());
    p["messages"] = list_of(message_schema());
    return document(
        "eosim.state/1: what everybody knows at one moment of a run; times in microseconds",
        object(std::move(p),
               {"schema", "engine", "scenario", "variant", "seed", "at_us", "events"}));
}

}  // namespace eos::reports
