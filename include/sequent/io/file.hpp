// Whole files in and out: strict reading under a size limit, and replacement that shows the old content or the new one,
// never a mixture, whenever the process or the machine stops.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

// The system calls of this header, as one object so that a test can make any of them fail: POSIX, -1 and errno.
struct posix_files {
    int open(char const* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
    int status(char const* path, struct stat& result) { return ::stat(path, &result); }
    int status(int file, struct stat& result) { return ::fstat(file, &result); }
    int set_mode(int file, mode_t mode) { return ::fchmod(file, mode); }
    ssize_t read(int file, void* to, std::size_t size) { return ::read(file, to, size); }
    ssize_t write(int file, void const* from, std::size_t size) { return ::write(file, from, size); }
    int sync(int file) { return ::fsync(file); }
    int close(int file) { return ::close(file); }
    int rename(char const* from, char const* to) { return ::rename(from, to); }
    int remove(char const* path) { return ::unlink(path); }
};

namespace detail {

[[noreturn]] inline void throw_file_error(std::filesystem::path const& path, std::string_view verb) {
    std::string const reason = std::generic_category().message(errno);
    throw file_error(path.string(), "", message("cannot ", verb, ": ", reason));
}

template <class Call>
auto repeat_if_interrupted(Call call) {
    for (;;)
        if (auto const result = call(); result != -1 || errno != EINTR) return result;
}

// What the call returns, as a size where it returns one; file_error if it fails.
template <class Call>
std::size_t require(std::filesystem::path const& path, std::string_view verb, Call call) {
    auto const result = repeat_if_interrupted(call);
    if (result == -1) throw_file_error(path, verb);
    return static_cast<std::size_t>(result);
}

// An open file, closed at the end of the scope unless it is -1 by then.
template <class Files>
struct open_file {
    Files& files;
    int number = -1;

    open_file(Files& system, std::filesystem::path const& path, int flags) : files(system) {
        number =
            static_cast<int>(require(path, "open", [&] { return files.open(path.c_str(), flags | O_CLOEXEC, 0); }));
    }
    explicit open_file(Files& system) : files(system) {}
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
    ~open_file() {
        if (number != -1) files.close(number);
    }
};

// A new file beside the target, closed and removed at the end of the scope unless it was published. Its name is one
// that nobody has: target.tmp.<pid>, else target.tmp.<pid>.1 and so on, for another thread may be writing, or a dead
// process may have left its own (in a container, often of the same pid).
template <class Files>
class temporary_file {
  public:
    temporary_file(Files& files, std::filesystem::path const& target, mode_t mode) : file_(files), target_(target) {
        for (int attempt = 0; attempt < 1000; ++attempt) {
            name_ = target.string() + message(".tmp.", ::getpid());
            if (attempt > 0) name_ += message(".", attempt);
            file_.number = repeat_if_interrupted(
                [&] { return files.open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode); });
            if (file_.number != -1 || errno != EEXIST) break;
        }
        if (file_.number == -1) throw_file_error(name_, "create");
    }
    ~temporary_file() {
        if (!published_) file_.files.remove(name_.c_str());
    }

    void set_mode(mode_t mode) {
        require(name_, "set the mode", [&] { return file_.files.set_mode(file_.number, mode); });
    }

    void write(std::span<std::byte const> bytes) {
        while (!bytes.empty())
            bytes = bytes.subspan(
                require(name_, "write", [&] { return file_.files.write(file_.number, bytes.data(), bytes.size()); }));
    }

    void publish() {
        require(name_, "sync", [&] { return file_.files.sync(file_.number); });
        // Not repeated when interrupted: Linux has closed the file by then, and the number may be another's.
        if (file_.files.close(std::exchange(file_.number, -1)) == -1) throw_file_error(name_, "close");
        require(target_, "replace", [&] { return file_.files.rename(name_.c_str(), target_.c_str()); });
        published_ = true;
    }

  private:
    open_file<Files> file_;
    std::filesystem::path target_;
    std::string name_;
    bool published_ = false;
};

}  // namespace detail

// The bytes of a regular file of at most max_bytes. Throws file_error: missing, unreadable, not a regular file, larger,
// or changed in size while it was read. Memory is bounded by the size of the file.
template <class Files = posix_files>
[[nodiscard]] std::vector<std::byte> read_file(std::filesystem::path const& path, std::size_t max_bytes,
                                               Files&& files = {}) {
    detail::open_file file(files, path, O_RDONLY | O_NONBLOCK);  // a pipe without a writer must not block us here
    struct stat status {};
    if (files.status(file.number, status) == -1) detail::throw_file_error(path, "inspect");
    if (!S_ISREG(status.st_mode)) throw file_error(path.string(), "", "not a regular file");
    auto const size = static_cast<std::size_t>(status.st_size);
    if (size > max_bytes)
        throw file_error(path.string(), "", message("the file has ", size, " bytes; the limit is ", max_bytes));

    std::vector<std::byte> bytes(size);
    auto const read = [&](void* to, std::size_t wanted) {
        return detail::require(path, "read", [&] { return files.read(file.number, to, wanted); });
    };
    std::size_t done = 0;
    for (std::size_t got = 1; done < size && got > 0; done += got) got = read(bytes.data() + done, size - done);
    std::byte beyond;
    if (done < size || read(&beyond, 1) != 0)
        throw file_error(path.string(), "", message("the file had ", size, " bytes and changed while it was read"));
    return bytes;
}

// Makes the file at path consist of the chunks, one after the other. Writes a sibling temporary, syncs it, renames it
// over path and syncs the folder. The mode bits of an existing file are kept; a new file has those of the umask. A
// symbolic link at path is replaced, its target is not touched; what exists and is not a regular file is refused.
// Throws file_error naming the path and the reason; then the temporary is removed and the old file is as it was. Only
// if the last step, the sync of the folder, fails, is the new file in place already, but perhaps not yet on the disk.
template <class Files = posix_files>
void write_file_atomically(std::filesystem::path const& path, std::span<std::span<std::byte const> const> chunks,
                           Files&& files = {}) {
    struct stat old {};
    bool const exists = files.status(path.c_str(), old) == 0;
    if (!exists && errno != ENOENT) detail::throw_file_error(path, "inspect");
    if (exists && !S_ISREG(old.st_mode)) throw file_error(path.string(), "", "not a regular file; not replaced");

    std::filesystem::path const folder_path = path.has_parent_path() ? path.parent_path() : ".";
    detail::open_file folder(files, folder_path, O_RDONLY | O_DIRECTORY);
    {
        mode_t const mode = exists ? old.st_mode & 0777 : 0666;  // never wider than the old file, even for a moment
        detail::temporary_file temporary(files, path, mode);
        if (exists) temporary.set_mode(mode);  // the umask may have narrowed it
        for (std::span<std::byte const> chunk : chunks) temporary.write(chunk);
        temporary.publish();
    }
    // EINVAL: a file system that cannot sync folders.
    if (detail::repeat_if_interrupted([&] { return files.sync(folder.number); }) == -1 && errno != EINVAL)
        detail::throw_file_error(folder_path, "sync the folder");
}

template <class Files = posix_files>
void write_file_atomically(std::filesystem::path const& path, std::span<std::byte const> contents, Files&& files = {}) {
    write_file_atomically(path, std::span(&contents, 1), files);
}

}  // namespace sequent
