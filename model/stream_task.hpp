#pragma once
// One subtask of a Flink job as one chain: Kafka source, processing, Kafka sink with its writer and
// its committer (F5, F16, F21-F27, F33). One thread does everything, one thing after the other:
// what comes from the JobManager waits as mail until the records at hand are passed on.
//
//   recommit -> abort lingering -> begin -> run <----------------------------------.
//   restored    initTransactions   txn      |  mail: trigger n                     |
//   commit-     on unused ids      r+1      |    flush -> positions, committable ->| begin txn n+1,
//   tables                                  |                                      | upload, ack
//                                           |  mail: n is complete                 |
//                                           '----> commit all committables <= n ---'

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/producer_pool.hpp"
#include "model/source_reader.hpp"

namespace eos::model {

/// What a subtask has for the JobManager.
struct TaskNews {
    enum class Kind : std::uint8_t { running, acked, declined, failed };
    Kind kind = Kind::running;
    CheckpointId checkpoint = {};
    SubtaskState state = {};
    friend bool operator==(const TaskNews&, const TaskNews&) = default;
};

class StreamTask {
  public:
    StreamTask(std::shared_ptr<const ClientSetup> setup, ProcessId process,
               const DeployRequest& deploy, ProducerCounters counters);

    void start(const Context& ctx, Fx& fx);
    // What the JobManager says.
    void trigger(const Context& ctx, CheckpointId checkpoint, Fx& fx);
    void notify(const Context& ctx, CheckpointId checkpoint, Fx& fx);
    void abort(CheckpointId checkpoint);
    /// Drops readers and producers where they are: open transactions stay open (F27 cleans up).
    /// Simplified: Flink tries to abort the current transaction when a task is cancelled.
    void close(const Context& ctx, Fx& fx);
    /// The task's thread stands still; client threads go on.
    void stall(const Context& ctx, bool stalled, Fx& fx);

    [[nodiscard]] std::vector<TaskNews> take_news();
    [[nodiscard]] std::int32_t execution() const { return execution_; }
    [[nodiscard]] std::int32_t subtask() const { return subtask_; }
    [[nodiscard]] bool running() const { return running_; }
    [[nodiscard]] const ProducerCounters& counters() const { return pool_.counters(); }
    [[nodiscard]] const SourceReader& reader() const { return reader_; }
    [[nodiscard]] const ProducerPool& pool() const { return pool_; }
    /// Written, and not committed yet.
    [[nodiscard]] std::vector<Committable> committables() const;
    /// What its thread waits for: "records", "a flush"; and since when.
    [[nodiscard]] std::string_view waits_for() const;
    [[nodiscard]] sim::Instant since() const { return since_; }
    /// Whether a call to a broker keeps the thread.
    [[nodiscard]] bool call_open() const {
        return wait_ == Wait::call || wait_ == Wait::flush || wait_ == Wait::room;
    }

    // --- for the host ----------------------------------------------------------------------------
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    /// False: not a timer of the task.
    bool on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);
    void on_handoff(const Context& ctx, const HandOff& step, Fx& fx);

