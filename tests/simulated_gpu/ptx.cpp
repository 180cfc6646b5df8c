#include "ptx.hpp"

#include <algorithm>
#include <cstring>

namespace simulated_gpu {

namespace {

bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' || c == '.';
}

std::string without_comments(std::string const& text) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t n = 0; n < text.size(); ++n) {
        if (text.compare(n, 2, "//") == 0) {
            n = std::min(text.find('\n', n), text.size());
            clean += '\n';
        } else if (text.compare(n, 2, "/*") == 0) {
            n = std::min(text.find("*/", n) + 1, text.size());
        } else {
            clean += text[n];
        }
    }
    return clean;
}

// The pieces of a statement.
class reader {
  public:
    explicit reader(std::string_view text) : text_(text) {}
    [[nodiscard]] bool at_end() {
        while (n_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[n_])) != 0) ++n_;
        return n_ == text_.size();
    }
    [[nodiscard]] bool take(char c) {
        if (at_end() || text_[n_] != c) return false;
        ++n_;
        return true;
    }
    void demand(char c) {
        if (!take(c)) throw ptx_error("'" + std::string(1, c) + "' expected in: " + std::string(text_));
    }
    [[nodiscard]] std::string word() {
        if (at_end()) throw ptx_error("a name expected in: " + std::string(text_));
        std::size_t const first = n_;
        if (text_[n_] == '-') ++n_;
        while (n_ < text_.size() && (is_name(text_[n_]) || text_.compare(n_, 2, "::") == 0))
            n_ += text_[n_] == ':' ? 2 : 1;
        if (n_ == first) throw ptx_error("a name expected in: " + std::string(text_));
        return std::string(text_.substr(first, n_ - first));
    }
    [[nodiscard]] std::int64_t number() { return std::stoll(word(), nullptr, 0); }
    [[nodiscard]] operand next() {
        operand one;
        if (take('{')) {
            do one.parts.push_back(next());
            while (take(','));
            demand('}');
        } else if (take('[')) {
            one.is_memory = true;
            one.text = word();
            if (take('+')) one.offset = number();
            demand(']');
        } else if (take('(')) {  // of a call
            if (!take(')')) {
                do one.parts.push_back(next());
                while (take(','));
                demand(')');
            }
        } else {
            one.negated = take('!');
            one.text = word();
            if (take('|')) {
                one.parts.resize(2);
                one.parts[0].text = std::move(one.text), one.parts[1].text = word();
                one.text.clear();
            }
        }
        return one;
    }

  private:
    std::string_view text_;
    std::size_t n_ = 0;
};

