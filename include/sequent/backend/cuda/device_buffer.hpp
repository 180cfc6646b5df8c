// Memory on the device: grown when a batch exceeds all before it, never shrunk and never cleared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "machine.hpp"

namespace sequent {

// n made round, so that the same number comes again where n differs a little: by less than a quarter, or 1 / parts.
[[nodiscard]] constexpr int round_up(int n, int parts = 4) {
    int unit = 1;
    while (2 * parts * unit <= n) unit *= 2;
    return (n + unit - 1) / unit * unit;
}

template <class Machine, class T>
class device_buffer {
  public:
    device_buffer() = default;
    device_buffer(device_buffer const& other) {
        grow(other.room_);
        size_ = other.size_;
        Machine::copy(other.memory_, size_ * sizeof(T), memory_);
    }
    device_buffer(device_buffer&& other) noexcept { swap(other); }
    device_buffer& operator=(device_buffer other) noexcept {
        swap(other);
        return *this;
    }
    ~device_buffer() { Machine::release(memory_); }

    // Makes room for n elements, and behind them for as many as a round number of a matrix's rows may have more. The
    // contents are lost when the buffer has to grow, then to `room` elements if that is more; new elements are not
    // initialised.
    T* reserve(std::size_t n, std::size_t room = 0) {
        if (n + n / 4 > room_) {
            std::size_t const most = std::max(n, room);
            grow(most + most / 4);
            Machine::spare(memory_ + n, (room_ - n) * sizeof(T));
        }
        size_ = n;
        return memory_;
    }

    // Makes room for n elements, keeping the first min(n, size()) and setting the others to `value`.
    T* resize(std::size_t n, T value) {
        std::size_t const kept = std::min(n, size_);
        if (n > room_) {
            device_buffer larger;
            larger.grow(std::max(n, 2 * room_));
            Machine::copy(memory_, kept * sizeof(T), larger.memory_);
            swap(larger);
        }
        size_ = n;
        if (n > kept) Machine::set(memory_ + kept, n - kept, value);
        return memory_;
    }

    [[nodiscard]] T* data() { return memory_; }
    [[nodiscard]] T const* data() const { return memory_; }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    void grow(std::size_t room) {
        Machine::release(std::exchange(memory_, nullptr));
        room_ = 0;
        memory_ = static_cast<T*>(Machine::allocate(room * sizeof(T)));
        room_ = room;
    }
    void swap(device_buffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(size_, other.size_);
        std::swap(room_, other.room_);
    }

    T* memory_ = nullptr;
    std::size_t size_ = 0, room_ = 0;
};

}  // namespace sequent
