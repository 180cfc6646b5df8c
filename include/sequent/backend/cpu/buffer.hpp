// Memory of the CPU backend: 64-byte aligned, grown when a batch exceeds all before it, never shrunk and never cleared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sequent {

template <class T>
class cpu_buffer {
  public:
    cpu_buffer() = default;
    cpu_buffer(cpu_buffer const& other) {
        reserve(other.size_);
        std::copy_n(other.data(), other.size_, data());
    }
    cpu_buffer(cpu_buffer&& other) noexcept { swap(other); }
    cpu_buffer& operator=(cpu_buffer other) noexcept {
        swap(other);
        return *this;
    }

    // Makes room for n elements. The contents are lost when the buffer has to grow, then to `room` elements if that is
    // more; new elements are not initialised.
    T* reserve(std::size_t n, std::size_t room = 0) {
        if (n > room_) {
            memory_.reset();
            room_ = 0;
            std::size_t const bytes = std::max(n, room) * sizeof(T);
            memory_.reset(static_cast<T*>(::operator new (bytes, std::align_val_t{64})));
            prefer_large_pages(memory_.get(), bytes);
            room_ = std::max(n, room);
        }
        size_ = n;
        return data();
    }

    // Makes room for n elements, keeping the first min(n, size()) and setting the others to `value`.
    T* resize(std::size_t n, T value) {
        std::size_t const kept = std::min(n, size_);
        if (n > room_) {
            cpu_buffer larger;
            larger.reserve(std::max(n, 2 * room_));
            std::copy_n(data(), kept, larger.data());
            swap(larger);
        }
        size_ = n;
        std::fill(data() + kept, data() + n, value);
        return data();
    }

    [[nodiscard]] T* data() { return memory_.get(); }
    [[nodiscard]] T const* data() const { return memory_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] T& operator[](std::size_t i) { return data()[i]; }
    [[nodiscard]] T const& operator[](std::size_t i) const { return data()[i]; }

  private:
    void swap(cpu_buffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(size_, other.size_);
        std::swap(room_, other.room_);
    }
    // A big table is read here and there: small pages would miss the processor's list of them at nearly every row.
    static void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
        constexpr std::uintptr_t page = std::uintptr_t{2} << 20;
        std::uintptr_t const begin = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page,
                             end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
        if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
    }
    struct release {
        void operator()(T* memory) const { ::operator delete (memory, std::align_val_t{64}); }
    };
    std::unique_ptr<T, release> memory_;
    std::size_t size_ = 0, room_ = 0;
};

}  // namespace sequent
