#include "allocations.hpp"

#include <cstddef>
#include <cstdlib>

std::atomic<long> sequent_tests::allocations = 0;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SEQUENT_TESTS_FOREIGN_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__) || !defined(__x86_64__)
#define SEQUENT_TESTS_FOREIGN_MALLOC
#endif

#if defined(SEQUENT_TESTS_FOREIGN_MALLOC)
bool const sequent_tests::counts_allocations = false;
#else
bool const sequent_tests::counts_allocations = true;

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
    ++sequent_tests::allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    ++sequent_tests::allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* before, std::size_t size) noexcept {
    ++sequent_tests::allocations;
    return __libc_realloc(before, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    ++sequent_tests::allocations;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t size) noexcept {
    ++sequent_tests::allocations;
    *to = __libc_memalign(alignment, size);
    return *to == nullptr;
}
}
#endif
