#include "model/error_codes.hpp"

#include <algorithm>
#include <array>

namespace eos::model {
namespace {

struct Row {
    ErrorCode code;
    std::string_view name;
    bool retriable = false;
    bool invalid_metadata = false;
    Certainty certainty = Certainty::not_done;
};

constexpr auto ambiguous = Certainty::ambiguous;
constexpr auto not_done = Certainty::not_done;

// Retriable and invalid-metadata follow the class hierarchy of org.apache.kafka.common.errors;
// certainty follows INV-12.
constexpr std::array rows{
    Row{ErrorCode::unknown_server_error, "UNKNOWN_SERVER_ERROR", false, false, ambiguous},
    Row{ErrorCode::none, "NONE", false, false, Certainty::done},
    Row{ErrorCode::offset_out_of_range, "OFFSET_OUT_OF_RANGE"},
    Row{ErrorCode::corrupt_message, "CORRUPT_MESSAGE", true},
    Row{ErrorCode::unknown_topic_or_partition, "UNKNOWN_TOPIC_OR_PARTITION", true, true},
    Row{ErrorCode::leader_not_available, "LEADER_NOT_AVAILABLE", true, true},
    Row{ErrorCode::not_leader_or_follower, "NOT_LEADER_OR_FOLLOWER", true, true, ambiguous},
    Row{ErrorCode::request_timed_out, "REQUEST_TIMED_OUT", true, false, ambiguous},
    Row{ErrorCode::message_too_large, "MESSAGE_TOO_LARGE"},
    Row{ErrorCode::offset_metadata_too_large, "OFFSET_METADATA_TOO_LARGE"},
    Row{ErrorCode::network_exception, "NETWORK_EXCEPTION", true, true, ambiguous},
    Row{ErrorCode::coordinator_load_in_progress, "COORDINATOR_LOAD_IN_PROGRESS", true},
    Row{ErrorCode::coordinator_not_available, "COORDINATOR_NOT_AVAILABLE", true, false, ambiguous},
    Row{ErrorCode::not_coordinator, "NOT_COORDINATOR", true, false, ambiguous},
    Row{ErrorCode::invalid_topic, "INVALID_TOPIC_EXCEPTION"},
    Row{ErrorCode::record_list_too_large, "RECORD_LIST_TOO_LARGE"},
    Row{ErrorCode::not_enough_replicas, "NOT_ENOUGH_REPLICAS", true},
    Row{ErrorCode::not_enough_replicas_after_append, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true,
        false, ambiguous},
    Row{ErrorCode::invalid_required_acks, "INVALID_REQUIRED_ACKS"},
    Row{ErrorCode::illegal_generation, "ILLEGAL_GENERATION"},
    Row{ErrorCode::inconsistent_group_protocol, "INCONSISTENT_GROUP_PROTOCOL"},
    Row{ErrorCode::unknown_member_id, "UNKNOWN_MEMBER_ID"},
    Row{ErrorCode::invalid_session_timeout, "INVALID_SESSION_TIMEOUT"},
    Row{ErrorCode::rebalance_in_progress, "REBALANCE_IN_PROGRESS"},
    Row{ErrorCode::topic_authorization_failed, "TOPIC_AUTHORIZATION_FAILED"},
    Row{ErrorCode::cluster_authorization_failed, "CLUSTER_AUTHORIZATION_FAILED"},
    Row{ErrorCode::invalid_timestamp, "INVALID_TIMESTAMP"},
    Row{ErrorCode::unsupported_version, "UNSUPPORTED_VERSION"},
    Row{ErrorCode::not_controller, "NOT_CONTROLLER", true, true},
    Row{ErrorCode::invalid_request, "INVALID_REQUEST"},
    Row{ErrorCode::policy_violation, "POLICY_VIOLATION"},
    Row{ErrorCode::out_of_order_sequence_number, "OUT_OF_ORDER_SEQUENCE_NUMBER"},
    Row{ErrorCode::duplicate_sequence_number, "DUPLICATE_SEQUENCE_NUMBER", false, false, ambiguous},
    Row{ErrorCode::invalid_producer_epoch, "INVALID_PRODUCER_EPOCH"},
    Row{ErrorCode::invalid_txn_state, "INVALID_TXN_STATE"},
    Row{ErrorCode::invalid_producer_id_mapping, "INVALID_PRODUCER_ID_MAPPING"},
    Row{ErrorCode::invalid_transaction_timeout, "INVALID_TRANSACTION_TIMEOUT"},
    Row{ErrorCode::concurrent_transactions, "CONCURRENT_TRANSACTIONS", true},
    Row{ErrorCode::transaction_coordinator_fenced, "TRANSACTION_COORDINATOR_FENCED"},
    Row{ErrorCode::transactional_id_authorization_failed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"},
    Row{ErrorCode::operation_not_attempted, "OPERATION_NOT_ATTEMPTED"},
    Row{ErrorCode::kafka_storage_error, "KAFKA_STORAGE_ERROR", true, true, ambiguous},
    Row{ErrorCode::unknown_producer_id, "UNKNOWN_PRODUCER_ID"},
    Row{ErrorCode::non_empty_group, "NON_EMPTY_GROUP"},
    Row{ErrorCode::group_id_not_found, "GROUP_ID_NOT_FOUND"},
    Row{ErrorCode::fenced_leader_epoch, "FENCED_LEADER_EPOCH", true, true},
    Row{ErrorCode::unknown_leader_epoch, "UNKNOWN_LEADER_EPOCH", true},
    Row{ErrorCode::stale_broker_epoch, "STALE_BROKER_EPOCH"},
    Row{ErrorCode::offset_not_available, "OFFSET_NOT_AVAILABLE", true},
    Row{ErrorCode::member_id_required, "MEMBER_ID_REQUIRED"},
    Row{ErrorCode::group_max_size_reached, "GROUP_MAX_SIZE_REACHED"},
    Row{ErrorCode::fenced_instance_id, "FENCED_INSTANCE_ID"},
    Row{ErrorCode::eligible_leaders_not_available, "ELIGIBLE_LEADERS_NOT_AVAILABLE", true, true},
    Row{ErrorCode::group_subscribed_to_topic, "GROUP_SUBSCRIBED_TO_TOPIC"},
    Row{ErrorCode::invalid_record, "INVALID_RECORD"},
    Row{ErrorCode::unstable_offset_commit, "UNSTABLE_OFFSET_COMMIT", true},
    Row{ErrorCode::producer_fenced, "PRODUCER_FENCED"},
    Row{ErrorCode::invalid_update_version, "INVALID_UPDATE_VERSION"},
    Row{ErrorCode::unknown_topic_id, "UNKNOWN_TOPIC_ID", true, true},
    Row{ErrorCode::duplicate_broker_registration, "DUPLICATE_BROKER_REGISTRATION"},
    Row{ErrorCode::broker_id_not_registered, "BROKER_ID_NOT_REGISTERED"},
    Row{ErrorCode::ineligible_replica, "INELIGIBLE_REPLICA"},
    Row{ErrorCode::new_leader_elected, "NEW_LEADER_ELECTED"},
    Row{ErrorCode::fenced_member_epoch, "FENCED_MEMBER_EPOCH"},
    Row{ErrorCode::unreleased_instance_id, "UNRELEASED_INSTANCE_ID"},
    Row{ErrorCode::unsupported_assignor, "UNSUPPORTED_ASSIGNOR"},
    Row{ErrorCode::stale_member_epoch, "STALE_MEMBER_EPOCH"},
    Row{ErrorCode::transaction_abortable, "TRANSACTION_ABORTABLE", false, false, not_done},
    Row{ErrorCode::deadlock_detected, "DEADLOCK_DETECTED", true},
    Row{ErrorCode::lock_not_available, "LOCK_NOT_AVAILABLE", true},
    Row{ErrorCode::unique_violation, "UNIQUE_VIOLATION"},
    Row{ErrorCode::no_active_transaction, "NO_ACTIVE_TRANSACTION", true},
    Row{ErrorCode::stale_fencing_token, "STALE_FENCING_TOKEN"},
    Row{ErrorCode::heuristic_rollback, "HEURISTIC_ROLLBACK"},
    Row{ErrorCode::http_conflict, "HTTP_CONFLICT", true},
    Row{ErrorCode::http_server_error, "HTTP_SERVER_ERROR", true, false, ambiguous},
};

constexpr std::array client_rows{
    Row{ErrorCode::illegal_state, "IllegalStateException"},
    Row{ErrorCode::transaction_aborted, "TransactionAbortedException"},
};

constexpr auto codes = [] {
    std::array<ErrorCode, rows.size()> result{};
    std::transform(rows.begin(), rows.end(), result.begin(), [](const Row& r) { return r.code; });
    return result;
}();

const Row& row(ErrorCode code) {
    for (const Row& client : client_rows)
        if (client.code == code) return client;
    return *std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.code == code; });
}

}  // namespace

std::string_view name(ErrorCode code) { return row(code).name; }

std::optional<ErrorCode> error_code(std::string_view name) {
    const auto* found =
        std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
    if (found == rows.end()) return std::nullopt;
    return found->code;
}

std::span<const ErrorCode> all_error_codes() { return codes; }
bool retriable(ErrorCode code) { return row(code).retriable; }
bool invalid_metadata(ErrorCode code) { return row(code).invalid_metadata; }
Certainty certainty(ErrorCode code) { return row(code).certainty; }

}  // namespace eos::model
