#pragma once
// A store on its own: sessions ask it by hand, its answers, milestones and observations are kept.

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "model/store.hpp"

namespace eos::model::testing {

inline constexpr ProcessId writer0{{0}, 0};
inline constexpr ProcessId writer1{{0}, 1};
inline constexpr LogId orders{0};
inline constexpr GroupId group0{0};

inline StoreRow row(std::int64_t offset, std::optional<std::uint64_t> event = {},
                    std::uint32_t key = 0) {
    StoreRow result{{{static_cast<std::uint64_t>(100 + offset)}, key, 1}, orders, {offset}, {}};
    if (event) result.key = EffectKey{IdentityKind::event, *event, 0};
    return result;
}

class StoreRig {
  public:
    explicit StoreRig(StoreConfig settings = {}) {
        Topology topology;
        topology.brokers = 3;
        topology.apps = {"writer"};
        topology.app_first_node = {{4}};
        topology.stores = {{"db", settings.kind}};
        topology.first_store = {6};
        settings.name = "db";
        store.emplace(std::make_shared<const StoreConfig>(settings),
                      std::make_shared<const Topology>(topology));
        store->on_start(ctx(), fx);
    }

    /// Asks in session `session`, which belongs to node 4 + instance.
    sim::Correlation ask(std::uint32_t session, StoreRequest request, ProcessId who = writer0) {
        request.process = who;
        request.group = group0;
        const sim::Correlation number{++asked_};
        store->on_request(ctx(), {{4 + who.instance}, 3, session, number}, request, fx);
        return number;
    }
    sim::Correlation begin_write(std::uint32_t session, std::vector<StoreRow> rows,
                                 EffectKind effect = EffectKind::insert, ProcessId who = writer0) {
        StoreRequest request;
        request.begins = true;
        request.effect = effect;
        request.rows = std::move(rows);
        return ask(session, std::move(request), who);
    }
    sim::Correlation commit(std::uint32_t session, ProcessId who = writer0) {
        StoreRequest request;
        request.statement = Statement::commit;
        return ask(session, std::move(request), who);
    }
    /// What came back; none: it is not answered yet.
    [[nodiscard]] std::optional<StoreResponse> answer(sim::Correlation to) const {
        for (const auto& effect : fx.list())
            if (const auto* reply = std::get_if<sim::effect::Reply<Message>>(&effect))
                if (reply->to.correlation == to) return std::get<StoreResponse>(reply->message);
        return std::nullopt;
    }
    [[nodiscard]] ErrorCode error(sim::Correlation to) const {
        const auto answered = answer(to);
        REQUIRE(answered);
        return answered->error;
    }
    [[nodiscard]] std::vector<StoreApplied> applied() const {
        std::vector<StoreApplied> result;
        for (const auto& effect : fx.list())
            if (const auto* o = std::get_if<sim::effect::Observe<Observation>>(&effect))
                if (const auto* done = std::get_if<StoreApplied>(&o->observation))
                    result.push_back(*done);
        return result;
    }
    [[nodiscard]] std::int64_t reached(Mile mile) const {
        std::int64_t times = 0;
        for (const auto& effect : fx.list())
            if (const auto* reach = std::get_if<sim::effect::Reach>(&effect))
                times += reach->kind == number(mile) ? 1 : 0;
        return times;
    }
    /// Rings every timer of this kind that is armed.
    void ring(Tick kind) {
        std::map<sim::TimerKey, bool> armed;
        for (const auto& effect : fx.list()) {
            if (const auto* arm = std::get_if<sim::effect::Arm>(&effect)) armed[arm->key] = true;
            if (const auto* off = std::get_if<sim::effect::Disarm>(&effect))
                armed[off->key] = false;
        }
        for (const auto& [key, on] : armed)
            if (on && tick(key) == kind) store->on_timer(ctx(), key, fx);
    }
    /// Hand-offs of calls under way come back, one after the other, with or without an error.
    void finish_calls(ErrorCode error = ErrorCode::none) {
        std::vector<HandOff> steps;
        for (const auto& effect : fx.list())
            if (const auto* step = std::get_if<sim::effect::HandOff<Message>>(&effect))
                steps.push_back(std::get<HandOff>(step->message));
        for (; done_ < steps.size(); ++done_) {
            steps[done_].error = error;
            store->on_handoff(ctx(), steps[done_], fx);
        }
    }
    void crash(const sim::Loss& loss = {}) {
        store = std::move(*store).reborn(loss);
        store->on_start(ctx(), fx);
    }
    [[nodiscard]] Context ctx() const { return {.now = now, .wall = now, .self = {6}, .life = 0}; }

    std::optional<Store> store;
    Fx fx;
    sim::Instant now{};

  private:
    std::uint32_t asked_ = 0;
    std::size_t done_ = 0;
};

}  // namespace eos::model::testing
