// A number in the PTX for gate.sh to read: the shared memory that a kernel's launch asks for, which ptxas does not
// know.
#pragma once

template <class Body>
__device__ int shared_bytes = Body::shared_bytes;
