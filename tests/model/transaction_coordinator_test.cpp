#include "model/transaction_coordinator.hpp"

#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/transaction_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

constexpr auto commit = ControlType::commit;
constexpr auto abort_it = ControlType::abort;
constexpr auto tv0 = TransactionVersion::tv0;
constexpr auto tv2 = TransactionVersion::tv2;
constexpr TxnRef first_txn{{{0}, 0}, 1};

ClusterConfig before_tv2() {
    ClusterConfig config;
    config.transaction_version = tv0;
    return config;
}
ClusterConfig without(Safeguard safeguard, ClusterConfig config = {}) {
    config.safeguards.remove(safeguard);
    return config;
}
InitProducerIdRequest init(TransactionalId txid = T) {
    InitProducerIdRequest request;
    request.txid = txid;
    request.timeout = sim::seconds(60);
    return request;
}
struct Identity {
    ProducerId id;
    ProducerEpoch epoch;
};
Identity initialised(TransactionRig& rig, TransactionalId txid = T) {
    const auto answer = rig.call<InitProducerIdResponse>(init(txid));
    REQUIRE(answer.error == ErrorCode::none);
    return {answer.producer_id, answer.producer_epoch};
}
AddPartitionsToTxnRequest adds(Identity who, std::vector<LogId> logs, TransactionalId txid = T) {
    AddPartitionsToTxnRequest request;
    request.entries.push_back({.who = {txid, who.id, who.epoch, first_txn},
                               .verify_only = false,
                               .logs = std::move(logs)});
    return request;
}
ErrorCode add_error(TransactionRig& rig, const AddPartitionsToTxnRequest& request) {
    return rig.call<AddPartitionsToTxnResponse>(request).entries.at(0).parts.at(0).error;
}
EndTxnRequest ends(Identity who, ControlType result, TransactionVersion version = tv2) {
    return {.who = {T, who.id, who.epoch, first_txn}, .result = result, .version = version};
}
/// A transaction open on logs 0 and 1.
Identity open_transaction(TransactionRig& rig) {
    const auto who = initialised(rig);
    REQUIRE(add_error(rig, adds(who, {{0}, {1}})) == ErrorCode::none);
    return who;
}
/// A coordinator that leads its log and has loaded it.
struct ServingRig : TransactionRig {
    explicit ServingRig(ClusterConfig given = {}) : TransactionRig(std::move(given)) { start(); }
};
struct OpenTransaction : ServingRig {
    explicit OpenTransaction(ClusterConfig given = {})
        : ServingRig(std::move(given)), who(open_transaction(*this)) {}
    Identity who;
};
std::vector<TxnState> told_states(const TransactionRig& rig) {
    std::vector<TxnState> result;
    for (const auto& change : rig.world.all<TxnChanged>()) result.push_back(change.state);
    return result;
}

}  // namespace

TEST_CASE("a transaction goes from its first partition to its last marker") {
    OpenTransaction rig;

    const auto end = rig.call<EndTxnResponse>(ends(rig.who, commit));

    CHECK(end.error == ErrorCode::none);
    CHECK(end.producer_epoch == rig.who.epoch.next());
    REQUIRE(rig.markers.size() == 2);
    CHECK(rig.markers[0].log == LogId{0});
    CHECK(rig.markers[0].who.producer_epoch == rig.who.epoch.next());
    CHECK(rig.markers[0].who.txn == first_txn);
    CHECK(rig.markers[0].version == tv2);
    CHECK(rig.state() == TxnState::prepare_commit);
    rig.answer_markers();
    CHECK(rig.state() == TxnState::complete_commit);
    using enum TxnState;
    CHECK(told_states(rig) == std::vector{empty, ongoing, prepare_commit, complete_commit});
    CHECK(rig.world.times(Mile::txn_partition_added) == 2);
    CHECK(rig.world.times(Mile::txn_prepare_commit_written) == 1);
    CHECK(rig.world.times(Mile::txn_marker_written) == 2);
    CHECK(rig.world.times(Mile::txn_completed) == 1);
}

