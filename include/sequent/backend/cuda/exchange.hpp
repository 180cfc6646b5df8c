// How the blocks of a cluster hand their numbers to each other, step by step, without a barrier of the cluster: each
// has two mbarriers, for the buffers of even and of odd steps. A step ends for a warp when all bytes that other blocks
// send to its block have come, and as many arrivals of its own block's warps as were agreed on. Nobody can be more than
// a step ahead: a block's next step needs what all warps of all the others send at the end of this one.
#pragma once

#include "warp.hpp"

namespace sequent {

// At: the byte of shared memory where the mbarriers stand. Bytes: what a block receives from the others in a step.
// Arrivals: of its own warps in a step.
template <int At, int Bytes, int Arrivals>
struct cluster_exchange {
    static constexpr int barriers_bytes = 16, bytes = Bytes;

    static constexpr SEQUENT_DEVICE int barrier(int visit) { return At + visit % 2 * 8; }
    static constexpr SEQUENT_DEVICE int parity(int visit) { return visit / 2 % 2; }

    // Called by all warps before a barrier of the cluster.
    template <class Warp>
    static SEQUENT_DEVICE void start(Warp& warp) {
        if (warp.index() != 0) return;
        warp.lanes([&](int lane) {
            for (int n = 0; n < 2 && lane == 0; ++n) {
                warp.create_barrier(barrier(n), Arrivals + 1);
                warp.arrive(lane, barrier(n), Bytes);
            }
        });
    }
    // What this warp has stored in its own block's memory may be read once the step has ended.
    template <class Warp>
    static SEQUENT_DEVICE void arrive(Warp& warp, int visit) {
        warp.lanes([&](int lane) {
            if (lane == 0) warp.arrive(lane, barrier(visit), 0);
        });
    }
    // Waits for the end of the visit's step. Its mbarrier is told of the bytes of the step after the next at once,
    // before anybody can send them.
    template <class Warp>
    static SEQUENT_DEVICE void wait(Warp& warp, int visit) {
        warp.wait(barrier(visit), parity(visit));
        if (warp.index() != 0) return;
        warp.lanes([&](int lane) {
            if (lane == 0) warp.arrive(lane, barrier(visit), Bytes);
        });
    }
};

// A block that is alone exchanges nothing.
struct no_exchange {
    static constexpr int barriers_bytes = 0;
};

}  // namespace sequent
