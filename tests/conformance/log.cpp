// Harness log: one log replica. Restarts go through the model's recovery.

#include <limits>
#include <optional>

#include "model/partition_log.hpp"
#include "tests/conformance/batches.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

class Log {
  public:
    explicit Log(const Args& config)
        : log_(LogRules{.producers = producer_rules(config, false)},
               Offset{config.get<std::int64_t>("log_start", 0)}) {}

    Observed perform(const std::string& op, const Args& args) {
        if (op == "append") return append(args);
        if (op == "append_plain") return show(lead(plain_batch(args, now_), {}));
        if (op == "replicate") return replicate(args);
        if (op == "marker")
            return show(lead(marker_batch(args, now_),
                             append_as(args, AppendOrigin::coordinator)));
        if (op == "start_verification") {
            const auto entry = log_.start_verification(
                pid(args), ProducerEpoch{args.get<std::int16_t>("epoch", 0)},
                Sequence{args.get<std::int32_t>("seq", 0)}, at_ms(now_));
            if (entry) last_guard_ = entry->guard;
            return names_.show(entry ? &*entry : nullptr);
        }
        if (op == "set_verification") return done([&] {
            ProducerRules rules = log_.producers().rules();
            rules.verification = args.get<bool>("enabled");
            log_.set_producer_rules(rules);
        });
        if (op == "check_verification")
            return names_.show(log_.producers().verification(pid(args)));
        if (op == "hw") return one("hw", log_.set_high_watermark(offset(args)).value);
        if (op == "try_hw") {
            Observed seen = empty_map();
            seen["updated"] = value_or_null(log_.follow_high_watermark(offset(args)));
            return seen;
        }
        if (op == "leader_hw") return leader_hw(args);
        if (op == "roll") return done([&] { static_cast<void>(log_.roll()); });
        if (op == "truncate") {
            if (offset(args).value < 0) return failed("ILLEGAL_ARGUMENT");
            return done([&] { log_.truncate_to(offset(args), at_ms(now_)); });
        }
        if (op == "truncate_fully") return done([&] {
            const auto start = args.maybe<std::int64_t>("log_start");
            log_.truncate_fully(offset(args), at_ms(now_),
                                start ? std::optional{Offset{*start}} : std::nullopt);
        });
        if (op == "delete_records") return outcome(log_.delete_records(offset(args), guard_));
        if (op == "delete_old_segments") return done([&] { log_.delete_old_segments(); });
        if (op == "snapshot") return done([&] { static_cast<void>(log_.take_snapshot()); });
        if (op == "fail_index") return done([&] { log_.fail_next_index_write(); });
        if (op == "reopen") return done([&] {
            if (args.get<bool>("clean"))
                log_.close();
            else
                log_.checkpoint_offsets();  // the log start is known, nothing is flushed
            log_ = std::move(log_).recover({}, at_ms(now_));
        });
        if (op == "fetch") return fetch(args);
        if (op == "advance") return done([&] { now_ += args.get<std::int64_t>("ms"); });
        if (op == "expire")
            return done([&] { static_cast<void>(log_.expire_producers(at_ms(now_))); });
        if (op == "check_producer") return show_producer(log_.producers().find(pid(args)));
        if (op == "check_state") return show_state(log_.producers(), log_.first_unstable());
        if (op == "check_log") return check_log();
        throw std::invalid_argument("harness log has no operation " + op);
    }

  private:
    [[nodiscard]] static ProducerId pid(const Args& args) {
        return {args.get<std::int64_t>("pid", 1)};
    }
    [[nodiscard]] static Offset offset(const Args& args) {
        return {args.get<std::int64_t>("offset")};
    }
    template <class Action>
    [[nodiscard]] static Observed done(Action action) {
        action();
        return empty_map();
    }
    template <class T>
    [[nodiscard]] static Observed one(const char* key, const T& value) {
        Observed seen = empty_map();
        seen[key] = value;
        return seen;
    }
    [[nodiscard]] static Observed show(const AppendResult& result) {
        Observed seen = outcome(result.error);
        if (result.error != ErrorCode::none) return seen;
        seen["base"] = result.base.value;
        seen["last"] = result.last.value;
        seen["duplicate"] = result.duplicate;
        seen["completed"] = show_completed(result.completed);
        return seen;
    }

