// SPDX-License-Identifier: Apache-2.0
#include "model/drivers.h"

namespace tessera::model {

bool is_vfio_driver(std::string_view driver) {
  return driver.ends_with("vfio-pci") || driver.ends_with("vfio_pci");
}

std::string vfio_driver_of_module(const std::string& module) {
  // Most variant drivers register under KBUILD_MODNAME; these two have names of their own.
  if (module == "vfio_pci") return "vfio-pci";
  if (module == "xe_vfio_pci") return "xe-vfio-pci";
  return module;
}

bool shares_group_with_vfio(std::string_view driver) {
  return driver.empty() || driver == "pcieport" || driver == "shpchp" || driver == "pci-stub" ||
         is_vfio_driver(driver);
}

}  // namespace tessera::model
