#include "model/store_tables.hpp"

#include <utility>

namespace eos::model {

Cell identity_cell(AppId app, const EffectKey& key) {
    const auto table = [&] {
        switch (key.kind) {
            case IdentityKind::offset:
                return Cell::Table::by_offset;
            case IdentityKind::business:
                return Cell::Table::by_business;
            case IdentityKind::random:
                return Cell::Table::by_random;
            case IdentityKind::none:
            case IdentityKind::event:
                break;
        }
        return Cell::Table::by_event;
    };
    return {table(), app.value, key.a, key.b};
}

Cell row_cell(AppId app, const Record& record) {
    return {Cell::Table::row, app.value, record.key, 0};
}

Cell offset_cell(GroupId group, LogId log) {
    return {Cell::Table::offset, group.value, static_cast<std::uint64_t>(log.value), 0};
}

Cell token_cell(GroupId group, LogId log) {
    return {Cell::Table::token, group.value, static_cast<std::uint64_t>(log.value), 0};
}

StoreTables::StoreTables(std::shared_ptr<const StoreConfig> config) : config_(std::move(config)) {}

const StoreTables::Known* StoreTables::known(const Cell& cell, sim::Instant now, bool& expired) {
    const auto found = identities_.find(cell);
    if (found == identities_.end()) return nullptr;
    if (config_->remember && found->second.since + *config_->remember <= now) {
        identities_.erase(found);
        expired = true;
        return nullptr;
    }
    return &found->second;
}

void StoreTables::remember(const Cell& cell, sim::Instant now, ErrorCode answer) {
    identities_[cell] = {now, answer};
}

std::optional<Offset> StoreTables::offset(const Cell& cell) const {
    const auto found = offsets_.find(cell);
    if (found == offsets_.end()) return std::nullopt;
    return found->second;
}

std::optional<Generation> StoreTables::token(const Cell& cell) const {
    const auto found = tokens_.find(cell);
    if (found == tokens_.end()) return std::nullopt;
    return found->second;
}

// Whether it is the value now. A sql store overwrites; a kv store keeps the write with the greater
// timestamp (N13, N14). Simplified: the timestamp of a record is its offset, both grow along a log.
bool StoreTables::put(const Context& ctx, const Change& change) {
    const auto& row = change.row;
    const bool by_time = config_->kind == StoreKind::kv;
    const auto stamp = config_->timestamps == WriteTime::now ? ctx.now.time_since_epoch().count()
                                                             : row.offset.value;
    const auto cell = row_cell(change.process.app, row.record);
    const auto found = rows_.find(cell);
    if (found != rows_.end()) {
        const auto& old = found->second;
        const bool same_log = old.log == row.log;
        const bool newer = !same_log || row.offset > old.offset;
        if (change.effect == EffectKind::put_if_newer && !newer) return false;
        const bool comparable = config_->timestamps == WriteTime::now || same_log;
        if (change.effect == EffectKind::put && by_time && comparable && stamp < old.stamp)
            return false;
    }
    rows_[cell] = {row.record, row.log, row.offset, stamp};
    return true;
}

void StoreTables::apply(const Context& ctx, const std::vector<Change>& changes, Fx& fx) {
    for (const auto& change : changes) {
        switch (change.kind) {
            case Change::Kind::identity:
                remember(change.cell, ctx.now, ErrorCode::none);
                break;
            case Change::Kind::offset:
                offsets_[change.cell] = {change.value};
                fx.observe(StoreOffsetWritten{config_->id,
                                              change.process,
                                              change.group,
                                              {static_cast<std::int32_t>(change.cell.a)},
                                              {change.value}});
                break;
            case Change::Kind::token:
                tokens_[change.cell] = {static_cast<std::int32_t>(change.value)};
                break;
            case Change::Kind::effect: {
                const bool overwrites =
                    change.effect == EffectKind::put || change.effect == EffectKind::put_if_newer;
                const bool kept = !overwrites || put(ctx, change);
                ++effects_;
                fx.observe(StoreApplied{config_->id, change.process, change.group, change.row.log,
                                        change.row.offset, change.row.record, change.effect, kept});
                break;
            }
        }
    }
}

}  // namespace eos::model
