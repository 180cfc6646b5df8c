// Who runs the pieces of an operation: the calling thread, the pool that ships here, or an executor of the user's own.
// No cut changes a bit: sums run over one sequence, or over shards that the shape alone decides.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../../core/error.hpp"

namespace sequent {

// A function of a piece's number, by reference: no allocation, valid during the call that it is passed to.
struct piece_function {
    void* object;
    void (*call)(void* object, int piece);
    void operator()(int piece) const { call(object, piece); }
};

class executor {
  public:
    virtual ~executor() = default;
    // Calls f(0), ..., f(pieces - 1), in any order and at once, and returns when all have returned.
    virtual void run(int pieces, piece_function f) = 0;
};

// `threads` threads, the caller's among them. One operation at a time: a second caller waits.
class thread_pool final : public executor {
  public:
    // Throws argument_error for fewer than one thread, and for more than can start.
    explicit thread_pool(int threads) : thread_pool() {  // from here on, what throws calls the destructor
        require(threads >= 1, "sequent::thread_pool: threads is ", threads, "; give 1 or more");
        try {
            for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
        } catch (std::exception const& failure) {
            throw argument_error("sequent::thread_pool: only ", workers_.size() + 1, " of ", threads,
                                 " threads could start: ", failure.what());
        }
    }
    ~thread_pool() override {
        {
            std::lock_guard const lock(mutex_);
            ends_ = true;
        }
        begun_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    void run(int pieces, piece_function f) override {
        std::lock_guard const one_at_a_time(callers_);
        std::unique_lock lock(mutex_);
        function_ = f, pieces_ = pieces, next_ = 0, running_ = 0, failure_ = nullptr, ++round_;
        begun_.notify_all();
        take_pieces(lock);
        done_.wait(lock, [this] { return running_ == 0; });
        pieces_ = 0;
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    thread_pool() = default;
    void work() {
        std::unique_lock lock(mutex_);
        for (std::uint64_t seen = 0;; take_pieces(lock)) {
            begun_.wait(lock, [&] { return ends_ || round_ != seen; });
            if (ends_) return;
            seen = round_;
        }
    }
    void take_pieces(std::unique_lock<std::mutex>& lock) {
        while (next_ < pieces_) {
            int const piece = next_++;
            ++running_;
            lock.unlock();
            try {
                function_(piece);
            } catch (...) {
                std::lock_guard const here(mutex_);
                if (!failure_) failure_ = std::current_exception();
            }
            lock.lock();
            if (--running_ == 0 && next_ >= pieces_) done_.notify_one();
        }
    }

    std::mutex callers_, mutex_;
    std::condition_variable begun_, done_;
    std::vector<std::thread> workers_;
    piece_function function_{};
    int pieces_ = 0, next_ = 0, running_ = 0;
    std::uint64_t round_ = 0;
    bool ends_ = false;
    std::exception_ptr failure_;
};

// Runs f(0), ..., f(pieces - 1) on the executor, or here if there is none, or the work is too small to wake a thread
// for: below about 8 million floating-point operations a piece of two.
template <class F>
void for_pieces(executor* threads, int pieces, double operations, F&& f) {
    constexpr double worth_waking = 16e6;
    if (threads == nullptr || pieces < 2 || operations < worth_waking) {
        for (int piece = 0; piece < pieces; ++piece) f(piece);
    } else {
        threads->run(pieces,
                     {&f, [](void* object, int piece) { (*static_cast<std::remove_reference_t<F>*>(object))(piece); }});
    }
}

}  // namespace sequent
