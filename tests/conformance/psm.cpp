// Harness psm: the producer-state table of one partition with explicit offsets and no log.

#include <algorithm>
#include <optional>
#include <vector>

#include "model/producer_state.hpp"
#include "tests/conformance/batches.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

class Psm {
  public:
    explicit Psm(const Args& config) : state_(producer_rules(config, true)) {}

    Observed perform(const std::string& op, const Args& args) {
        if (op == "append") return append(args);
        if (op == "prepare") {
            prepared_ = state_.prepare(pid(args));
            return outcome(prepared_->append(data_batch(args, now_),
                                             append_as(args, AppendOrigin::client), guard_));
        }
        if (op == "commit_prepared") {
            state_.update(prepared_.value());
            return empty_map();
        }
        if (op == "marker") return marker(args);
        if (op == "empty_control") {
            Batch batch;
            batch.count = 0;
            batch.control = ControlType::abort;
            ProducerAppend append = state_.prepare(pid(args));
            const auto error = append.append(batch, {.origin = AppendOrigin::client}, guard_);
            state_.update(append);
            return outcome(error);
        }
        if (op == "hw") return done([&] { state_.on_high_watermark(offset(args, "offset")); });
        if (op == "snapshot") return done([&] { static_cast<void>(state_.take_snapshot()); });
        if (op == "reload") return done([&] { reload(args); });
        if (op == "delete_snapshots_before")
            return done([&] { state_.delete_snapshots_before(offset(args, "offset")); });
        if (op == "truncate_fully")
            return done([&] { state_.truncate_fully(offset(args, "offset")); });
        if (op == "corrupt_snapshot")
            return done([&] { state_.corrupt_snapshot(offset(args, "offset")); });
        if (op == "remove_stray") return remove_stray(args);
        if (op == "advance") return done([&] { now_ += args.get<std::int64_t>("ms"); });
        if (op == "expire") return done([&] { static_cast<void>(state_.expire(at_ms(now_))); });
        if (op == "late") {
            Observed seen = empty_map();
            seen["late"] = state_.has_late_transaction(at_ms(now_));
            return seen;
        }
        if (op == "start_verification") {
            const auto entry = state_.start_verification(
                pid(args), ProducerEpoch{args.get<std::int16_t>("epoch", 0)},
                Sequence{args.get<std::int32_t>("seq", 0)}, at_ms(now_));
            return names_.show(&entry);
        }
        if (op == "clear_verification")
            return done([&] { state_.clear_verification(pid(args)); });
        if (op == "set_verification") return done([&] {
            ProducerRules rules = state_.rules();
            rules.verification = args.get<bool>("enabled");
            state_.set_rules(rules);
        });
        if (op == "check_verification") return names_.show(state_.verification(pid(args)));
        if (op == "completed_lso") {
            Observed seen = empty_map();
            seen["lso"] = state_.last_stable_offset(completed(args)).value;
            return seen;
        }
        if (op == "complete") return done([&] { state_.complete(completed(args)); });
        if (op == "check_producer") return show_producer(state_.find(pid(args)));
        if (op == "check_state") return show_state(state_, state_.first_unstable());
        throw std::invalid_argument("harness psm has no operation " + op);
    }

  private:
    [[nodiscard]] static ProducerId pid(const Args& args) {
        return {args.get<std::int64_t>("pid", 1)};
    }
    [[nodiscard]] static Offset offset(const Args& args, const char* key) {
        return {args.get<std::int64_t>(key)};
    }
    [[nodiscard]] static CompletedTxn completed(const Args& args) {
        return {pid(args), offset(args, "first"), offset(args, "last"),
                args.get<bool>("aborted", false)};
    }
    template <class Action>
    [[nodiscard]] static Observed done(Action action) {
        action();
        return empty_map();
    }

    Observed append(const Args& args) {
        const Batch batch = data_batch(args, now_);
        ProducerAppend append = state_.prepare(pid(args));
        const auto error =
            append.append(batch, append_as(args, AppendOrigin::client), guard_);
        if (error == ErrorCode::none) {
            state_.update(append);
            state_.set_map_end(batch.next_offset());
        }
        return outcome(error);
    }

    Observed marker(const Args& args) {
        const Batch batch = marker_batch(args, now_);
        ProducerAppend append = state_.prepare(pid(args));
        const auto error =
            append.append(batch, append_as(args, AppendOrigin::coordinator), guard_);
        Observed seen = outcome(error);
        if (error == ErrorCode::none) {
            state_.update(append);
            if (append.completed()) state_.complete(*append.completed());
            state_.set_map_end(batch.next_offset());
            seen["completed"] = show_completed(append.completed());
        }
        return seen;
    }

    void reload(const Args& args) {
        const Offset log_start = offset(args, "log_start");
        if (args.get<bool>("fresh", false)) state_ = state_.reopened(Offset{0});
        state_.truncate_and_reload(log_start, offset(args, "end"), at_ms(now_));
    }

    Observed remove_stray(const Args& args) {
        // Snapshot files come into being by being taken.
        ProducerState files{state_.rules()};
        auto existing = args.get<std::vector<std::int64_t>>("existing");
        std::sort(existing.begin(), existing.end());
        for (const auto at : existing) {
            files.set_map_end(Offset{at});
            static_cast<void>(files.take_snapshot());
        }
        std::vector<Offset> bases;
        for (const auto base : args.get<std::vector<std::int64_t>>("segments"))
            bases.push_back(Offset{base});
        files.remove_stray_snapshots(bases);
        return show_state(files, std::nullopt);
    }

    ProducerState state_;
    std::optional<ProducerAppend> prepared_;
    Guard guard_;
    GuardNames names_;
    std::int64_t now_ = 0;
};

}  // namespace

Harness make_psm(const Args& config) {
    return driven<Psm>(config, {.sets = {"pids", "snapshots"}});
}

}  // namespace eos::conformance
