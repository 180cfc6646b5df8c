// From statements to instructions.
#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <set>

#include "actions.hpp"

namespace simulated_gpu {

using namespace actions;

namespace {

struct mapped {
    std::map<std::string, int> registers;
    program* of;
    module_text* module;

    int fresh(std::uint64_t value) {
        int const n = of->registers++;
        of->constants.push_back({n, value});
        return n;
    }
    // A register, or a new one that holds a number or an address. `type`: of the number.
    int slot(std::string const& name, std::string const& type) {
        if (auto const found = registers.find(name); found != registers.end()) return found->second;
        if (name.empty() || name == "_") return fresh(0);
        if (name[0] == '%') return special(name);
        if (std::isdigit(static_cast<unsigned char>(name[0])) != 0 || name[0] == '-') return fresh(literal(name, type));
        if (auto const local = of->text->locals.find(name); local != of->text->locals.end()) {
            int const n = of->registers++;
            of->specials.push_back(
                {n, [](thread const& t) { return reinterpret_cast<std::uint64_t>(t.frames.back().locals.data()); }});
            return registers[name] = offset_by(n, local->second.first);
        }
        if (module->is_shared_memory(name)) return registers[name] = fresh(0);
        fail("an unknown name: " + name);
    }
    int offset_by(int n, int bytes) {
        if (bytes != 0) fail("only one array of local memory is understood");
        return n;
    }
    static std::uint64_t literal(std::string const& text, std::string const& type) {
        if (text.compare(0, 2, "0f") == 0 || text.compare(0, 2, "0F") == 0)
            return std::stoull(text.substr(2), nullptr, 16);
        if (text.compare(0, 2, "0d") == 0 || text.compare(0, 2, "0D") == 0)
            return std::stoull(text.substr(2), nullptr, 16);
        std::string digits = text;
        while (!digits.empty() && digits.back() == 'U') digits.pop_back();
        std::uint64_t const value = digits[0] == '-' ? static_cast<std::uint64_t>(std::stoll(digits, nullptr, 0))
                                                     : std::stoull(digits, nullptr, 0);
        if (type == "pred") return value != 0;
        if (type == "f32") return std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int64_t>(value)));
        if (type == "f64") return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(value)));
        return value;
    }
    int special(std::string const& name) {
        using value = std::uint64_t (*)(thread const&);
        static std::map<std::string, value> const all = {
            {"%tid.x", [](thread const& t) -> std::uint64_t { return t.place.x; }},
            {"%tid.y", [](thread const& t) -> std::uint64_t { return t.place.y; }},
            {"%tid.z", [](thread const& t) -> std::uint64_t { return t.place.z; }},
            {"%ntid.x", [](thread const& t) -> std::uint64_t { return t.home->home->how->block.x; }},
            {"%ntid.y", [](thread const& t) -> std::uint64_t { return t.home->home->how->block.y; }},
            {"%ntid.z", [](thread const& t) -> std::uint64_t { return t.home->home->how->block.z; }},
            {"%ctaid.x", [](thread const& t) -> std::uint64_t { return t.home->place.x; }},
            {"%ctaid.y", [](thread const& t) -> std::uint64_t { return t.home->place.y; }},
            {"%ctaid.z", [](thread const& t) -> std::uint64_t { return t.home->place.z; }},
            {"%nctaid.x", [](thread const& t) -> std::uint64_t { return t.home->home->how->grid.x; }},
            {"%nctaid.y", [](thread const& t) -> std::uint64_t { return t.home->home->how->grid.y; }},
            {"%nctaid.z", [](thread const& t) -> std::uint64_t { return t.home->home->how->grid.z; }},
            {"%laneid", [](thread const& t) -> std::uint64_t { return static_cast<unsigned>(t.lane); }},
            {"%globaltimer_lo",
             [](thread const&) -> std::uint64_t { return 0; }},  // time stands still: waits end by themselves
        };
        auto const found = all.find(name);
        if (found == all.end()) fail("an unknown register: " + name);
        int const n = of->registers++;
        of->specials.push_back({n, found->second});
        return registers[name] = n;
    }
};

