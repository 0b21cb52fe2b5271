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
Harness make_modern_group(const Args& config);
Harness make_offsets(const Args& config);
Harness make_coordinator(const Args& config);
Harness make_marker_manager(const Args& config);
Harness make_verify_manager(const Args& config);
Harness make_broker_api(const Args& config);
Harness make_assignor(const Args& config);
Harness make_producer(const Args& config);
Harness make_fetch_filter(const Args& config);
Harness make_modern_member(const Args& config);

namespace {

constexpr std::array rows{
    // broker.yaml
    HarnessRow{"psm", &make_psm},
    HarnessRow{"log", &make_log},
    HarnessRow{"aborted_index", &make_aborted_index},
    HarnessRow{"epoch_cache", &make_epoch_cache},
    HarnessRow{"partition", &make_partition},
    HarnessRow{"fetcher", &make_fetcher},
    HarnessRow{"election", &make_election},
    HarnessRow{"coordinator", &make_coordinator},
    HarnessRow{"marker_manager", &make_marker_manager},
    HarnessRow{"verify_manager", &make_verify_manager},
    HarnessRow{"broker_api", &make_broker_api},
    // clients.yaml
    HarnessRow{"producer", &make_producer},
    HarnessRow{"fetch_filter", &make_fetch_filter},
    HarnessRow{"classic_group", &make_classic_group},
    HarnessRow{"classic_member", &make_classic_member},
    HarnessRow{"modern_group", &make_modern_group},
    HarnessRow{"modern_member", &make_modern_member},
    HarnessRow{"offsets", &make_offsets},
    HarnessRow{"assignor", &make_assignor},
    // streams.yaml
    HarnessRow{"streams", nullptr, "Kafka Streams is not modelled yet"},
};

}  // namespace

std::span<const HarnessRow> harnesses() { return rows; }

}  // namespace eos::conformance
