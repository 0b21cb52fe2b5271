#include "model/load_memo.hpp"

#include <doctest/doctest.h>

#include "tests/model/log_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::rig;

namespace {

PartitionLog::Batches batches(int count, std::uint64_t first = 1) {
    PartitionLog::Batches result;
    for (int i = 0; i < count; ++i) {
        auto next = plain(1, first + static_cast<std::uint64_t>(i));
        next.base = Offset{i};
        result.push_back(next);
    }
    return result;
}

}  // namespace

TEST_CASE("a load goes on from what stands in the log, and from nothing else") {
    LoadMemo<int> memo;
    memo.keep(the_log, batches(100), 80, 7);

    const auto* found = memo.find(the_log, batches(90), Offset{90});
    REQUIRE(found);
    CHECK(found->fold == 7);
    CHECK(found->batches.size() == 80);
    CHECK_FALSE(memo.find(LogId{1}, batches(90), Offset{90}));    // never read
    CHECK_FALSE(memo.find(the_log, batches(79), Offset{90}));     // cut
    CHECK_FALSE(memo.find(the_log, batches(90, 2), Offset{90}));  // other records
    CHECK_FALSE(memo.find(the_log, batches(90), Offset{79}));     // beyond the watermark
    CHECK(memo == LoadMemo<int>{});
}