template <class F>
action by_type(std::string const& type, F const& f) {
    if (type == "u8") return f.template operator()<std::uint8_t>();
    if (type == "s8") return f.template operator()<std::int8_t>();
    if (type == "u16" || type == "b16") return f.template operator()<std::uint16_t>();
    if (type == "s16") return f.template operator()<std::int16_t>();
    if (type == "u32" || type == "b32") return f.template operator()<std::uint32_t>();
    if (type == "s32") return f.template operator()<std::int32_t>();
    if (type == "u64" || type == "b64") return f.template operator()<std::uint64_t>();
    if (type == "s64") return f.template operator()<std::int64_t>();
    if (type == "f32") return f.template operator()<float>();
    if (type == "f64") return f.template operator()<double>();
    return nullptr;
}
template <class Op>
action binary_of(std::string const& type) {
    return by_type(type, []<class T>() -> action { return binary<T, Op>; });
}
template <class Op>
action whole_of(std::string const& type) {
    if (type == "pred") return binary<std::uint8_t, Op>;
    return by_type(type, []<class T>() -> action {
        if constexpr (is_float<T>)
            return nullptr;
        else
            return binary<T, Op>;
    });
}
template <class Op>
action float_of(std::string const& type) {
    return type == "f32" ? unary<float, Op> : type == "f64" ? unary<double, Op> : action{};
}
template <comparison C>
action compare_of(std::string const& type) {
    return by_type(type, []<class T>() -> action { return compare<T, C>; });
}
action compare_as(std::string const& how, std::string const& type) {
    if (how == "eq") return compare_of<comparison::eq>(type);
    if (how == "ne") return compare_of<comparison::ne>(type);
    if (how == "lt" || how == "lo") return compare_of<comparison::lt>(type);
    if (how == "le" || how == "ls") return compare_of<comparison::le>(type);
    if (how == "gt" || how == "hi") return compare_of<comparison::gt>(type);
    if (how == "ge" || how == "hs") return compare_of<comparison::ge>(type);
    if (how == "ltu") return compare_of<comparison::ltu>(type);
    if (how == "leu") return compare_of<comparison::leu>(type);
    if (how == "gtu") return compare_of<comparison::gtu>(type);
    if (how == "geu") return compare_of<comparison::geu>(type);
    if (how == "equ") return compare_of<comparison::equ>(type);
    if (how == "neu") return compare_of<comparison::neu>(type);
    if (how == "num") return compare_of<comparison::num>(type);
    if (how == "nan") return compare_of<comparison::nan>(type);
    return nullptr;
}
template <class To>
action convert_from(std::string const& type) {
    return by_type(type, []<class From>() -> action { return convert<To, From>; });
}
action convert_to(std::string const& to, std::string const& from) {
    if (to == "u8") return convert_from<std::uint8_t>(from);
    if (to == "s8") return convert_from<std::int8_t>(from);
    if (to == "u16") return convert_from<std::uint16_t>(from);
    if (to == "s16") return convert_from<std::int16_t>(from);
    if (to == "u32") return convert_from<std::uint32_t>(from);
    if (to == "s32") return convert_from<std::int32_t>(from);
    if (to == "u64") return convert_from<std::uint64_t>(from);
    if (to == "s64") return convert_from<std::int64_t>(from);
    if (to == "f32") return convert_from<float>(from);
    if (to == "f64") return convert_from<double>(from);
    return nullptr;
}
template <template <class, space> class Action>
action in_space(std::string const& where, std::string const& type) {
    return by_type(type, [&]<class T>() -> action {
        if (where == "shared") return Action<T, space::shared>::run;
        if (where == "param") return Action<T, space::parameter>::run;
        if (where == "local") return Action<T, space::local>::run;
        return Action<T, space::global>::run;
    });
}
template <class T, space Where>
struct loading {
    static after run(thread& t, instruction const& i) { return load<T, Where>(t, i); }
};
template <class T, space Where>
struct storing {
    static after run(thread& t, instruction const& i) { return store<T, Where>(t, i); }
};