TEST_CASE("a client hears of its end when the decision is replicated, not before") {
    OpenTransaction rig;
    rig.hold = true;

    const auto end = rig.request(ends(rig.who, commit));

    CHECK_FALSE(rig.answered(end));
    CHECK(rig.markers.empty());
    CHECK(rig.world.times(Mile::txn_prepare_commit_written) == 0);
    rig.replicate();
    CHECK(rig.answer<EndTxnResponse>(end).error == ErrorCode::none);
    CHECK(rig.markers.size() == 2);
}

TEST_CASE("a decision that came too late for its client is still found by the next coordinator") {
    OpenTransaction rig;
    rig.hold = true;
    const auto end = rig.request(ends(rig.who, commit));

    rig.advance(sim::seconds(59));
    const bool early = rig.answered(end);
    rig.advance(sim::seconds(1));

    CHECK_FALSE(early);
    CHECK(rig.answer<EndTxnResponse>(end).error == ErrorCode::coordinator_not_available);
    CHECK(rig.state() == TxnState::ongoing);
    rig.fail_over(1);
    CHECK(rig.state() == TxnState::prepare_commit);
    CHECK(rig.markers.size() == 2);
}

TEST_CASE("a new coordinator finishes what it finds decided") {
    for (const bool resumes : {true, false}) {
        OpenTransaction rig(resumes ? ClusterConfig{} : without(Safeguard::resumes_prepared));
        (void)rig.call<EndTxnResponse>(ends(rig.who, commit));
        rig.tell({{rig.markers[0], ErrorCode::none}});

        rig.fail_over(3);

        CHECK(rig.markers.size() == (resumes ? 2 : 0));
        CHECK(rig.world.times(Mile::coordinator_loaded) == 2);
        CHECK(rig.world.all<TxnChanged>().back().loaded);
        if (resumes) {
            CHECK(rig.markers[0].coordinator_epoch == CoordinatorEpoch{3});
            rig.answer_markers();
        }
        CHECK((rig.state() == TxnState::complete_commit) == resumes);
    }
}

TEST_CASE(
    "a new coordinator knows the partitions that were enrolled, and not without the safeguard") {
    for (const bool logged : {true, false}) {
        ServingRig rig(logged ? ClusterConfig{}
                              : without(Safeguard::partition_logged_before_answer));
        const auto who = initialised(rig);
        CHECK(add_error(rig, adds(who, {{0}})) == ErrorCode::none);
        CHECK(rig.state() == TxnState::ongoing);

        rig.fail_over(3);

        CHECK(rig.state() == (logged ? TxnState::ongoing : TxnState::empty));
        CHECK(rig.entry()->metadata.holds({0}) == logged);
    }
}

TEST_CASE("an answer to a marker of a former leadership decides nothing") {
    OpenTransaction rig;
    (void)rig.call<EndTxnResponse>(ends(rig.who, commit));
    const auto former = rig.markers;

    rig.lead(1);
    rig.load();
    for (const auto& marker : former) rig.tell({{marker, ErrorCode::none}});

    CHECK(rig.state() == TxnState::prepare_commit);
    CHECK(rig.entry()->metadata.now().logs.size() == 2);
}

TEST_CASE("a transaction that takes too long is aborted under a new epoch") {
    for (const bool fences : {true, false}) {
        OpenTransaction rig(fences ? ClusterConfig{} : without(Safeguard::fence_on_timeout));

        rig.advance(sim::seconds(70));

        CHECK(rig.state() == TxnState::prepare_abort);
        CHECK(rig.world.times(Mile::txn_timed_out) == 1);
        const auto epoch = rig.entry()->metadata.now().epoch;
        CHECK(epoch == (fences ? rig.who.epoch.next() : rig.who.epoch));
        CHECK(rig.markers.at(0).who.producer_epoch == epoch);
        CHECK_FALSE(rig.markers.at(0).who.txn);
        CHECK(rig.world.all<TxnChanged>().back().cause == TxnCause::timeout);
        rig.answer_markers();
        CHECK(add_error(rig, adds(rig.who, {{2}})) ==
              (fences ? ErrorCode::producer_fenced : ErrorCode::none));
    }
}

