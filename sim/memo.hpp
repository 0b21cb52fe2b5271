#pragma once
// Something that can be worked out again at any time and is kept only because that takes long. It
// is no part of the state it stands in: every memo equals every other and adds nothing to a hash,
// so whoever uses one must come to the same result with it and without.

#include <memory>
#include <utility>

#include "sim/state_hash.hpp"

namespace eos::sim {

template <class T>
class Memo {
  public:
    [[nodiscard]] const T* find() const { return kept_.get(); }
    void keep(T value) { kept_ = std::make_shared<const T>(std::move(value)); }
    void forget() { kept_.reset(); }

    friend bool operator==(const Memo&, const Memo&) { return true; }
    void hash_to(Hasher&) const {}

  private:
    std::shared_ptr<const T> kept_;  ///< copies share it
};

}  // namespace eos::sim
