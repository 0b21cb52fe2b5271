#pragma once
// An append-mostly vector in shared chunks: copying it copies references to chunks, and a chunk is
// cloned when somebody writes to it while another copy still looks at it. Partition logs are kept
// in it, so that forking a world does not copy its logs. Compared and hashed by content.

#include <atomic>
#include <compare>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "sim/ensure.hpp"
#include "sim/state_hash.hpp"

namespace eos::sim {

template <class T, std::size_t chunk_size = 64>
class PersistentVector {
  public:
    using value_type = T;

    /// Random access, read only. Belongs to the vector: copies of it do not share iterators.
    class const_iterator {
      public:
        using iterator_category = std::random_access_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = const T*;
        using reference = const T&;

        const_iterator() = default;
        const_iterator(const PersistentVector* owner, std::size_t index)
            : owner_(owner), index_(index) {}

        reference operator*() const { return (*owner_)[index_]; }
        pointer operator->() const { return &(*owner_)[index_]; }
        reference operator[](difference_type n) const { return *(*this + n); }
        const_iterator& operator+=(difference_type n) {
            index_ = static_cast<std::size_t>(static_cast<difference_type>(index_) + n);
            return *this;
        }
        const_iterator& operator-=(difference_type n) { return *this += -n; }
        const_iterator& operator++() { return *this += 1; }
        const_iterator& operator--() { return *this += -1; }
        const_iterator operator++(int) { return std::exchange(*this, *this + 1); }
        const_iterator operator--(int) { return std::exchange(*this, *this - 1); }
        friend const_iterator operator+(const_iterator i, difference_type n) { return i += n; }
        friend const_iterator operator+(difference_type n, const_iterator i) { return i += n; }
        friend const_iterator operator-(const_iterator i, difference_type n) { return i -= n; }
        friend difference_type operator-(const const_iterator& a, const const_iterator& b) {
            return static_cast<difference_type>(a.index_) - static_cast<difference_type>(b.index_);
        }
        friend bool operator==(const const_iterator& a, const const_iterator& b) {
            return a.index_ == b.index_;
        }
        friend auto operator<=>(const const_iterator& a, const const_iterator& b) {
            return a.index_ <=> b.index_;
        }

      private:
        const PersistentVector* owner_ = nullptr;
        std::size_t index_ = 0;
    };

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] const T& operator[](std::size_t index) const {
        const std::size_t place = first_ + index;
        return (*chunks_[place / chunk_size])[place % chunk_size];
    }
    [[nodiscard]] const T& front() const { return (*this)[0]; }
    [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }
    [[nodiscard]] const_iterator begin() const { return {this, 0}; }
    [[nodiscard]] const_iterator end() const { return {this, size_}; }

    void push_back(T value) {
        const std::size_t place = first_ + size_;
        if (place % chunk_size == 0) {
            auto fresh = std::make_shared<Chunk>();
            fresh->reserve(chunk_size);
            chunks_.push_back(std::move(fresh));
        }
        owned(place / chunk_size).push_back(std::move(value));
        ++size_;
    }
    void pop_back() { truncate_to(size_ - 1); }
    /// Keeps the first `count` elements.
    void truncate_to(std::size_t count) {
        ensure(count <= size_, "a vector is truncated to a length it has");
        if (count == size_) return;
        if (count == 0) return clear();
        const std::size_t end = first_ + count;  // the place behind the last one kept
        chunks_.resize((end + chunk_size - 1) / chunk_size);
        const std::size_t kept = (end - 1) % chunk_size + 1;
        if (chunks_.back()->size() > kept) {
            Chunk& last = owned(chunks_.size() - 1);
            last.erase(last.begin() + static_cast<std::ptrdiff_t>(kept), last.end());
        }
        size_ = count;
    }
    /// Drops the first `count` elements. Their memory goes a whole chunk at a time.
    void erase_prefix(std::size_t count) {
        ensure(count <= size_, "a vector loses no more than it has");
        if (count == size_) return clear();
        first_ += count;
        size_ -= count;
        const auto gone = static_cast<std::ptrdiff_t>(first_ / chunk_size);
        chunks_.erase(chunks_.begin(), chunks_.begin() + gone);
        first_ %= chunk_size;
    }
    void clear() {
        chunks_.clear();
        first_ = 0;
        size_ = 0;
    }
    /// Replaces one element.
    void set(std::size_t index, T value) {
        ensure(index < size_, "an element that is replaced exists");
        const std::size_t place = first_ + index;
        owned(place / chunk_size)[place % chunk_size] = std::move(value);
    }

    /// Whether `prefix` is how this vector begins. Chunks that both share are not looked into.
    [[nodiscard]] bool begins_with(const PersistentVector& prefix) const {
        if (prefix.size_ > size_) return false;
        for (std::size_t i = 0; i < prefix.size_;) {
            const std::size_t place = first_ + i;
            const bool aligned = first_ == prefix.first_ &&
                                 chunks_[place / chunk_size] == prefix.chunks_[place / chunk_size];
            if (aligned) {
                i += chunk_size - place % chunk_size;
            } else {
                if (!((*this)[i] == prefix[i])) return false;
                ++i;
            }
        }
        return true;
    }

    friend bool operator==(const PersistentVector& a, const PersistentVector& b) {
        if (a.size_ != b.size_) return false;
        if (a.first_ == b.first_ && a.chunks_ == b.chunks_) return true;  // the same chunks
        for (std::size_t i = 0; i < a.size_; ++i)
            if (!(a[i] == b[i])) return false;
        return true;
    }
    void hash_to(Hasher& hasher) const {
        hasher.add(size_);
        for (const T& element : *this) hash_into(hasher, element);
    }

  private:
    using Chunk = std::vector<T>;

    /// The chunk for writing: cloned first if another vector shares it.
    Chunk& owned(std::size_t index) {
        std::shared_ptr<Chunk>& chunk = chunks_[index];
        if (chunk.use_count() > 1) {
            auto clone = std::make_shared<Chunk>();
            clone->reserve(chunk_size);
            clone->insert(clone->end(), chunk->begin(), chunk->end());
            chunk = std::move(clone);
        } else {
            // The last other owner may have let go in another thread: see all it did before.
            std::atomic_thread_fence(std::memory_order_acquire);
        }
        return *chunk;
    }

    std::vector<std::shared_ptr<Chunk>> chunks_;
    std::size_t first_ = 0;  ///< elements of the first chunk that were erased
    std::size_t size_ = 0;
};

}  // namespace eos::sim
