#include "reports/render/words.hpp"

#include <fmt/format.h>

#include "model/messages.hpp"
#include "model/error_codes.hpp"
#include "model/milestones.hpp"
#include "model/safeguards.hpp"

namespace eos::reports {
namespace {

using model::Fact;
using model::Mile;

// The facts of one milestone, read by name and printed by kind.
class Reading {
  public:
    Reading(const sim::Milestone& milestone, const model::Topology& topology)
        : milestone_(milestone), topology_(topology) {}

    [[nodiscard]] std::int64_t number(Fact fact, std::int64_t otherwise = -1) const {
        return milestone_.facts.find(model::number(fact)).value_or(otherwise);
    }
    [[nodiscard]] std::string node() const { return topology_.node_name(milestone_.node); }
    [[nodiscard]] std::string log() const {
        const auto log = number(Fact::log);
        return log < 0 ? "a log" : topology_.log_name({static_cast<std::int32_t>(log)});
    }
    [[nodiscard]] std::string broker() const {
        return fmt::format("broker {}", number(Fact::broker));
    }
    [[nodiscard]] std::string group() const {
        const auto group = number(Fact::group);
        return group < 0 ? "a group" : topology_.groups[static_cast<std::size_t>(group)];
    }
    [[nodiscard]] std::string error() const {
        return std::string(
            model::name(static_cast<model::ErrorCode>(number(Fact::error, 0))));
    }

    /// "writer/0": who wrote into a store.
    [[nodiscard]] std::string writer() const {
        const auto app = number(Fact::app);
        if (app < 0) return "somebody";
        return fmt::format("{}/{}", topology_.apps[static_cast<std::size_t>(app)],
                           number(Fact::instance, 0));
    }
    [[nodiscard]] std::string_view statement() const {
        return model::name(static_cast<model::Statement>(number(Fact::statement, 0)));
    }

    /// "transaction 3 of shop-0", as much of it as the milestone carries.
    [[nodiscard]] std::string txn() const {
        const auto txid = number(Fact::txid);
        const auto txn = number(Fact::txn);
        const auto id = txid < 0 ? std::string("a producer")
                                 : topology_.transactional_id_name(
                                       {static_cast<std::int32_t>(txid)});
        return txn < 0 ? fmt::format("the transaction of {}", id)
                       : fmt::format("transaction {} of {}", txn, id);
    }
    [[nodiscard]] std::string_view result() const {
        return model::name(static_cast<model::TxnResult>(number(Fact::result, 2)));
    }
    /// What a coordinator coordinates in this log.
    [[nodiscard]] std::string_view coordinated() const {
        const auto txn = static_cast<std::int64_t>(model::CoordinatorKind::txn);
        return number(Fact::kind) == txn ? "transactional ids" : "groups";
    }

