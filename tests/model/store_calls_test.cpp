// Stores without transactions: http with its idempotency keys, kv with its timestamps.

#include "tests/model/store_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

StoreConfig http() {
    StoreConfig settings;
    settings.kind = StoreKind::http;
    settings.on_duplicate = OnDuplicate::stored_reply;
    return settings;
}

sim::Correlation call(StoreRig& rig, std::uint32_t session, std::optional<std::uint64_t> key) {
    StoreRequest request;
    request.effect = EffectKind::call;
    request.rows = {row(0, key)};
    return rig.ask(session, request);
}

}  // namespace

TEST_CASE("a call has its effect when it is done, and a known key the stored answer") {
    StoreRig rig(http());

    const auto first = call(rig, 1, 7);
    CHECK_FALSE(rig.answer(first));
    rig.finish_calls();
    const auto again = call(rig, 2, 7);

    CHECK(rig.error(first) == ErrorCode::none);
    CHECK(rig.error(again) == ErrorCode::none);
    CHECK(rig.applied().size() == 1);
}

TEST_CASE("without a key every call has its effect") {
    StoreRig rig(http());

    call(rig, 1, {});
    call(rig, 2, {});
    rig.finish_calls();

    CHECK(rig.applied().size() == 2);
}

TEST_CASE("a key in flight") {
    auto settings = http();

    SUBCASE("blocks until the first call is done") {
        StoreRig rig(settings);
        call(rig, 1, 7);
        const auto second = call(rig, 2, 7);
        CHECK_FALSE(rig.answer(second));
        rig.finish_calls();
        CHECK(rig.error(second) == ErrorCode::none);
        CHECK(rig.applied().size() == 1);
    }
    SUBCASE("is a conflict") {
        settings.in_flight = InFlight::conflict;
        StoreRig rig(settings);
        call(rig, 1, 7);
        CHECK(rig.error(call(rig, 2, 7)) == ErrorCode::http_conflict);
        rig.finish_calls();
        CHECK(rig.error(call(rig, 2, 7)) == ErrorCode::none);
        CHECK(rig.applied().size() == 1);
    }
    SUBCASE("is forgotten by a crash, before there was an effect") {
        StoreRig rig(settings);
        call(rig, 1, 7);
        rig.crash();
        call(rig, 2, 7);
        rig.finish_calls();
        CHECK(rig.applied().size() == 1);
    }
}

TEST_CASE("a stored failure is answered for ever, one that is not stored is tried again") {
    for (const bool stored : {true, false}) {
        auto settings = http();
        settings.keep = stored ? KeepAnswers::all : KeepAnswers::success;
        StoreRig rig(settings);

        const auto first = call(rig, 1, 7);
        rig.finish_calls(ErrorCode::unknown_server_error);
        const auto again = call(rig, 1, 7);
        rig.finish_calls();

        CHECK(rig.error(first) == ErrorCode::http_server_error);
        CHECK(rig.error(again) == (stored ? ErrorCode::http_server_error : ErrorCode::none));
        CHECK(rig.applied().size() == (stored ? 0U : 1U));
    }
}

TEST_CASE("a write that comes late loses by the record's time, and wins by the store's") {
    StoreConfig settings;
    settings.kind = StoreKind::kv;
    for (const auto time : {WriteTime::record, WriteTime::now}) {
        settings.timestamps = time;
        StoreRig rig(settings);
        StoreRequest request;
        request.effect = EffectKind::put;
        for (const std::int64_t offset : {5, 3}) {
            rig.now += seconds(1);
            request.rows = {row(offset, {}, 1)};
            rig.ask(1, request);
        }

        CHECK(rig.applied().at(1).kept == (time == WriteTime::now));
    }
}

TEST_CASE("a conditional insert finds its own row") {
    StoreConfig settings;
    settings.kind = StoreKind::kv;
    StoreRig rig(settings);
    StoreRequest request;
    request.effect = EffectKind::insert_if_absent;
    request.rows = {row(0, 7)};

    rig.ask(1, request);
    const auto again = rig.ask(2, request);

    CHECK(rig.answer(again)->fresh == std::vector<std::uint8_t>{0});
    CHECK(rig.applied().size() == 1);
}