// Whether every part of an instruction's name is one that is understood with it; types of operands always are.
bool is_known(std::vector<std::string> const& name) {
    using words = std::set<std::string>;
    static words const types = {"u8",  "s8",  "u16", "s16", "b16", "u32",  "s32",    "b32",   "u64",
                                "s64", "b64", "f32", "f64", "f16", "bf16", "bf16x2", "f16x2", "tf32"};
    static words const compared = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "lo",  "ls",  "hi", "hs", "ltu",
                                   "leu", "gtu", "geu", "equ", "neu", "num", "nan", "and", "or", "xor"};
    static std::map<std::string, words> const known = {
        {"ld", {"global", "shared", "param", "local", "nc", "v2", "v4"}},
        {"st",
         {"global", "shared", "param", "local", "v2", "v4", "async", "shared::cluster",
          "mbarrier::complete_tx::bytes"}},
        {"mov", {"pred"}},
        {"cvta", {"to", "global"}},
        {"add", {"rn"}},
        {"sub", {"rn"}},
        {"min", {}},
        {"max", {}},
        {"div", {"rn"}},
        {"rem", {}},
        {"mul", {"rn", "lo", "hi", "wide"}},
        {"mad", {"lo", "wide"}},
        {"fma", {"rn", "rm"}},
        {"and", {"pred"}},
        {"or", {"pred"}},
        {"xor", {"pred"}},
        {"not", {"pred"}},
        {"neg", {}},
        {"abs", {}},
        {"copysign", {}},
        {"bfi", {}},
        {"shl", {}},
        {"shr", {}},
        {"selp", {}},
        {"setp", compared},
        {"cvt", {"rn", "rna", "rzi", "rni", "rmi", "rpi", "sat"}},
        {"sqrt", {"rn"}},
        {"rcp", {"rn", "approx", "ftz"}},
        {"ex2", {"approx", "ftz"}},
        {"lg2", {"approx", "ftz"}},
        {"tanh", {"approx"}},
        {"bra", {"uni"}},
        {"ret", {}},
        {"exit", {}},
        {"trap", {}},
        {"call", {"uni"}},
        {"bar", {"sync", "warp"}},
        {"barrier", {"cluster", "arrive", "wait", "aligned"}},
        {"fence", {"mbarrier_init", "release", "cluster"}},
        {"mapa", {"shared::cluster"}},
        {"mbarrier", {"init", "arrive", "expect_tx", "try_wait", "parity", "acquire", "cluster", "shared::cta"}},
        {"shfl", {"sync", "bfly"}},
        {"ldmatrix", {"sync", "aligned", "m8n8", "x2", "x4", "shared"}},
        {"mma", {"sync", "aligned", "m16n8k16", "m16n8k8", "row", "col"}}};
    auto const of = known.find(name[0]);
    return of != known.end() && std::all_of(name.begin() + 1, name.end(), [&](std::string const& part) {
               return types.count(part) > 0 || of->second.count(part) > 0;
           });
}

