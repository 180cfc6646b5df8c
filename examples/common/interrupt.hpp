// Ctrl-C as a request: the program stops at the next batch, saves what it was told to save and leaves with 130.
#pragma once

#include <csignal>

namespace news {

namespace detail {
inline volatile std::sig_atomic_t interrupts = 0;
}

// The first SIGINT from now on is noted; a second one ends the program at once.
inline void note_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { detail::interrupts = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, nullptr);
}

// From now on SIGINT ends the program, as it does by default.
inline void let_interrupts_end() { std::signal(SIGINT, SIG_DFL); }

[[nodiscard]] inline bool interrupted() { return detail::interrupts != 0; }

}  // namespace news
