// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/checks.h"
#include "plan/doctor.h"

namespace tessera::plan {

const std::vector<Check>& all_checks() {
  using model::Severity;
  static const std::vector<Check> checks = {
      // The host.
      {"iommu-off", Severity::error, "whether the kernel has made any IOMMU group",
       checks::iommu_off},
      {"virtualization-off", Severity::warning, "vmx or svm among the processor's flags",
       checks::virtualization_off},
      {"kvm-missing", Severity::warning, "the KVM device file", checks::kvm_missing},
      {"vfio-driver-missing", Severity::error, "whether this kernel has a VFIO driver for PCI",
       checks::vfio_driver_missing},
      {"unsafe-interrupts", Severity::error,
       "interrupt remapping, and the option that does without it", checks::unsafe_interrupts},
      {"noiommu-mode", Severity::warning, "the option that lets VFIO work without an IOMMU",
       checks::noiommu_mode},
      {"identical-cards", Severity::note, "cards with the same vendor and device id",
       checks::identical_cards},
      // Each card.
      {"no-group", Severity::error, "functions of the card without an IOMMU group",
       checks::no_group},
      {"group-shared", Severity::error, "other devices in the card's IOMMU groups",
       checks::group_shared},
      {"reserved-direct-region", Severity::error,
       "memory that the firmware keeps shared with the card", checks::reserved_direct_region},
      {"slices-in-use", Severity::error, "virtual functions and mediated devices on the card",
       checks::slices_in_use},
      {"card-held", Severity::error, "processes that have the card's device files open",
       checks::card_held},
      {"boot-framebuffer", Severity::error, "the boot display and the memory it draws on",
       checks::boot_framebuffer},
      {"card-split", Severity::warning,
       "functions on VFIO drivers beside functions on host drivers", checks::card_split},
      {"stranded", Severity::warning, "functions without driver, and driver_override left behind",
       checks::stranded},
      {"weak-reset", Severity::warning, "how the kernel can reset the card between machines",
       checks::weak_reset},
  };
  return checks;
}

}  // namespace tessera::plan
