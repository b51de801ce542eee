# shellcheck shell=bash
# ./dev format: rewrites every C++ file as .clang-format says.
dev_format() {
  dev_install test
  find src lab tests bench \( -name '*.h' -o -name '*.cpp' \) -exec clang-format -i {} +
}