TEST_CASE("a takeover aborts the open transaction under a new epoch and asks to come again") {
    for (const bool fences : {true, false}) {
        OpenTransaction rig(fences ? ClusterConfig{} : without(Safeguard::fence_on_takeover));

        const auto first = rig.call<InitProducerIdResponse>(init());

        CHECK(first.error == ErrorCode::concurrent_transactions);
        CHECK(rig.entry()->metadata.now().epoch == (fences ? rig.who.epoch.next() : rig.who.epoch));
        CHECK(rig.world.all<TxnChanged>().back().cause == TxnCause::fence);
        rig.answer_markers();
        const auto second = rig.call<InitProducerIdResponse>(init());
        CHECK(second.error == ErrorCode::none);
        CHECK(second.producer_epoch.value == rig.who.epoch.value + (fences ? 2 : 1));
    }
}

TEST_CASE("after a failed write a transactional id takes requests again") {
    for (const bool clears : {true, false}) {
        OpenTransaction rig(clears ? ClusterConfig{}
                                   : without(Safeguard::clears_pending_on_failure));
        rig.refuse = ErrorCode::not_enough_replicas;
        CHECK(rig.call<EndTxnResponse>(ends(rig.who, commit)).error ==
              ErrorCode::coordinator_not_available);
        rig.refuse.reset();

        const auto again = rig.call<EndTxnResponse>(ends(rig.who, commit));

        CHECK(again.error == (clears ? ErrorCode::none : ErrorCode::concurrent_transactions));
    }
}

TEST_CASE("when the epochs are used up the end names the new producer id") {
    for (const bool names : {true, false}) {
        ClusterConfig config;
        config.max_producer_epoch = 3;  // 2 is the last a client may use
        if (!names) config.safeguards.remove(Safeguard::rotated_id_in_answer);
        ServingRig rig(config);
        (void)initialised(rig);
        (void)initialised(rig);
        const auto who = open_transaction(rig);
        REQUIRE(who.epoch == ProducerEpoch{2});

        const auto end = rig.call<EndTxnResponse>(ends(who, commit));

        CHECK(end.producer_id == (names ? ProducerId{1001} : who.id));
        CHECK(end.producer_epoch == ProducerEpoch{static_cast<std::int16_t>(names ? 0 : 3)});
        rig.answer_markers();
        CHECK(rig.entry()->metadata.now().producer_id == ProducerId{1001});
        CHECK(rig.world.times(Mile::txn_id_rotated) == 1);
        CHECK(rig.world.times(names ? Mile::txn_completed
                                    : static_cast<Mile>(
                                          static_cast<int>(Mile::safeguard_first) +
                                          static_cast<int>(Safeguard::rotated_id_in_answer))) == 1);
    }
}

TEST_CASE("a batch of several ids is answered when the last of them is") {
    ServingRig rig;
    const auto t = initialised(rig, T);
    const auto u = initialised(rig, U);
    rig.hold = true;
    auto request = adds(t, {{0}}, T);
    request.from_broker = true;
    request.entries.push_back({.who = {U, u.id, {9}, {}}, .logs = {{1}, {2}}});

    const auto number = rig.request(request);

    CHECK_FALSE(rig.answered(number));
    rig.replicate();
    const auto answer = rig.answer<AddPartitionsToTxnResponse>(number);
    REQUIRE(answer.entries.size() == 2);
    CHECK(answer.entries[0].parts.at(0).error == ErrorCode::none);
    CHECK(answer.entries[0].who.txn == first_txn);
    REQUIRE(answer.entries[1].parts.size() == 2);
    CHECK(answer.entries[1].parts[1].error == ErrorCode::producer_fenced);
    CHECK(rig.entry(T)->metadata.now().client_version == tv2);
}