void assemble(mapped& names, statement const& from, instruction& to) {
    auto const& n = from.name;
    if (!is_known(n)) return;
    auto const& type = n.back();
    std::string const& op = n[0];
    auto const has = [&](char const* part) { return std::find(n.begin(), n.end(), part) != n.end(); };
    auto const is = [&](std::size_t k, char const* what) { return k < n.size() && n[k] == what; };
    to.text = &from;
    if (!from.guard.empty()) to.guard = names.slot(from.guard, "pred"), to.guard_negated = from.guard_negated;
    auto const all_slots = [&](std::string const& of_type) {
        std::size_t k = 0;
        for (auto const& one : from.operands) {
            if (one.parts.empty()) {
                to.o.at(k++) = names.slot(one.text, of_type);
            } else {
                for (auto const& part : one.parts) to.o.at(k++) = names.slot(part.text, of_type);
            }
        }
    };
    // The register with the base of an address, whose offset is `number`.
    auto const memory = [&](operand const& one, std::string const& where) {
        to.number = one.offset;
        auto const& text = *names.of->text;
        auto const in = [&](auto const& list) {
            return std::find_if(list.begin(), list.end(), [&](auto const& p) { return p.name == one.text; });
        };
        if (where == "param") {
            auto const parameter = in(text.parameters), result = in(text.results);
            auto const argument = text.arguments.find(one.text);
            if (parameter != text.parameters.end())
                to.number += parameter->offset;
            else if (result != text.results.end())
                to.number += result->offset;
            else if (argument != text.arguments.end())
                to.number += argument->second.first;
            else if (names.registers.count(one.text) > 0)
                return names.slot(one.text, "b64");
            else
                fail("an unknown parameter: " + one.text);
            int const base = names.of->registers++;
            names.of->specials.push_back(
                {base,
                 argument != text.arguments.end()
                     ? [](thread const& t) { return reinterpret_cast<std::uint64_t>(t.frames.back().arguments.data()); }
                     : [](thread const& t) { return reinterpret_cast<std::uint64_t>(t.frames.back().parameters); }});
            return base;
        }
        return names.slot(one.text, "b64");
    };
    auto const values = [&](operand const& one) {
        if (one.parts.empty()) {
            to.o[0] = names.slot(one.text, type);
            return 1;
        }
        for (std::size_t k = 0; k < one.parts.size(); ++k) to.o[k] = names.slot(one.parts[k].text, type);
        return static_cast<int>(one.parts.size());
    };

    if (op == "ld" || op == "st") {
        std::string const where =
            is(1, "global") || is(1, "shared") || is(1, "param") || is(1, "local") ? n[1] : "generic";
        if (has("async")) {
            to.o[8] = memory(from.operands[0], "shared"), to.o[9] = names.slot(from.operands[2].text, "b32");
            int const words = values(from.operands[1]);
            to.run = words == 2 ? store_async<2> : words == 4 ? store_async<4> : action{};
            return;
        }
        bool const loads = op == "ld";
        to.o[8] = memory(from.operands[loads ? 1 : 0], where);
        to.number2 = values(from.operands[loads ? 0 : 1]);
        to.run = loads ? in_space<loading>(where, type) : in_space<storing>(where, type);
    } else if (op == "mov") {
        auto const& source = from.operands[1];
        if (!source.parts.empty()) {
            all_slots(type);
            to.run = type == "b64" ? join<std::uint32_t, std::uint64_t> : join<std::uint16_t, std::uint32_t>;
        } else if (!from.operands[0].parts.empty()) {
            all_slots(type);
            to.run = type == "b64" ? part<std::uint32_t, std::uint64_t> : part<std::uint16_t, std::uint32_t>;
        } else {
            to.o[0] = names.slot(from.operands[0].text, type);
            auto const& text = *names.of->text;
            auto const parameter = std::find_if(text.parameters.begin(), text.parameters.end(),
                                                [&](auto const& p) { return p.name == source.text; });
            if (parameter != text.parameters.end()) {
                int const base = names.of->registers++;
                names.of->specials.push_back({base, [](thread const& t) {
                                                  return reinterpret_cast<std::uint64_t>(t.frames.back().parameters);
                                              }});
                to.o[1] = base, to.o[2] = names.fresh(static_cast<std::uint64_t>(parameter->offset));
                to.run = binary<std::uint64_t, add>;
                return;
            }
            to.o[1] = names.slot(source.text, type);
            to.run = type == "pred" ? move<std::uint8_t> : by_type(type, []<class T>() -> action { return move<T>; });
        }
    } else if (op == "cvta") {
        all_slots("u64");
        to.run = move<std::uint64_t>;
    } else if (op == "add" || op == "sub" || op == "min" || op == "max" || op == "div" || op == "rem") {
        all_slots(type);
        to.run = op == "add"   ? binary_of<add>(type)
                 : op == "sub" ? binary_of<subtract>(type)
                 : op == "min" ? binary_of<smaller>(type)
                 : op == "max" ? binary_of<larger>(type)
                 : op == "div" ? binary_of<divide>(type)
                               : whole_of<remainder>(type);
    } else if (op == "mul") {
        all_slots(type);
        if (has("wide"))
            to.run = type == "s32"   ? multiply_wide<std::int32_t>
                     : type == "u32" ? multiply_wide<std::uint32_t>
                     : type == "u16" ? multiply_wide<std::uint16_t>
                     : type == "s16" ? multiply_wide<std::int16_t>
                                     : action{};
        else
            to.run = !has("hi")      ? binary_of<multiply>(type)
                     : type == "s32" ? binary<std::int32_t, multiply_high>
                     : type == "u32" ? binary<std::uint32_t, multiply_high>
                                     : action{};
    } else if (op == "mad" || op == "fma") {
        all_slots(type);
        if (has("wide"))
            to.run = type == "s32"   ? multiply_add_wide<std::int32_t>
                     : type == "u32" ? multiply_add_wide<std::uint32_t>
                                     : action{};
        else if (has("rm"))
            to.run = type == "f32" ? ternary<float, multiply_add_down> : action{};
        else
            to.run = by_type(type, []<class T>() -> action { return ternary<T, multiply_add>; });
    } else if (op == "and" || op == "or" || op == "xor") {
        all_slots(type);
        to.run = op == "and" ? whole_of<bit_and>(type) : op == "or" ? whole_of<bit_or>(type) : whole_of<bit_xor>(type);
    } else if (op == "bfi" && type == "b32") {
        all_slots(type);
        to.run = insert_bits;
    } else if (op == "not") {
        all_slots(type);
        if (type == "pred")
            to.run = [](thread& t, instruction const& i) {
                t.set<std::uint8_t>(i.o[0], t.r[i.o[1]] == 0);
                return after::next;
            };
        else
            to.run = by_type(type, []<class T>() -> action {
                if constexpr (is_float<T>)
                    return nullptr;
                else
                    return unary<T, bit_not>;
            });
    } else if (op == "neg" || op == "abs") {
        all_slots(type);
        to.run = op == "neg" ? by_type(type, []<class T>() -> action { return unary<T, negate>; })
                             : by_type(type, []<class T>() -> action { return unary<T, absolute>; });
    } else if (op == "shl" || op == "shr") {
        all_slots(type);
        bool const left = op == "shl";
        to.run = by_type(type, [&]<class T>() -> action {
            if constexpr (is_float<T>)
                return nullptr;
            else
                return left ? shift_left<T> : shift_right<T>;
        });
    } else if (op == "selp") {
        all_slots(type);
        to.run = by_type(type, []<class T>() -> action { return select<T>; });
    } else if (op == "setp") {
        if (!from.operands[0].parts.empty()) return;
        all_slots(type);
        std::size_t const joined = is(2, "and") || is(2, "or") || is(2, "xor") ? 1 : 0;
        to.number = joined == 0 ? 0 : n[2] == "and" ? 1 : n[2] == "or" ? 2 : 3;
        if (joined != 0) to.swapped = from.operands[3].negated;
        to.run = compare_as(n[1], type);
    } else if (op == "cvt") {
        std::string const& of = n[n.size() - 2];
        all_slots(type);
        if (of == "bf16x2" || of == "f16x2") {
            to.run = !has("rn")       ? action{}
                     : of == "bf16x2" ? pack_two<sequent::bf16_bits>
                                      : pack_two<sequent::f16_bits>;
        } else if (of == "tf32") {
            to.run = has("rna") ? round_to_tf32 : action{};
        } else {
            to.number = has("rzi") ? 'z' : has("rmi") ? 'm' : has("rpi") ? 'p' : has("rni") ? 'i' : 0;
            to.swapped = has("sat");
            if (to.swapped && of != "f32" && of != "f64") return;
            to.run = convert_to(of, type);
        }
    } else if (op == "sqrt") {
        all_slots(type);
        to.run = float_of<square_root>(type);
    } else if (op == "rcp") {
        all_slots(type);
        to.run = has("approx") && type == "f64" ? unary<double, reciprocal_of_high_half> : float_of<reciprocal>(type);
    } else if (op == "ex2" || op == "lg2" || op == "tanh") {
        all_slots(type);
        if (type == "f32")
            to.run = op == "ex2"   ? unary<float, exponential>
                     : op == "lg2" ? unary<float, logarithm>
                                   : unary<float, hyperbolic_tangent>;
    } else if (op == "copysign") {
        all_slots(type);
        to.run = type == "f32" ? binary<float, copy_sign> : binary<double, copy_sign>;
    } else if (op == "bra") {
        auto const label = names.of->text->labels.find(from.operands[0].text);
        if (label == names.of->text->labels.end()) fail("an unknown label: " + from.operands[0].text);
        to.number = label->second, to.run = branch;
    } else if (op == "ret" || op == "exit") {
        to.run = leave;
    } else if (op == "trap") {
        to.run = trap;
    } else if (op == "call") {
        std::size_t k = 0;
        auto const place = [&](operand const& one) { return names.of->text->arguments.at(one.text); };
        bool const has_result = !from.operands[0].parts.empty();
        to.number = has_result ? place(from.operands[k++].parts[0]).first : -1;
        to.callee = &assembled(*names.module, from.operands[k++].text);
        if (k < from.operands.size())
            for (auto const& one : from.operands[k].parts) to.copies.push_back(place(one));
        to.run = call;
    } else if (op == "bar" && is(1, "sync")) {
        if (from.operands.size() == 1 && from.operands[0].text == "0") to.run = meet_block;
    } else if (op == "bar" && is(1, "warp")) {
        to.run = meet_warp;
    } else if (op == "barrier" && is(1, "cluster")) {
        to.run = has("wait") ? meet_cluster : arrive_at_cluster;
    } else if (op == "fence") {
        to.run = nothing;
    } else if (op == "mapa") {
        all_slots("u32");
        to.run = map_address;
    } else if (op == "mbarrier") {
        bool const waits = is(1, "try_wait"), makes = is(1, "init");
        if (waits && !(has("acquire") && has("cluster"))) fail("a wait that does not acquire what the cluster sent");
        std::size_t const at = makes ? 0 : 1;
        to.o[8] = memory(from.operands[at], "shared");
        if (to.number != 0) fail("an mbarrier at an offset is not understood");
        if (waits)
            to.o[0] = names.slot(from.operands[0].text, "pred"), to.o[1] = names.slot(from.operands[2].text, "u32");
        else if (from.operands.size() > at + 1)
            to.o[0] = names.slot(from.operands[at + 1].text, "u32");
        to.number2 = has("expect_tx");
        to.run = waits ? try_wait : makes ? make_barrier : is(1, "arrive") ? arrive : action{};
    } else if (op == "shfl") {
        // d|p, a, b, c, mask: the predicate is not set
        if (!is(2, "bfly")) return;
        to.o[0] =
            names.slot(from.operands[0].parts.empty() ? from.operands[0].text : from.operands[0].parts[0].text, "b32");
        for (std::size_t k = 1; k < 5; ++k) to.o[k] = names.slot(from.operands[k].text, "b32");
        to.run = meet_warp;
    } else if (op == "ldmatrix") {
        values(from.operands[0]);
        to.o[8] = memory(from.operands[1], "shared");
        to.run = meet_warp;
    } else if (op == "mma") {
        all_slots("b32");
        to.run = meet_warp;
    }
}