    friend bool operator==(const StreamTask&, const StreamTask&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, execution_, subtask_, parallelism_, restored_, reader_, pool_,
                        rng_, stage_, wait_, since_, running_, failed_, stalled_, mail_, outgoing_,
                        sent_, writer_, last_counter_, target_, probe_, call_, committables_,
                        committing_, completed_, checkpoint_, positions_, uploads_, kept_, news_);
    }

  private:
    enum class Stage : std::uint8_t { recommit, abort_lingering, begin, run, flush, commit };
    enum class Wait : std::uint8_t { none, work, room, flush, call };
    struct Mail {
        enum class Kind : std::uint8_t { trigger, commit };
        Kind kind = Kind::trigger;
        CheckpointId checkpoint;
        friend bool operator==(const Mail&, const Mail&) = default;
    };
    struct Outgoing {
        TopicId to;
        Record record;
        friend bool operator==(const Outgoing&, const Outgoing&) = default;
    };
    /// A committable and, if this task wrote it, the producer that did (F23).
    struct Pending {
        Committable what;
        std::optional<ProducerSlot> producer = {};
        bool tried = false;  ///< in this round
        friend bool operator==(const Pending&, const Pending&) = default;
    };
    /// Where the search for lingering transactions stands (F27).
    struct Probe {
        std::int32_t subtask = 0;
        std::int64_t counter = 0;
        std::int32_t aborted = 0;  ///< of this subtask
        friend bool operator==(const Probe&, const Probe&) = default;
    };
    struct Snapshot {
        CheckpointId checkpoint;
        SubtaskState state;
        friend bool operator==(const Snapshot&, const Snapshot&) = default;
    };

    // The thread (stream_task.cpp).
    void go_on(const Context& ctx, Fx& fx);
    bool step(const Context& ctx, Fx& fx);
    bool run(const Context& ctx, Fx& fx);
    void process(const Context& ctx, Fx& fx);
    void send(const Context& ctx, Fx& fx);
    void wait_for(const Context& ctx, Wait what);
    void take(const Context& ctx, ProducerSlot slot, const ProducerEvent& event, Fx& fx);
    void fail(ErrorCode error, Fx& fx);
    [[nodiscard]] bool transactional() const {
        return setup_->app->job.guarantee == DeliveryGuarantee::exactly_once;
    }
    [[nodiscard]] TransactionalId txid(std::int32_t subtask, std::int64_t counter) const;
    [[nodiscard]] sim::Facts facts(CheckpointId checkpoint) const;
    [[nodiscard]] sim::Facts facts(const Committable& committable) const;

    // The sink (stream_task_sink.cpp).
    void init(const Context& ctx, TransactionalId id, Fx& fx);
    void call_returned(const Context& ctx, ErrorCode error, Fx& fx);
    void begin_checkpoint(const Context& ctx, CheckpointId checkpoint, Fx& fx);
    void prepare_commit(const Context& ctx, Fx& fx);
    void finish_snapshot(Fx& fx);
    bool abort_next(const Context& ctx, Fx& fx);
    void probed(const Context& ctx, Fx& fx);
    bool begin_next(const Context& ctx, Fx& fx);
    void begun(const Context& ctx, Fx& fx);
    bool commit_next(const Context& ctx, Fx& fx);
    void commit_returned(const Context& ctx, ErrorCode error, Fx& fx);

    std::shared_ptr<const ClientSetup> setup_;
    ProcessId process_;
    std::int32_t execution_;
    std::int32_t subtask_;
    std::int32_t parallelism_;
    CheckpointId restored_;
    ProducerPool pool_;
    SourceReader reader_;
    sim::Rng rng_;  ///< work and uploads

    Stage stage_ = Stage::recommit;
    Wait wait_ = Wait::none;
    sim::Instant since_{};
    bool running_ = false;
    bool failed_ = false;
    bool stalled_ = false;
    std::deque<Mail> mail_;
    std::deque<Outgoing> outgoing_;
    std::int64_t sent_ = 0;               ///< records of the current transaction
    std::optional<ProducerSlot> writer_;  ///< the current producer
    std::int64_t last_counter_ = 0;       ///< of the id that was initialised last
    std::int64_t target_ = 0;             ///< of the id to begin with
    Probe probe_;
    std::optional<ProducerSlot> call_;        ///< whose answer the thread waits for
    std::vector<Pending> committables_;       ///< in the order of their checkpoints
    CheckpointId committing_;                 ///< the round: everything up to it
    CheckpointId completed_;                  ///< newest one this subtask has heard of
    std::optional<CheckpointId> checkpoint_;  ///< under way on the thread
    std::vector<SplitState> positions_;       ///< its part
    std::vector<Snapshot> uploads_;
    std::vector<Snapshot> kept_;  ///< positions to commit when their checkpoint completes
    std::vector<TaskNews> news_;
};

}  // namespace eos::model