TEST_CASE("the partition of a group's offsets is added like any other") {
    ServingRig rig;
    const auto who = initialised(rig);

    const auto answer = rig.call<AddOffsetsToTxnResponse>(
        AddOffsetsToTxnRequest{.who = {T, who.id, who.epoch, first_txn}, .group = {0}});

    CHECK(answer.error == ErrorCode::none);
    CHECK(rig.entry()->metadata.holds({4}));
    CHECK(rig.world.times(Mile::txn_offsets_added) == 1);
}

TEST_CASE("a Complete record that could not be written is tried again") {
    OpenTransaction rig;
    (void)rig.call<EndTxnResponse>(ends(rig.who, commit));
    rig.refuse = ErrorCode::not_enough_replicas;
    rig.answer_markers();
    CHECK(rig.state() == TxnState::prepare_commit);
    CHECK(rig.entry()->metadata.pending() == TxnState::complete_commit);
    rig.refuse.reset();

    rig.advance(sim::milliseconds(20));

    CHECK(rig.state() == TxnState::complete_commit);
}

TEST_CASE("a marker is sent again after every error that may pass") {
    for (const auto error : {ErrorCode::not_leader_or_follower, ErrorCode::not_enough_replicas,
                             ErrorCode::request_timed_out, ErrorCode::kafka_storage_error}) {
        ServingRig rig;
        (void)rig.call<EndTxnResponse>(ends(open_transaction(rig), commit));

        rig.answer_markers(error);

        CHECK(rig.markers.size() == 2);
        CHECK(rig.world.times(Mile::txn_marker_refused) == 2);
        rig.answer_markers(std::nullopt);
        rig.answer_markers();
        CHECK(rig.state() == TxnState::complete_commit);
    }
}

TEST_CASE("without its safeguard a storage error ends the sending of a marker") {
    ServingRig rig(without(Safeguard::retries_marker_storage_error));
    (void)rig.call<EndTxnResponse>(ends(open_transaction(rig), commit));

    rig.answer_markers(ErrorCode::kafka_storage_error);

    CHECK(rig.markers.empty());
    CHECK(rig.state() == TxnState::prepare_commit);
}

TEST_CASE("a marker refused for its epoch ends the sending for that transaction") {
    ServingRig rig;
    (void)rig.call<EndTxnResponse>(ends(open_transaction(rig), commit));
    const auto markers = std::exchange(rig.markers, {});

    rig.tell({{markers[0], ErrorCode::invalid_producer_epoch}});
    rig.tell({{markers[1], ErrorCode::none}});

    CHECK(rig.markers.empty());
    CHECK(rig.state() == TxnState::prepare_commit);
    CHECK_FALSE(rig.entry()->completing);
}

TEST_CASE("a TV2 abort without partitions raises the epoch and completes at once") {
    ServingRig rig;
    const auto who = initialised(rig);

    const auto end = rig.call<EndTxnResponse>(ends(who, abort_it));

    CHECK(end.error == ErrorCode::none);
    CHECK(end.producer_epoch == who.epoch.next());
    CHECK(rig.state() == TxnState::complete_abort);
    CHECK(rig.markers.empty());
}

TEST_CASE("a retry of InitProducerId over a failover needs a log that remembers") {
    for (const bool remembers : {true, false}) {
        ServingRig rig(remembers ? ClusterConfig{} : before_tv2());
        const auto who = initialised(rig);
        auto again = init();
        again.expected_producer_id = who.id;
        again.expected_epoch = who.epoch;
        REQUIRE(rig.call<InitProducerIdResponse>(again).producer_epoch == who.epoch.next());

        rig.fail_over(1);
        const auto retry = rig.call<InitProducerIdResponse>(again);

        CHECK(retry.error == (remembers ? ErrorCode::none : ErrorCode::producer_fenced));
        if (remembers) CHECK(retry.producer_epoch == who.epoch.next());
    }
}

