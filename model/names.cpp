// The words of the model's enumerations, as scenarios and reports write them.

#include <algorithm>
#include <array>

#include "model/classic_member.hpp"
#include "model/config.hpp"
#include "model/messages.hpp"
#include "model/producer_transactions.hpp"
#include "model/subscription_state.hpp"

namespace eos::model {
namespace {

constexpr std::array<std::string_view, api_count> api_names{
    "Produce", "Fetch", "ListOffsets", "OffsetForLeaderEpoch", "Metadata", "FindCoordinator",
    "InitProducerId", "OffsetCommit", "OffsetFetch", "JoinGroup", "SyncGroup", "Heartbeat",
    "LeaveGroup", "BrokerRegistration", "BrokerHeartbeat", "AlterPartition", "MetadataFetch",
    "AllocateProducerIds", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn",
    "WriteTxnMarkers", "ConsumerGroupHeartbeat", "HandOff", "Store", "RegisterTaskManager", "Deploy",
    "Cancel", "Trigger", "Ack", "Decline", "Notify", "Abort", "TaskManagerHeartbeat", "TaskState"};

constexpr std::array<std::string_view, task_count> task_names{
    "apply", "load", "delayed-answer", "write-offsets", "complete-rebalance", "append-after-verify",
    "materialise-offsets", "write-txn-state", "marker-answer", "complete-txn", "execute-call",
    "checkpoint-write", "notify", "commit"};

constexpr std::array<std::string_view, 8> txn_state_names{
    "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead",
    "PrepareEpochFence"};

}  // namespace

std::string_view name(Api api) { return api_names[static_cast<std::size_t>(api)]; }

std::optional<Api> api(std::string_view name) {
    const auto* found = std::find(api_names.begin(), api_names.end(), name);
    if (found == api_names.end()) return std::nullopt;
    return static_cast<Api>(found - api_names.begin());
}

std::string_view name(Task task) { return task_names[static_cast<std::size_t>(task)]; }

std::optional<Task> task(std::string_view name) {
    const auto* found = std::find(task_names.begin(), task_names.end(), name);
    if (found == task_names.end()) return std::nullopt;
    return static_cast<Task>(found - task_names.begin());
}

std::string_view name(TxnState state) { return txn_state_names[static_cast<std::size_t>(state)]; }

std::string_view name(ModernState state) {
    switch (state) {
        case ModernState::stable:
            return "STABLE";
        case ModernState::unrevoked:
            return "UNREVOKED_PARTITIONS";
        case ModernState::unreleased:
            return "UNRELEASED_PARTITIONS";
        case ModernState::unknown:
            return "UNKNOWN";
    }
    return "";
}

std::string_view name(MemberState state) {
    switch (state) {
        case MemberState::unjoined:
            return "UNJOINED";
        case MemberState::preparing_rebalance:
            return "PREPARING_REBALANCE";
        case MemberState::completing_rebalance:
            return "COMPLETING_REBALANCE";
        case MemberState::stable:
            return "STABLE";
    }
    return "";
}

std::string_view name(FetchState state) {
    switch (state) {
        case FetchState::initializing:
            return "INITIALIZING";
        case FetchState::fetching:
            return "FETCHING";
        case FetchState::await_reset:
            return "AWAIT_RESET";
        case FetchState::await_validation:
            return "AWAIT_VALIDATION";
    }
    return "";
}

std::string_view ProducerTransactions::name(State state) {
    switch (state) {
        case State::uninitialized:
            return "UNINITIALIZED";
        case State::initializing:
            return "INITIALIZING";
        case State::ready:
            return "READY";
        case State::in_transaction:
            return "IN_TRANSACTION";
        case State::committing:
            return "COMMITTING_TRANSACTION";
        case State::aborting:
            return "ABORTING_TRANSACTION";
        case State::abortable_error:
            return "ABORTABLE_ERROR";
        case State::fatal_error:
            return "FATAL_ERROR";
    }
    return "";
}

std::string_view name(StepKind kind) {
    switch (kind) {
        case StepKind::subscribe: return "subscribe";
        case StepKind::unsubscribe: return "unsubscribe";
        case StepKind::poll: return "poll";
        case StepKind::process: return "process";
        case StepKind::produce: return "produce";
        case StepKind::flush: return "flush";
        case StepKind::commit_offsets: return "commit_offsets";
        case StepKind::rewind: return "rewind";
        case StepKind::seek: return "seek";
        case StepKind::wait: return "wait";
        case StepKind::wait_for: return "wait_for";
        case StepKind::end_offset: return "end_offset";
        case StepKind::close: return "close";
        case StepKind::reopen: return "reopen";
        case StepKind::init: return "init";
        case StepKind::begin: return "begin";
        case StepKind::commit: return "commit";
        case StepKind::abort: return "abort";
        case StepKind::enrol: return "enrol";
        case StepKind::send_offsets: return "send_offsets";
        case StepKind::db_begin: return "db_begin";
        case StepKind::claim: return "claim";
        case StepKind::write: return "write";
        case StepKind::write_offset: return "write_offset";
        case StepKind::db_prepare: return "db_prepare";
        case StepKind::db_commit: return "db_commit";
        case StepKind::db_rollback: return "db_rollback";
    }
    return "";
}

std::string_view name(EffectKind effect) {
    switch (effect) {
        case EffectKind::insert: return "insert";
        case EffectKind::add: return "add";
        case EffectKind::put: return "put";
        case EffectKind::put_if_newer: return "put-if-newer";
        case EffectKind::insert_if_absent: return "insert-if-absent";
        case EffectKind::call: return "call";
    }
    return "";
}

std::string_view name(IdentityKind identity) {
    switch (identity) {
        case IdentityKind::none: return "none";
        case IdentityKind::offset: return "offset";
        case IdentityKind::event: return "event";
        case IdentityKind::business: return "business";
        case IdentityKind::random: return "random";
    }
    return "";
}

std::string_view name(Statement statement) {
    switch (statement) {
        case Statement::write: return "write";
        case Statement::claim: return "claim";
        case Statement::look_up: return "look-up";
        case Statement::write_offset: return "write-offset";
        case Statement::read_offset: return "read-offset";
        case Statement::fence: return "fence";
        case Statement::prepare: return "prepare";
        case Statement::commit: return "commit";
        case Statement::rollback: return "rollback";
        case Statement::decide: return "decide";
        case Statement::recover: return "recover";
    }
    return "";
}

std::string_view name(ErrorClass error_class) {
    switch (error_class) {
        case ErrorClass::failed_send: return "failed_send";
        case ErrorClass::abortable: return "abortable";
        case ErrorClass::generation: return "generation";
        case ErrorClass::unknown: return "unknown";
        case ErrorClass::fatal: return "fatal";
        case ErrorClass::poison: return "poison";
        case ErrorClass::store: return "store";
    }
    return "";
}

std::string_view name(Reaction reaction) {
    switch (reaction) {
        case Reaction::retry: return "retry";
        case Reaction::resend: return "resend";
        case Reaction::skip: return "skip";
        case Reaction::rewind: return "rewind";
        case Reaction::restart: return "restart";
        case Reaction::crash: return "crash";
        case Reaction::stop: return "stop";
        case Reaction::ignore: return "ignore";
        case Reaction::abort: return "abort";
        case Reaction::abort_and_rewind: return "abort-and-rewind";
    }
    return "";
}

}  // namespace eos::model
