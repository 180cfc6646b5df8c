// Whole files in and out: strict reading under a size limit, and replacement that shows the old content or the new one,
// never a mixture, whenever the process or the machine stops.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
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
    throw file_error(path.string(), "", "cannot ", verb, ": ", std::generic_category().message(errno));
}

template <class Call>
auto repeat_if_interrupted(Call call) {
    for (;;)
        if (auto const result = call(); result != -1 || errno != EINTR) return result;
}

// What the call returns; file_error if it fails.
template <class Call>
auto checked(std::filesystem::path const& path, std::string_view verb, Call call) {
    if (auto const result = repeat_if_interrupted(call); result != -1) return result;
    throw_file_error(path, verb);
}

// Made of nullptr and a deleter, which runs at the end of the scope.
using at_end_of_scope = std::shared_ptr<void>;

}  // namespace detail

// The bytes of a regular file of at most max_bytes. Throws file_error: missing, unreadable, not a regular file, larger,
// or changed in size while it was read. Memory is bounded by the size of the file.
template <class Files = posix_files>
[[nodiscard]] std::vector<std::byte> read_file(std::filesystem::path const& path, std::size_t max_bytes,
                                               Files&& files = {}) {
    // O_NONBLOCK: a pipe without a writer must not block us here.
    int const file =
        detail::checked(path, "open", [&] { return files.open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0); });
    detail::at_end_of_scope const close(nullptr, [&](void*) { files.close(file); });
    struct stat status {};
    detail::checked(path, "inspect", [&] { return files.status(file, status); });
    if (!S_ISREG(status.st_mode)) throw file_error(path.string(), "", "not a regular file");
    auto const size = static_cast<std::size_t>(status.st_size);
    if (size > max_bytes)
        throw file_error(path.string(), "", "the file has ", size, " bytes; the limit is ", max_bytes);

    std::vector<std::byte> bytes(size);
    auto const read = [&](void* to, std::size_t wanted) {
        return static_cast<std::size_t>(detail::checked(path, "read", [&] { return files.read(file, to, wanted); }));
    };
    std::size_t done = 0;
    for (std::size_t got = 1; done < size && got > 0; done += got) got = read(bytes.data() + done, size - done);
    std::byte beyond;
    if (done < size || read(&beyond, 1) != 0)
        throw file_error(path.string(), "", "the file had ", size, " bytes and changed while it was read");
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
    int const folder = detail::checked(
        folder_path, "open", [&] { return files.open(folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); });
    detail::at_end_of_scope const close_folder(nullptr, [&](void*) { files.close(folder); });

    // A name that nobody has: another thread may be writing, or a dead process may have left its own (in a container,
    // often of the same pid). The mode is never wider than the old file's, even for a moment.
    mode_t const mode = exists ? old.st_mode & 0777 : 0666;
    std::string temporary;
    int file = -1;
    for (int attempt = 0; file == -1; ++attempt) {
        temporary = path.string() + message(".tmp.", ::getpid());
        if (attempt > 0) temporary += message(".", attempt);
        file = detail::repeat_if_interrupted(
            [&] { return files.open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode); });
        if (file == -1 && (errno != EEXIST || attempt == 1000)) detail::throw_file_error(temporary, "create");
    }
    bool published = false;
    detail::at_end_of_scope const clean_up(nullptr, [&](void*) {
        if (file != -1) files.close(file);
        if (!published) files.remove(temporary.c_str());
    });

    // The umask may have narrowed the mode.
    if (exists) detail::checked(temporary, "set the mode", [&] { return files.set_mode(file, mode); });
    for (std::span<std::byte const> rest : chunks)
        while (!rest.empty())
            rest = rest.subspan(static_cast<std::size_t>(
                detail::checked(temporary, "write", [&] { return files.write(file, rest.data(), rest.size()); })));
    detail::checked(temporary, "sync", [&] { return files.sync(file); });
    // Not repeated when interrupted: Linux has closed the file by then, and the number may be another's.
    if (files.close(std::exchange(file, -1)) == -1) detail::throw_file_error(temporary, "close");
    detail::checked(path, "replace", [&] { return files.rename(temporary.c_str(), path.c_str()); });
    published = true;

    // EINVAL: a file system that cannot sync folders.
    if (detail::repeat_if_interrupted([&] { return files.sync(folder); }) == -1 && errno != EINVAL)
        detail::throw_file_error(folder_path, "sync the folder");
}

template <class Files = posix_files>
void write_file_atomically(std::filesystem::path const& path, std::span<std::byte const> contents, Files&& files = {}) {
    write_file_atomically(path, std::span(&contents, 1), files);
}

}  // namespace sequent