    AppendResult lead(const Batch& batch, const AppendAs& as) {
        return log_.append_as_leader(batch, batch.leader_epoch, as, guard_);
    }

    Observed append(const Args& args) {
        AppendAs as = append_as(args, AppendOrigin::client);
        const auto which = args.get<std::string>("guard", "none");
        if (which == "current") {
            if (const auto* entry = log_.producers().verification(pid(args)))
                as.verified = entry->guard;
        } else if (which == "stale") {
            as.verified = last_guard_.value_or(VerificationGuard{-1});
        }
        return show(lead(data_batch(args, now_), as));
    }

    Observed replicate(const Args& args) {
        const Batch batch = args.has("control")    ? marker_batch(args, now_)
                            : args.is_null("pid") ? plain_batch(args, now_)
                                                  : data_batch(args, now_);
        return show(log_.append_as_follower(batch, at_ms(now_), guard_));
    }

    Observed leader_hw(const Args& args) {
        if (offset(args) > log_.log_end()) return failed("ILLEGAL_ARGUMENT");
        Observed seen = empty_map();
        const bool moved = log_.raise_high_watermark(offset(args));
        seen["updated"] = moved ? YAML::Node(log_.high_watermark().value) : null();
        seen["hw"] = log_.high_watermark().value;
        return seen;
    }

    Observed fetch(const Args& args) {
        const auto name = args.get<std::string>("isolation", "LOG_END");
        const ReadBound bound = name == "TXN_COMMITTED"    ? ReadBound::last_stable
                                : name == "HIGH_WATERMARK" ? ReadBound::high_watermark
                                                           : ReadBound::log_end;
        const auto max = args.get<std::int64_t>("max_bytes", std::numeric_limits<int>::max());
        const ReadResult result = log_.read(offset(args), bound, max);
        Observed seen = outcome(result.error);
        if (result.error != ErrorCode::none) return seen;
        seen["empty"] = result.batches.empty();
        seen["first"] = null();
        seen["last"] = null();
        if (!result.batches.empty()) {
            seen["first"] = result.batches.front().base.value;
            seen["last"] = result.batches.back().last_offset().value;
        }
        seen["aborted"] = null();
        if (result.aborted) {
            seen["aborted"] = empty_list();
            for (const AbortedTxn& txn : *result.aborted) {
                YAML::Node pair = empty_list();
                pair.push_back(txn.producer_id.value);
                pair.push_back(txn.first.value);
                seen["aborted"].push_back(pair);
            }
        }
        return seen;
    }

    Observed check_log() {
        Observed seen = empty_map();
        seen["leo"] = log_.log_end().value;
        seen["hw"] = log_.high_watermark().value;
        seen["lso"] = log_.last_stable_offset().value;
        seen["log_start"] = log_.log_start().value;
        seen["first_unstable"] = value_or_null(log_.first_unstable());
        seen["aborted_index"] = empty_list();
        for (const AbortedTxn& txn : log_.aborted_index()) {
            YAML::Node entry = empty_list();
            entry.push_back(txn.producer_id.value);
            entry.push_back(txn.first.value);
            entry.push_back(txn.last.value);
            entry.push_back(txn.last_stable.value);
            seen["aborted_index"].push_back(entry);
        }
        return seen;
    }

    PartitionLog log_;
    Guard guard_;
    GuardNames names_;
    std::optional<VerificationGuard> last_guard_;
    std::int64_t now_ = 0;
};

}  // namespace

Harness make_log(const Args& config) {
    return driven<Log>(config, {.sets = {"pids", "snapshots"}});
}

}  // namespace eos::conformance
