// Cases of driven harnesses that are not run, each with the argument why.

#include <array>

#include "tests/conformance/harness.hpp"

namespace eos::conformance {

namespace {

constexpr std::array rows{
    SkipRow{"TXC-022",
            "the answer of the snapshot: since PSD-6 (4.0) a commit in the current epoch of a "
            "completed transaction is INVALID_TXN_STATE, which the model speaks"},
    SkipRow{"TXP-072",
            "the answer of the snapshot: since 4.0 INVALID_PRODUCER_ID_MAPPING is fatal in every "
            "transactional request (table 3.4), which the model speaks"},
    SkipRow{"TXP-087",
            "transaction.version does not change during a run; and since 4.0 the change from 1 to "
            "2 takes an InitProducerId that this case of the snapshot does not know (T17)"},
    SkipRow{"LOG-013",
            "contradicts Kafka: UnifiedLog of 4.1.0, 4.2.1 and 4.4.0, asked directly, knows one "
            "batch after this restart, refuses sequence 0 with OUT_OF_ORDER_SEQUENCE_NUMBER and "
            "recognises 2. The scan leaves a snapshot behind, which the final load finds, and "
            "snapshots hold the newest batch only (PSX-5, PSX-8; tests/model/producer_memory_test)"},
};

}  // namespace

std::span<const SkipRow> skipped_cases() { return rows; }

}  // namespace eos::conformance