warp_action together(statement const& what) {
    auto const has = [&](char const* part) {
        return std::find(what.name.begin(), what.name.end(), part) != what.name.end();
    };
    if (what.name[0] == "bar") return nothing_together;
    if (what.name[0] == "shfl") return shuffle_xor;
    if (what.name[0] == "ldmatrix") return has("x4") ? load_matrices<4> : has("x2") ? load_matrices<2> : warp_action{};
    auto const is_product = [&](std::string const& size, std::string const& type) {
        return what.name ==
               std::vector<std::string>{"mma", "sync", "aligned", size, "row", "col", "f32", type, type, "f32"};
    };
    if (is_product("m16n8k8", "tf32")) return multiply_matrices<factor::tf32>;
    if (is_product("m16n8k16", "bf16")) return multiply_matrices<factor::bf16>;
    if (is_product("m16n8k16", "f16")) return multiply_matrices<factor::f16>;
    return nullptr;
}

}  // namespace

program const& assembled(module_text& module, std::string const& name) {
    function_text const* const text = module.find(name);
    if (text == nullptr) fail("no function " + name + " in the module");
    if (auto const& known = module.programs[name]; known != nullptr) return *known;
    auto const place = std::make_shared<program>();
    place->text = text;
    mapped names{{}, place.get(), &module};
    for (auto const& one : text->registers) names.registers[one] = place->registers++;
    place->code.resize(text->statements.size());
    for (std::size_t n = 0; n < text->statements.size(); ++n) {
        auto const& statement = text->statements[n];
        auto& made = place->code[n];
        assemble(names, statement, made);
        if (made.run == meet_warp) made.warp = together(statement);
        if (made.run == nullptr || (made.run == meet_warp && made.warp == nullptr))
            fail("not understood: " + statement.text);
        if (made.run == meet_warp || made.run == meet_block || made.run == meet_cluster || made.run == try_wait ||
            (made.callee != nullptr && made.callee->meets))
            place->meets = true;
    }
    module.programs[name] = place;
    return *place;
}

}  // namespace simulated_gpu
