#include "faults/scene.hpp"

namespace eos::faults {

sim::NodeId Happening::node() const {
    if (milestone_ != nullptr) return milestone_->node;
    return moment_ == sim::Moment::delivered ? frame_->to : frame_->from;
}

std::optional<std::int64_t> Happening::fact(const FactNames& names, sim::FactName name) const {
    if (name == names.node) return node().value;
    if (milestone_ != nullptr) return milestone_->facts.find(name);
    if (name == names.api) return frame_->kind;
    if (name == names.side) return frame_->response ? 1 : 0;
    if (name == names.from) return frame_->from.value;
    if (name == names.to) return frame_->to.value;
    return frame_->facts.find(name);
}

Scene Happening::scene(const FactNames& names) const {
    const auto node_fact = [&](sim::FactName name) -> std::optional<sim::NodeId> {
        const auto value = fact(names, name);
        if (!value) return std::nullopt;
        return sim::NodeId{static_cast<std::int32_t>(*value)};
    };
    const auto index_fact = [&](sim::FactName name) -> std::optional<std::int32_t> {
        const auto value = fact(names, name);
        if (!value) return std::nullopt;
        return static_cast<std::int32_t>(*value);
    };
    Scene scene;
    scene.node = node();
    scene.from = node_fact(names.from);
    scene.to = node_fact(names.to);
    scene.log = index_fact(names.log);
    scene.group = index_fact(names.group);
    scene.txid = index_fact(names.txid);
    return scene;
}

}  // namespace eos::faults
