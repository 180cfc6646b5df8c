# A cross-build for 64-bit ARM; its programs run under qemu-user. Debian: g++-aarch64-linux-gnu, qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)  # no libraries of that machine are needed to run them
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# The libraries are headers alone, so those of this machine serve; some of their packages stand in its own folder.
list(APPEND CMAKE_PREFIX_PATH /usr/lib/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/cmake)
