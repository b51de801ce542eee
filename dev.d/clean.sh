# shellcheck shell=bash
# ./dev clean: removes the build folders. The lab's own cache stays: `tessera lab` owns it.
dev_clean() { rm -rf build build-*/; }
