#pragma once
// Kafka's error codes (protocol numbers), and how certain a caller may be after reading one.
// Source: protocol/brokers-and-transactions.md 27, org.apache.kafka.common.protocol.Errors.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace eos::model {

enum class ErrorCode : std::int16_t {
    // A client's own exceptions, never on the wire.
    transaction_aborted = -3,  ///< TransactionAbortedException: dropped by the application's abort
    illegal_state = -2,        ///< IllegalStateException: a call out of turn
    unknown_server_error = -1,
    none = 0,
    offset_out_of_range = 1,
    corrupt_message = 2,
    unknown_topic_or_partition = 3,
    leader_not_available = 5,
    not_leader_or_follower = 6,
    request_timed_out = 7,
    message_too_large = 10,
    offset_metadata_too_large = 12,
    network_exception = 13,
    coordinator_load_in_progress = 14,
    coordinator_not_available = 15,
    not_coordinator = 16,
    invalid_topic = 17,
    record_list_too_large = 18,
    not_enough_replicas = 19,
    not_enough_replicas_after_append = 20,
    invalid_required_acks = 21,
    illegal_generation = 22,
    inconsistent_group_protocol = 23,
    unknown_member_id = 25,
    invalid_session_timeout = 26,
    rebalance_in_progress = 27,
    topic_authorization_failed = 29,
    cluster_authorization_failed = 31,
    invalid_timestamp = 32,
    unsupported_version = 35,
    invalid_request = 42,
    policy_violation = 44,
    out_of_order_sequence_number = 45,
    duplicate_sequence_number = 46,
    invalid_producer_epoch = 47,
    invalid_txn_state = 48,
    invalid_producer_id_mapping = 49,
    invalid_transaction_timeout = 50,
    concurrent_transactions = 51,
    transaction_coordinator_fenced = 52,
    transactional_id_authorization_failed = 53,
    operation_not_attempted = 55,
    kafka_storage_error = 56,
    unknown_producer_id = 59,
    non_empty_group = 68,
    group_id_not_found = 69,
    fenced_leader_epoch = 74,
    unknown_leader_epoch = 75,
    stale_broker_epoch = 77,
    offset_not_available = 78,
    member_id_required = 79,
    group_max_size_reached = 81,
    fenced_instance_id = 82,
    eligible_leaders_not_available = 83,
    group_subscribed_to_topic = 86,
    invalid_record = 87,
    unstable_offset_commit = 88,
    producer_fenced = 90,
    invalid_update_version = 95,
    unknown_topic_id = 100,
    duplicate_broker_registration = 101,
    broker_id_not_registered = 102,
    ineligible_replica = 107,
    new_leader_elected = 108,
    fenced_member_epoch = 110,
    unreleased_instance_id = 111,
    unsupported_assignor = 112,
    stale_member_epoch = 113,
    transaction_abortable = 120,
    not_controller = 41,
    // Of stores, not of Kafka; outside of its numbers.
    deadlock_detected = 1001,    ///< SQLSTATE 40P01: rolled back
    lock_not_available = 1002,   ///< 55P03: rolled back
    unique_violation = 1003,     ///< 23505: rolled back
    no_active_transaction = 1004,  ///< 25P01: the session's transaction is gone
    stale_fencing_token = 1005,  ///< S17: a newer owner has written; rolled back
    heuristic_rollback = 1006,   ///< XA_HEURRB: the store decided alone
    http_conflict = 1007,        ///< 409: a call with this key runs, or ran
    http_server_error = 1008,    ///< 500
};

/// What an error says about whether the request took effect (INV-12).
enum class Certainty : std::uint8_t {
    done,       ///< no error
    not_done,   ///< certainly had no effect
    ambiguous,  ///< may have had an effect: never to be read as "did not happen"
};

/// Kafka's spelling: "NOT_LEADER_OR_FOLLOWER"; of a client's own exceptions the class name.
[[nodiscard]] std::string_view name(ErrorCode code);
/// The code of a Kafka spelling, if there is one on the wire.
[[nodiscard]] std::optional<ErrorCode> error_code(std::string_view name);
[[nodiscard]] std::span<const ErrorCode> all_error_codes();
/// Whether Kafka's exception class derives from RetriableException.
[[nodiscard]] bool retriable(ErrorCode code);
/// Whether it derives from InvalidMetadataException: the client refreshes its metadata (N9, P22).
[[nodiscard]] bool invalid_metadata(ErrorCode code);
[[nodiscard]] Certainty certainty(ErrorCode code);

}  // namespace eos::model
