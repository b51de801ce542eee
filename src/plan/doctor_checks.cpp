// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/checks.h"
#include "plan/doctor.h"

namespace tessera::plan {

namespace {

// For which purposes a check matters.
constexpr Purposes passthrough = {.passthrough = true, .slices = false, .display = false};
constexpr Purposes slices_only = {.passthrough = false, .slices = true, .display = false};
constexpr Purposes display_only = {.passthrough = false, .slices = false, .display = true};
constexpr Purposes whole_card = {.passthrough = true, .slices = false, .display = true};
constexpr Purposes machines = {.passthrough = true, .slices = true, .display = false};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): a table
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
       checks::identical_cards, passthrough},
      {"interrupt-remapping-off", Severity::error,
       "the options that switch interrupt remapping off", checks::interrupt_remapping_off,
       machines},
      // What the kernel was started with.
      {"amd-iommu-on", Severity::note, "amd_iommu=on, which is no option", checks::amd_iommu_on,
       machines},
      {"other-makers-argument", Severity::note, "IOMMU options of the other processor maker",
       checks::other_makers_argument, machines},
      {"iommu-pt", Severity::note, "iommu=pt, and what it does not do",
       checks::iommu_passthrough_argument, machines},
      {"unknown-kernel-parameter", Severity::warning,
       "kernel parameters that the kernel says it did not know", checks::unknown_kernel_parameter},
      {"framebuffer-argument-ignored", Severity::warning,
       "options against the boot framebuffer that simpledrm does not listen to",
       checks::framebuffer_argument_ignored, whole_card},
      {"dracut-argument-ignored", Severity::warning, "dracut's options on a host without dracut",
       checks::dracut_argument_ignored, passthrough},
      {"argument-not-in-effect", Severity::warning,
       "the boot loader's settings against what the kernel was started with",
       checks::argument_not_in_effect},
      // What modprobe is told.
      {"ids-with-blank", Severity::error, "a blank inside vfio-pci's ids=", checks::ids_with_blank,
       passthrough},
      {"ids-wrong-form", Severity::error, "ids that are no vendor:device",
       checks::ids_of_wrong_form, passthrough},
      {"ids-take-twins", Severity::warning, "ids that take several cards at once",
       checks::ids_take_twins, passthrough},
      {"ids-fit-nothing", Severity::warning, "ids that this host does not have",
       checks::ids_fit_nothing, passthrough},
      {"ids-too-late", Severity::warning, "devices in ids= that a host driver took first",
       checks::ids_too_late, passthrough},
      {"blacklist-without-effect", Severity::warning, "blacklisted drivers that have a card",
       checks::blacklist_without_effect, passthrough},
      {"unknown-module", Severity::warning, "modules to be loaded that this kernel does not have",
       checks::unknown_module},
      // Memory, and how the kernel was built.
      {"huge-pages-short", Severity::warning, "huge pages that were asked for against those there",
       checks::huge_pages_short, machines},
      {"memlock-low", Severity::note, "how much memory the user who asks may lock",
       checks::memlock_low, passthrough},
      {"iommufd-missing", Severity::note, "IOMMUFD and VFIO's device files in the kernel's build",
       checks::iommufd_missing, passthrough},
      {"kernel-lockdown", Severity::note, "the kernel's lockdown mode", checks::kernel_locked_down},
      {"module-rejected", Severity::error, "modules refused for their signature",
       checks::module_rejected},
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
      {"huge-pages-on-other-node", Severity::warning, "huge pages on the card's memory node",
       checks::huge_pages_on_other_node, machines},
      {"free-driver-has-card", Severity::warning,
       "nouveau on a card while NVIDIA's driver is loaded", checks::free_driver_has_card,
       slices_only},
      // Each card: is it there, and whole.
      {"card-off-bus", Severity::error, "whether the card's configuration space answers",
       checks::card_off_bus},
      {"card-health",
       Severity::error,
       "memory errors and resets that NVIDIA's driver tells of the card",
       checks::card_health,
       {},
       false,
       false},
      {"bar-unassigned", Severity::error, "memory of the card that has no address",
       checks::bar_unassigned},
      {"bar-cant-reserve", Severity::warning, "drivers that could not get the card's memory",
       checks::bar_cant_reserve, whole_card},
      {"card-asleep", Severity::note, "given cards that sleep while no machine uses them",
       checks::card_asleep, whole_card},
      {"link-narrow", Severity::warning, "lanes of the links above the card", checks::link_narrow},
      {"link-slow", Severity::note, "speed of the links above the card", checks::link_slow},
      {"rebar-small", Severity::note, "BARs that could be larger", checks::rebar_small, whole_card},
      {"big-bars", Severity::note, "address space that a machine needs for the card",
       checks::big_bars, whole_card},
      // Each card: its surroundings.
      {"acs-override-lies", Severity::warning,
       "ports without ACS that the kernel was told to trust", checks::acs_override_lies},
      {"card-on-conventional-bus", Severity::note, "bridges to conventional PCI above the card",
       checks::card_on_conventional_bus, whole_card},
      {"numa-unknown", Severity::warning, "which memory node the card is near",
       checks::numa_unknown},
      {"numa-without-memory", Severity::warning, "memory and processors of the card's node",
       checks::numa_without_memory},
      {"audio-split", Severity::note, "where the card's sound function is", checks::audio_split,
       whole_card},
      // Each card: given away and taken back.
      {"reset-failed", Severity::warning, "resets that the card did not come back from",
       checks::reset_failed},
      {"vendor-reset-needed", Severity::warning, "whether a loaded vendor-reset is used",
       checks::vendor_reset_needed, whole_card},
      {"reset-shared", Severity::warning, "devices that a bus reset would hit with the card",
       checks::reset_shared, whole_card},
      {"driver-will-not-let-go", Severity::warning, "refusals of the driver, and its console",
       checks::driver_will_not_let_go, whole_card},
      {"vfio-driver-not-best", Severity::warning, "a better VFIO driver than the one that is bound",
       checks::vfio_driver_not_best},
      {"variant-driver", Severity::note, "a VFIO driver made for the card", checks::variant_driver},
      {"rom-needed", Severity::note, "the ROM of the boot display", checks::rom_needed, whole_card},
      {"vfio-vga", Severity::note, "whether machines can get legacy VGA", checks::vfio_vga,
       display_only, true},
      // Each card: slices.
      {"vf-bar-unassigned", Severity::warning, "addresses for the card's virtual functions",
       checks::vf_bar_unassigned, slices_only},
      {"vf-lost", Severity::warning, "virtual functions that were made and are not there",
       checks::vf_lost, slices_only},
      {"mdev-vendor-framework", Severity::note, "vGPUs made with the vendor's own files",
       checks::mdev_vendor_framework, slices_only},
      {"mdev-missing", Severity::note, "whether the NVIDIA driver can make vGPUs",
       checks::mdev_missing, slices_only, true},
      {"gvt-conditions", Severity::note, "what GVT-g of Intel's graphics wants",
       checks::gvt_conditions, slices_only, true},
      {"sriov-off", Severity::note, "virtual functions that could be made", checks::sriov_off,
       slices_only, true},
      {"sriov-unsupported", Severity::note, "cards that nothing can cut into slices",
       checks::sriov_unsupported, slices_only, true},
  };
  return checks;
}

}  // namespace tessera::plan
