// PTX as text, read into statements: what nvcc makes of a kernel before ptxas sees it. The part of PTX ISA 9.0 that
// nvcc 13 emits for this library's kernels; anything else is an error that quotes its line.
#pragma once

#include <cctype>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace simulated_gpu {

struct ptx_error : std::runtime_error {
    using runtime_error::runtime_error;
};

// %r1, 7, [symbol + 8], {a, b}, %p1|%p2
struct operand {
    std::string text;        // a register, number or symbol; of memory, its base
    bool is_memory = false;  // with an offset
    bool negated = false;    // !%p
    std::int64_t offset = 0;
    std::vector<operand> parts;  // of a vector, or of a pair of predicates
};

struct statement {
    std::string guard;  // a predicate; empty: none
    bool guard_negated = false;
    std::vector<std::string> name;  // "ld", "global", "f32"
    std::vector<operand> operands;
    std::string text;
};

// The registers of a function are named anew where an inner scope hides an outer one.
struct function_text {
    std::string name;
    struct parameter {
        std::string name;
        int offset, bytes;
    };
    std::vector<parameter> parameters, results;  // of a kernel, in its parameter space
    int parameter_bytes = 0;
    std::map<std::string, std::pair<int, int>> locals;     // name -> place in the thread's local memory, bytes
    std::map<std::string, std::pair<int, int>> arguments;  // of calls: name -> place, bytes
    int local_bytes = 0, argument_bytes = 0;
    std::vector<std::string> registers;
    std::vector<statement> statements;
    std::map<std::string, int> labels;  // -> number of the statement that follows
};

struct program;

// A module of one compilation: functions are read when they are asked for.
class module_text {
  public:
    explicit module_text(std::string text);
    // nullptr: there is none.
    function_text const* find(std::string const& name);
    [[nodiscard]] int target() const { return target_; }  // 90: sm_90
    // Whether this is the shared memory that a launch gives.
    [[nodiscard]] bool is_shared_memory(std::string const& name) const { return shared_.count(name) > 0; }
    std::map<std::string, std::shared_ptr<program const>> programs;  // what the machine made of its functions

  private:
    std::string text_;
    int target_ = 0;
    std::map<std::string, std::size_t> places_;  // of ".entry" or ".func"
    std::set<std::string> shared_;
    std::map<std::string, std::unique_ptr<function_text>> read_;
};

}  // namespace simulated_gpu
