// A number that the device has made or is about to make, and that is read when somebody asks for it.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include "machine.hpp"

namespace sequent {

// Converts to a T, and waits for the device then. Copies share the number; it may be read at any time, whatever the
// device has done since, but by one thread at once.
template <class Machine, class T>
class device_number {
    static_assert(sizeof(T) <= answer_bytes && std::is_trivially_copyable_v<T>);

  public:
    // write(pointer): has the device write the number there.
    template <class F>
    device_number(Machine& machine, F const& write) : answer_(machine.ask()) {
        write(static_cast<T*>(answer_->on_device()));
        machine.send(*answer_);
    }

    [[nodiscard]] T number() const { return *at(answer_->on_host()); }
    [[nodiscard]] operator T() const { return number(); }
    [[nodiscard]] T const* on_device() const { return at(answer_->on_device()); }

    // A member of a number that is a struct.
    template <class Part, std::same_as<T> Whole>
    [[nodiscard]] device_number<Machine, Part> part(Part Whole::*member) const {
        auto const* const whole = static_cast<T const*>(answer_->on_device());
        auto const* const first = reinterpret_cast<std::byte const*>(whole);
        return {answer_, reinterpret_cast<std::byte const*>(&(whole->*member)) - first};
    }

  private:
    template <class, class>
    friend class device_number;
    using answer = typename Machine::answer;
    device_number(std::shared_ptr<answer> of, std::ptrdiff_t offset) : answer_(std::move(of)), offset_(offset) {}
    [[nodiscard]] T const* at(void const* first) const {
        return reinterpret_cast<T const*>(static_cast<std::byte const*>(first) + offset_);
    }

    std::shared_ptr<answer> answer_;
    std::ptrdiff_t offset_ = 0;
};

}  // namespace sequent