  private:
    const sim::Milestone& milestone_;
    const model::Topology& topology_;
};

bool number_is_error(const Reading& r) { return r.number(Fact::error, 0) != 0; }

std::string effects(std::int64_t count) {
    if (count == 0) return "a transaction without effects";
    return fmt::format("{} effect{}", count, count == 1 ? "" : "s");
}

std::string safeguard_words(std::uint16_t kind) {
    const auto index = static_cast<std::size_t>(kind - static_cast<int>(Mile::safeguard_first));
    if (index >= model::safeguards().size()) return "a removed safeguard would have acted";
    return fmt::format("the removed safeguard {} would have acted here",
                       model::safeguards()[index].name);
}

}  // namespace

std::string words(const sim::Milestone& milestone, const model::Topology& topology) {
    const Reading r(milestone, topology);
    if (milestone.kind.value >= static_cast<int>(Mile::fault_first)) return "a fault";
    if (milestone.kind.value >= static_cast<int>(Mile::safeguard_first))
        return r.node() + ": " + safeguard_words(milestone.kind.value);
    switch (static_cast<Mile>(milestone.kind.value)) {
        case Mile::producer_retried:
            return fmt::format("{} will send a batch for {} again ({})", r.node(), r.log(),
                               r.error());
        case Mile::producer_deduplicated:
            return fmt::format("{} learns that its retry for {} was there already", r.node(),
                               r.log());
        case Mile::producer_send_failed:
            return fmt::format("{} gives up on a batch for {}: {}", r.node(), r.log(), r.error());
        case Mile::producer_epoch_bumped:
            return fmt::format("{} takes producer epoch {}", r.node(), r.number(Fact::epoch));
        case Mile::producer_fenced:
            return fmt::format("{} is told that it is superseded", r.node());
        case Mile::producer_initialised:
            return fmt::format("{} has producer id {}", r.node(), r.number(Fact::pid));
        case Mile::producer_acked:
            return fmt::format("{} has a batch for {} acknowledged", r.node(), r.log());
        case Mile::producer_batch_closed:
            return fmt::format("{} closes a batch for {}", r.node(), r.log());
        case Mile::partition_appended:
            return fmt::format("{} appends to {} at offset {}", r.node(), r.log(),
                               r.number(Fact::offset));
        case Mile::partition_refused:
            return fmt::format("{} refuses a batch for {}: {}", r.node(), r.log(), r.error());
        case Mile::partition_deduplicated:
            return fmt::format("{} recognises a repeated batch for {} and appends nothing",
                               r.node(), r.log());
        case Mile::partition_replicated:
            return fmt::format("{} copies {} up to offset {}", r.node(), r.log(),
                               r.number(Fact::offset));
        case Mile::partition_high_watermark_moved:
            return fmt::format("the high watermark of {} is {}", r.log(), r.number(Fact::offset));
        case Mile::partition_flushed: return fmt::format("{} flushes {}", r.node(), r.log());
        case Mile::partition_truncated:
            return fmt::format("{} cuts its copy of {} back to offset {}", r.node(), r.log(),
                               r.number(Fact::offset));
        case Mile::partition_segment_rolled:
            return fmt::format("{} begins a new segment of {}", r.node(), r.log());
        case Mile::partition_snapshot_written:
            return fmt::format("{} saves the producer state of {}", r.node(), r.log());
        case Mile::partition_producer_expired:
            return fmt::format("{} forgets producer {} in {}", r.node(), r.number(Fact::pid),
                               r.log());
        case Mile::partition_isr_changed:
            return fmt::format("{} has {} in-sync replica{}", r.log(), r.number(Fact::size),
                               r.number(Fact::size) == 1 ? "" : "s");
        case Mile::partition_leader_changed:
            return fmt::format("{} takes over {} in epoch {}", r.node(), r.log(),
                               r.number(Fact::epoch));
        case Mile::partition_went_offline: return fmt::format("{} has no leader", r.log());
        case Mile::coordinator_loading:
            return fmt::format("{} loads the {} of {}", r.node(), r.coordinated(), r.log());
        case Mile::coordinator_loaded:
            return fmt::format("{} coordinates the {} of {}", r.node(), r.coordinated(), r.log());
        case Mile::coordinator_unloaded:
            return fmt::format("{} gives up the {} of {}", r.node(), r.coordinated(), r.log());
        case Mile::controller_elected: return "the controller is active";
        case Mile::controller_broker_fenced:
            return fmt::format("the controller fences {}", r.broker());
        case Mile::controller_broker_registered:
            return fmt::format("{} registers", r.broker());
        case Mile::controller_metadata_applied:
            return fmt::format("{} applies metadata", r.node());
        case Mile::group_joined: return fmt::format("a member joins {}", r.group());
        case Mile::group_left: return fmt::format("a member leaves {}", r.group());
        case Mile::group_member_expired:
            return fmt::format("a member of {} has been silent too long and is removed",
                               r.group());
        case Mile::group_member_fenced:
            return fmt::format("{} refuses a member with an old generation", r.group());
        case Mile::group_rebalance_started:
            return fmt::format("{} rebalances", r.group());
        case Mile::group_rebalanced:
            return fmt::format("{} is stable in generation {}", r.group(),
                               r.number(Fact::generation));
        case Mile::group_assigned:
            return fmt::format("{} is given its partitions", r.node());
        case Mile::group_revoked: return fmt::format("{} gives partitions up", r.node());
        case Mile::group_upgraded:
            return fmt::format("{} goes over to the consumer protocol", r.group());
        case Mile::group_downgraded:
            return fmt::format("{} goes back to the classic protocol", r.group());
        case Mile::group_deleted: return fmt::format("{} is deleted", r.group());
        case Mile::store_executed:
            return number_is_error(r) ? fmt::format("{} refuses {} of {}: {}", r.node(),
                                                    r.statement(), r.writer(), r.error())
                                      : fmt::format("{} carries out {} of {}", r.node(),
                                                    r.statement(), r.writer());
        case Mile::store_prepared:
            return fmt::format("{} holds a transaction of {} prepared", r.node(), r.writer());
        case Mile::store_committed:
            return fmt::format("{} has {} of {} committed", r.node(),
                               effects(r.number(Fact::count, 0)), r.writer());
        case Mile::store_rolled_back:
            return fmt::format("{} gives {} of {} up", r.node(),
                               effects(r.number(Fact::count, 0)), r.writer());
        case Mile::store_duplicate_seen:
            return fmt::format("{} knows an effect of {} already", r.node(), r.writer());
        case Mile::store_key_expired:
            return fmt::format("{} has forgotten an effect of {}", r.node(), r.writer());
        case Mile::offsets_committed:
            return fmt::format("{} commits offset {} of {}", r.group(), r.number(Fact::offset),
                               r.log());
        case Mile::offsets_refused:
            return fmt::format("a change of {}'s offsets is refused: {}", r.group(), r.error());
        case Mile::offsets_fetched: return fmt::format("{} reads its offsets", r.group());
        case Mile::offsets_expired:
            return fmt::format("the offset of {} in {} is forgotten", r.group(), r.log());
        case Mile::offsets_reset:
            return fmt::format("{} resets its position in {} to {}", r.node(), r.log(),
                               r.number(Fact::offset));
        case Mile::offsets_pending:
            return fmt::format("offset {} of {} in {} waits for the end of {}",
                               r.number(Fact::offset), r.group(), r.log(), r.txn());
        case Mile::txn_begun: return fmt::format("{} begins {}", r.node(), r.txn());
        case Mile::txn_partition_added:
            return fmt::format("{} is part of {}", r.log(), r.txn());
        case Mile::txn_offsets_added:
            return fmt::format("the offsets of {} are part of {}", r.group(), r.txn());
        case Mile::txn_prepare_commit_written:
            return fmt::format("{} is decided: commit (epoch {})", r.txn(),
                               r.number(Fact::epoch));
        case Mile::txn_prepare_abort_written:
            return fmt::format("{} is decided: abort (epoch {})", r.txn(), r.number(Fact::epoch));
        case Mile::txn_marker_sent:
            return fmt::format("the {} marker of {} goes to {}", r.result(), r.txn(), r.log());
        case Mile::txn_marker_written:
            return fmt::format("{} holds the {} marker of {}", r.log(), r.result(), r.txn());
        case Mile::txn_marker_refused:
            return fmt::format("{} refuses the marker of {}: {}", r.log(), r.txn(), r.error());
        case Mile::txn_completed: return fmt::format("{} is complete", r.txn());
        case Mile::txn_timed_out:
            return fmt::format("{} took too long: the coordinator aborts it", r.txn());
        case Mile::txn_reported:
            return fmt::format("{} learns of {}: {}", r.node(), r.txn(), r.result());
        case Mile::txn_id_rotated:
            return fmt::format("{} used up its epochs and gets a new producer id", r.txn());
        case Mile::txn_id_expired:
            return fmt::format("{} is forgotten: it was idle too long", r.txn());
        case Mile::partition_verified:
            return fmt::format("{} knows that {} is part of {}", r.node(), r.log(), r.txn());
        case Mile::partition_stable_offset_moved:
            return fmt::format("the last stable offset of {} is {}", r.log(),
                               r.number(Fact::offset));
        case Mile::node_crashed: return fmt::format("{} crashes", r.node());
        case Mile::node_lost_power: return fmt::format("{} loses power", r.node());
        case Mile::node_stopped: return fmt::format("{} has stopped", r.node());
        case Mile::node_started: return fmt::format("{} starts", r.node());
        case Mile::node_paused: return fmt::format("{} is frozen", r.node());
        case Mile::node_resumed: return fmt::format("{} goes on", r.node());
        case Mile::app_step_started:
            return fmt::format("{} begins {}", r.node(),
                               model::name(static_cast<model::StepKind>(r.number(Fact::step, 0))));
        case Mile::app_step_done:
            return fmt::format("{} has done {}", r.node(),
                               model::name(static_cast<model::StepKind>(r.number(Fact::step, 0))));
        case Mile::app_failed:
            return fmt::format("{} meets an error ({}): {}", r.node(),
                               model::name(static_cast<model::ErrorClass>(
                                   r.number(Fact::error_class, 0))),
                               r.error());
        case Mile::app_finished: return fmt::format("{} has finished", r.node());
        case Mile::checkpoint_triggered:
            return fmt::format("{} triggers checkpoint {}", r.node(), r.number(Fact::checkpoint));
        case Mile::checkpoint_barrier_passed:
            return fmt::format("{} has everything before checkpoint {} written", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::checkpoint_snapshotted:
            return fmt::format("{} has its part of checkpoint {} and goes on", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::checkpoint_acked:
            return fmt::format("{} acknowledges checkpoint {}", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::checkpoint_decided:
            return fmt::format("{}: checkpoint {} is complete", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::checkpoint_notified:
            return fmt::format("{} learns that checkpoint {} is complete", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::checkpoint_failed:
            return fmt::format("{}: checkpoint {} came to nothing", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::committable_committed:
            return fmt::format("{} has {} of checkpoint {} committed", r.node(), r.txn(),
                               r.number(Fact::checkpoint));
        case Mile::committable_refused:
            return fmt::format("{} cannot commit {} of checkpoint {} any more ({}) and goes on",
                               r.node(), r.txn(), r.number(Fact::checkpoint), r.error());
        case Mile::job_restored:
            return fmt::format("{} starts its job from checkpoint {}", r.node(),
                               r.number(Fact::checkpoint));
        case Mile::rpc_sent:
            return fmt::format("{} sends {}", r.node(),
                               model::name(static_cast<model::Api>(r.number(Fact::api, 0))));
        case Mile::rpc_delivered:
            return fmt::format("{} receives {}", r.node(),
                               model::name(static_cast<model::Api>(r.number(Fact::api, 0))));
        case Mile::rpc_failed:
            return fmt::format("{} gives up on {}", r.node(),
                               model::name(static_cast<model::Api>(r.number(Fact::api, 0))));
        case Mile::link_opened: return fmt::format("{} opens a connection", r.node());
        case Mile::link_closed: return fmt::format("{} loses a connection", r.node());
        case Mile::handoff_queued: return fmt::format("{} hands a step on", r.node());
        case Mile::fault_first:
        case Mile::safeguard_first: break;
    }
    return "something happens";
}

std::string seconds_text(sim::Duration duration) {
    const auto ms = duration.count() / 1'000'000;
    return fmt::format("{}.{:03} s", ms / 1000, ms % 1000);
}

std::string short_text(sim::Duration duration) {
    const auto us = duration.count() / 1000;
    if (us < 1000) return fmt::format("{} us", us);
    if (us < 10'000) return fmt::format("{}.{} ms", us / 1000, us / 100 % 10);
    if (us < 1'000'000) return fmt::format("{} ms", us / 1000);
    if (us < 100'000'000) return fmt::format("{}.{} s", us / 1'000'000, us / 100'000 % 10);
    return fmt::format("{} s", us / 1'000'000);
}

std::string grouped(std::int64_t number) {
    auto digits = std::to_string(number < 0 ? -number : number);
    for (std::int64_t i = static_cast<std::int64_t>(digits.size()) - 3; i > 0; i -= 3)
        digits.insert(static_cast<std::size_t>(i), ",");
    return number < 0 ? "-" + digits : digits;
}

std::string counted(std::int64_t number, std::string_view word) {
    return fmt::format("{} {}{}", grouped(number), word, number == 1 ? "" : "s");
}

}  // namespace eos::reports
