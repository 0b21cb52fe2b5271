#pragma once
// Symbolic names of a case (members, instances, refs, assignments) as the numbers of the model.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace eos::conformance {

/// Gives each new name the next number; 0 is never given.
class Names {
  public:
    [[nodiscard]] std::int32_t number(const std::string& name) {
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (names_[i] == name) return static_cast<std::int32_t>(i) + 1;
        names_.push_back(name);
        return static_cast<std::int32_t>(names_.size());
    }
    [[nodiscard]] std::string name(std::int64_t number) const {
        return names_.at(static_cast<std::size_t>(number - 1));
    }

  private:
    std::vector<std::string> names_;
};

/// The number of a name as an ordinal; none for an absent or empty name.
template <class Ordinal>
[[nodiscard]] std::optional<Ordinal> numbered(Names& names,
                                              const std::optional<std::string>& name) {
    if (!name || name->empty()) return std::nullopt;
    return Ordinal{static_cast<typename Ordinal::rep>(names.number(*name))};
}
/// The name of an ordinal; "" for none.
template <class Ordinal>
[[nodiscard]] std::string name_or_empty(const Names& names, const std::optional<Ordinal>& id) {
    return id ? names.name(static_cast<std::int64_t>(id->value)) : std::string();
}

}  // namespace eos::conformance
