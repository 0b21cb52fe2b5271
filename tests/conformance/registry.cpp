// The rows: which harness is driven by what. To add one, write NAME.cpp with its make function and
// give its row here.

#include <array>

#include "tests/conformance/harness.hpp"

namespace eos::conformance {

Harness make_psm(const Args& config);
Harness make_log(const Args& config);
Harness make_aborted_index(const Args& config);
Harness make_epoch_cache(const Args& config);
Harness make_partition(const Args& config);
Harness make_fetcher(const Args& config);
Harness make_election(const Args& config);
Harness make_classic_group(const Args& config);
Harness make_classic_member(const Args& config);
Harness make_offsets(const Args& config);
Harness make_assignor(const Args& config);
Harness make_producer(const Args& config);

namespace {

constexpr std::string_view needs_transactions =
    "the transaction coordinator is not modelled yet";

constexpr std::array rows{
    // broker.yaml
    HarnessRow{"psm", &make_psm},
    HarnessRow{"log", &make_log},
    HarnessRow{"aborted_index", &make_aborted_index},
    HarnessRow{"epoch_cache", &make_epoch_cache},
    HarnessRow{"partition", &make_partition},
    HarnessRow{"fetcher", &make_fetcher},
    HarnessRow{"election", &make_election},
    HarnessRow{"coordinator", nullptr, needs_transactions},
    HarnessRow{"marker_manager", nullptr, needs_transactions},
    HarnessRow{"verify_manager", nullptr, needs_transactions},
    HarnessRow{"broker_api", nullptr,
               "the request level of transactional APIs is not modelled yet"},
    // clients.yaml
    HarnessRow{"producer", &make_producer},
    HarnessRow{"fetch_filter", nullptr, "no harness drives the consumer's fetch side yet"},
    HarnessRow{"classic_group", &make_classic_group},
    HarnessRow{"classic_member", &make_classic_member},
    HarnessRow{"modern_group", nullptr, "KIP-848 groups are not modelled yet"},
    HarnessRow{"modern_member", nullptr, "KIP-848 groups are not modelled yet"},
    HarnessRow{"offsets", &make_offsets},
    HarnessRow{"assignor", &make_assignor},
    // streams.yaml
    HarnessRow{"streams", nullptr, "Kafka Streams is not modelled yet"},
};

}  // namespace

std::span<const HarnessRow> harnesses() { return rows; }

}  // namespace eos::conformance
