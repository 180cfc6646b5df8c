import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, cmake_layout
from conan.tools.files import copy, load

ROOT = os.path.join("..", "..")  # of the checkout, from this folder


class SequentConan(ConanFile):
    name = "sequent"
    description = "Recurrent sequence models whose sizes are part of their types: a header-only C++20 library"
    license = "MIT"
    topics = ("lstm", "gru", "rnn", "deep-learning", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"io": [True, False]}  # checkpoints and interchange files: the target sequent::io
    default_options = {"io": True}
    generators = "CMakeDeps", "CMakeToolchain"
    no_copy_source = True

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, ROOT, "include", "sequent", "config.hpp"))
        self.version = ".".join(re.findall(r"#define SEQUENT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, os.path.join(self.recipe_folder, ROOT), self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4 <4]", transitive_headers=True)
        self.requires("xtensor/[>=0.24 <0.26]", transitive_headers=True)
        self.requires("xsimd/[>=8.1 <14]", transitive_headers=True)
        if self.options.io:
            self.requires("nlohmann_json/[>=3.11 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def build(self):
        cmake = CMake(self)
        off = {f"SEQUENT_BUILD_{what}": "OFF" for what in ("TESTS", "EXAMPLES", "BENCHMARKS", "DOCS")}
        cmake.configure(variables=off | {"SEQUENT_IO": "ON" if self.options.io else "OFF"})

    def package(self):
        CMake(self).install()

    def package_id(self):
        self.info.clear()

    def package_info(self):
        # The package's own config file says which libraries it needs.
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "sequent")]
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.set_property("pkg_config_name", "sequent")