TEST_CASE("who waits when a coordinator gives up its log is sent elsewhere") {
    OpenTransaction rig;
    rig.hold = true;
    const auto end = rig.request(ends(rig.who, commit));

    rig.resign();

    CHECK(rig.answer<EndTxnResponse>(end).error == ErrorCode::not_coordinator);
    CHECK(rig.world.times(Mile::coordinator_unloaded) == 1);
    CHECK(add_error(rig, adds(rig.who, {{2}})) == ErrorCode::not_coordinator);
}

TEST_CASE("a record asked for in a former leadership does not reach the log") {
    OpenTransaction rig;
    rig.defer = true;
    const auto end = rig.request(ends(rig.who, commit));
    const auto length = rig.log.size();

    rig.lead(1);
    rig.load();
    rig.append_deferred();

    CHECK(rig.log.size() == length);
    CHECK(rig.answer<EndTxnResponse>(end).error == ErrorCode::not_coordinator);
    CHECK(rig.state() == TxnState::ongoing);
}

TEST_CASE("while it loads a coordinator asks to come again") {
    TransactionRig rig;
    rig.lead();

    CHECK(rig.call<InitProducerIdResponse>(init()).error ==
          ErrorCode::coordinator_load_in_progress);
    CHECK(rig.world.times(Mile::coordinator_loading) == 1);
    CHECK(rig.world.roles.empty());
    rig.load();
    CHECK(rig.world.roles.at(role(Role::txn_coordinator, T.value)) == std::vector<NodeId>{{1}});
}

TEST_CASE("an administrator's fence holds until the producer is out") {
    OpenTransaction rig;

    rig.order(Ask::fence_producer, T);
    rig.answer_markers();

    CHECK(rig.state() == TxnState::empty);
    CHECK(rig.entry()->metadata.now().epoch.value == rig.who.epoch.value + 2);
    CHECK(rig.call<EndTxnResponse>(ends(rig.who, abort_it)).error == ErrorCode::producer_fenced);
}

TEST_CASE("an idle id is forgotten, an open one is not") {
    OpenTransaction rig;
    (void)initialised(rig, U);

    rig.order(Ask::expire_transactional_ids, T);
    rig.order(Ask::expire_transactional_ids, U);

    CHECK(rig.entry(T) != nullptr);
    CHECK(rig.entry(U) == nullptr);
    CHECK(rig.world.times(Mile::txn_id_expired) == 1);
    CHECK(rig.log.back().payload.transaction_records().at(0).tombstone);
    rig.fail_over(1);
    CHECK(rig.entry(U) == nullptr);
    CHECK(rig.call<EndTxnResponse>(ends(rig.who, commit)).error == ErrorCode::none);
}

TEST_CASE("an id that is overdue shows in the audit") {
    ServingRig rig;
    (void)open_transaction(rig);
    rig.refuse = ErrorCode::not_enough_replicas;  // it cannot be aborted

    rig.advance(sim::seconds(100));
    Fx fx;
    rig.coordinator.audit(rig.world.context(), fx);
    rig.world.take(fx);

    REQUIRE(rig.world.all<TxnAudit>().size() == 1);
    CHECK(rig.world.all<TxnAudit>()[0].overdue);
    CHECK(rig.world.all<TxnAudit>()[0].state == TxnState::ongoing);
}

TEST_CASE("without producer ids a newcomer is asked to come again") {
    ServingRig rig;
    rig.ids = {};

    CHECK(rig.call<InitProducerIdResponse>(init()).error ==
          ErrorCode::coordinator_load_in_progress);
    CHECK(rig.entry() == nullptr);
}

TEST_CASE("a copy of a coordinator goes its own way") {
    OpenTransaction rig;
    const auto copy = rig.coordinator;
    const auto hash = sim::state_hash(copy);

    (void)rig.call<EndTxnResponse>(ends(rig.who, commit));

    CHECK(sim::state_hash(copy) == hash);
    CHECK_FALSE(copy == rig.coordinator);
    CHECK(copy.shard(transaction_log)->entry(T)->metadata.now().state == TxnState::ongoing);
}
