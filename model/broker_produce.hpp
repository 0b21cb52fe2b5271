#pragma once
// Produce requests on a broker: the order of checks (APP), the question to the transaction
// coordinator before a transaction opens here (VER), the answer by acks, and the wait of acks=all
// for the high watermark (ACK-3, Kafka's DelayedProduce).
//
//   request -> [ask the coordinator -> append_after_verify] -> append -> [watermark] -> answer

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/purgatory.hpp"
#include "model/verification_desk.hpp"

namespace eos::model {

/// The leader this broker knows of, told with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (N11).
[[nodiscard]] std::optional<LeaderHint> leader_hint(const MetadataImage& image, LogId log,
                                                    ErrorCode error);

class ProduceDesk {
  public:
    void on_request(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                    const sim::ReplyTo& to, ProduceRequest&& request);
    /// The coordinator has answered.
    void on_verified(const BrokerStep& step, const VerificationAnswer& answer);
    /// The coordinator was busy with the former transaction; it is asked again (PSD-2).
    void on_retry(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                  std::int64_t token);
    /// Task::append_after_verify: another thread goes on with a verified request (VER-9).
    void on_append(const BrokerStep& step, Replicas& replicas, const HandOff& handoff);
    /// The log moved, or this broker stopped leading it (ACK-7).
    void on_moved(const BrokerStep& step, Replicas& replicas, LogId log);
    /// The step from "it is done" to the answer, which another thread takes (Task::delayed_answer).
    void on_handoff(const BrokerStep& step, const HandOff& handoff);
    /// The producer's timeout: what is not done is REQUEST_TIMED_OUT (ACK-4).
    void on_timeout(const BrokerStep& step, WaitId id);

    [[nodiscard]] std::size_t waiting() const { return purgatory_.size(); }
    [[nodiscard]] auto fields() const {
        return std::tie(verifying_, next_token_, purgatory_, answering_);
    }
    friend bool operator==(const ProduceDesk&, const ProduceDesk&) = default;

  private:
    /// What is known of one part before its append.
    struct Admission {
        ErrorCode error = ErrorCode::none;
        std::optional<VerificationGuard> verified;
        friend bool operator==(const Admission&, const Admission&) = default;
    };
    using Admissions = std::vector<Admission>;  ///< by part; empty: nothing to say
    struct Verifying {
        sim::ReplyTo to;
        ProduceRequest request;
        Admissions admissions;
        sim::Instant since{};
        friend bool operator==(const Verifying&, const Verifying&) = default;
    };

    [[nodiscard]] static Admission admit(const BrokerStep& step, Replicas& replicas,
                                         const ProduceRequest& request,
                                         const ProduceRequest::Part& part);
    /// Admits all parts; whether a coordinator must be asked about some.
    [[nodiscard]] static bool admit(const BrokerStep& step, Replicas& replicas,
                                    const ProduceRequest& request, Admissions& admissions);
    static void ask(const BrokerStep& step, VerificationDesk& desk, std::int64_t token,
                    const Verifying& produce);
    void append(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                const ProduceRequest& request, const Admissions& admissions);

    std::map<std::int64_t, Verifying> verifying_;
    std::int64_t next_token_ = 0;
    ProducePurgatory purgatory_;
    boost::container::flat_map<WaitId, DelayedProduce> answering_;  ///< done, not yet answered
};

}  // namespace eos::model