std::vector<std::string> split(std::string const& name) {
    std::vector<std::string> parts(1);
    for (char const c : name)
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

int bytes_of(std::string const& type) { return std::stoi(type.substr(type.find_first_of("0123456789"))) / 8; }

// ".param .align 8 .b8 name[72]": a name and its place behind those before.
function_text::parameter declared(std::string const& text, int& end) {
    reader words(text);
    int align = 0, bytes = 0;
    for (;;) {
        std::string const word = words.word();
        if (word == ".align") {
            align = static_cast<int>(words.number());
        } else if (word[0] != '.') {
            align = std::max(align, bytes);
            if (words.take('[')) bytes *= static_cast<int>(words.number());
            int const offset = (end + align - 1) / align * align;
            end = offset + bytes;
            return {word, offset, bytes};
        } else if (word != ".param" && word != ".local" && word != ".reg" && word != ".ptr" && word != ".global") {
            bytes = bytes_of(word);
        }
    }
}

// Names in the scopes around a place, the innermost last.
class scopes {
  public:
    explicit scopes(function_text& of) : of_(of), open_(1) {}
    void enter() { open_.emplace_back(); }
    bool leave() {
        open_.pop_back();
        return !open_.empty();
    }
    void declare(std::string const& name) {
        std::string const unique = open_.size() == 1 ? name : name + "#" + std::to_string(of_.registers.size());
        open_.back()[name] = unique;
        of_.registers.push_back(unique);
    }
    void rename(operand& one) const {
        for (operand& part : one.parts) rename(part);
        one.text = name(one.text);
    }
    [[nodiscard]] std::string name(std::string const& of) const {
        for (auto scope = open_.rbegin(); scope != open_.rend(); ++scope)
            if (auto const found = scope->find(of); found != scope->end()) return found->second;
        return of;
    }

  private:
    function_text& of_;
    std::vector<std::map<std::string, std::string>> open_;
};

// ".reg .b32 %r<857>", ".reg .pred p, q"
void declare_registers(std::string const& text, scopes& names) {
    std::string list = text.substr(4);
    list = list.substr(list.find_first_not_of(" \t\n"));
    list = list.substr(list.find_first_of(" \t\n"));  // behind the type
    for (std::size_t first = 0; first < list.size();) {
        std::size_t const last = std::min(list.find(',', first), list.size());
        std::string one = list.substr(first, last - first);
        one.erase(std::remove_if(one.begin(), one.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
                  one.end());
        if (auto const range = one.find('<'); range != std::string::npos) {
            int const count = std::stoi(one.substr(range + 1));
            for (int n = 0; n < count; ++n) names.declare(one.substr(0, range) + std::to_string(n));
        } else {
            names.declare(one);
        }
        first = last + 1;
    }
}

statement read_statement(std::string const& text, scopes const& names) {
    statement made;
    made.text = text;
    reader words(text);
    if (words.take('@')) {
        made.guard_negated = words.take('!');
        made.guard = names.name(words.word());
    }
    made.name = split(words.word());
    while (!words.at_end()) {
        made.operands.push_back(words.next());
        names.rename(made.operands.back());
        if (!words.take(',') && !words.at_end()) throw ptx_error("not understood: " + text);
    }
    return made;
}

// The text between the braces that begin at `n`, which is set behind them.
std::string_view braces(std::string_view text, std::size_t& n) {
    std::size_t const first = n + 1;
    int depth = 0;
    do {
        if (text[n] == '{') ++depth;
        if (text[n] == '}') --depth;
        ++n;
    } while (depth > 0 && n < text.size());
    return text.substr(first, n - first - 1);
}

void read_body(std::string_view body, function_text& to) {
    scopes names(to);
    std::string pending;
    auto const is_blank = [&] { return pending.find_first_not_of(" \t\n") == std::string::npos; };
    for (std::size_t n = 0; n < body.size(); ++n) {
        char const c = body[n];
        if (c == '{' && is_blank()) {
            names.enter();
        } else if (c == '}' && is_blank()) {
            names.leave();
        } else if (c == ':' && body.substr(n, 2) != "::" && body.substr(n - 1, 2) != "::") {
            pending.erase(0, pending.find_first_not_of(" \t\n"));
            to.labels[pending] = static_cast<int>(to.statements.size());
            pending.clear();
        } else if (c == ';') {
            pending.erase(0, pending.find_first_not_of(" \t\n"));
            if (pending.compare(0, 4, ".reg") == 0) {
                declare_registers(pending, names);
            } else if (pending.compare(0, 6, ".local") == 0) {
                auto const one = declared(pending, to.local_bytes);
                to.locals[one.name] = {one.offset, one.bytes};
            } else if (pending.compare(0, 6, ".param") == 0) {
                auto const one = declared(pending, to.argument_bytes);
                to.arguments[one.name] = {one.offset, one.bytes};
            } else if (pending[0] != '.') {
                to.statements.push_back(read_statement(pending, names));
            }
            pending.clear();
        } else {
            pending += c;
        }
    }
}

std::vector<function_text::parameter> read_parameters(std::string const& list, int& end) {
    std::vector<function_text::parameter> made;
    for (std::size_t first = 0; first < list.size();) {
        std::size_t const last = std::min(list.find(',', first), list.size());
        std::string const one = list.substr(first, last - first);
        if (one.find_first_not_of(" \t\n") != std::string::npos) made.push_back(declared(one, end));
        first = last + 1;
    }
    return made;
}

}  // namespace

module_text::module_text(std::string text) : text_(without_comments(text)) {
    std::string const target = ".target sm_";
    if (std::size_t const n = text_.find(target); n != std::string::npos)
        target_ = std::stoi(text_.substr(n + target.size(), 3));
    for (char const* const kind : {".entry", ".func"})
        for (std::size_t n = text_.find(kind); n != std::string::npos; n = text_.find(kind, n + 1)) {
            // a name, after the results of a function if it has some; a declaration has no body
            std::size_t at = n + std::strlen(kind);
            while (std::isspace(static_cast<unsigned char>(text_[at])) != 0) ++at;
            if (text_[at] == '(') at = text_.find(')', at) + 1;
            std::string const name = reader(std::string_view(text_).substr(at, 4096)).word();
            std::size_t const body = text_.find_first_of("{;", at);
            if (body != std::string::npos && text_[body] == '{') places_[name] = n;
        }
    std::string const shared = ".extern .shared";
    for (std::size_t n = text_.find(shared); n != std::string::npos; n = text_.find(shared, n + 1)) {
        std::size_t const last = text_.find('[', n), first = text_.find_last_of(" \t\n", last) + 1;
        shared_.insert(text_.substr(first, last - first));
    }
}

function_text const* module_text::find(std::string const& name) {
    if (auto const known = read_.find(name); known != read_.end()) return known->second.get();
    auto const place = places_.find(name);
    if (place == places_.end()) return nullptr;
    auto made = std::make_unique<function_text>();
    made->name = name;
    std::size_t n = place->second;
    bool const is_function = text_.compare(n, 5, ".func") == 0;
    n += is_function ? 5 : 6;
    std::size_t const body = text_.find('{', n);
    std::string const head = text_.substr(n, body - n);
    std::size_t at = head.find_first_not_of(" \t\n");
    if (is_function && head[at] == '(') {
        std::size_t const last = head.find(')', at);
        made->results = read_parameters(head.substr(at + 1, last - at - 1), made->parameter_bytes);
        at = last + 1;
    }
    if (std::size_t const first = head.find('(', at); first != std::string::npos)
        made->parameters =
            read_parameters(head.substr(first + 1, head.find(')', first) - first - 1), made->parameter_bytes);
    n = body;
    read_body(braces(text_, n), *made);
    return (read_[name] = std::move(made)).get();
}

}  // namespace simulated_gpu
