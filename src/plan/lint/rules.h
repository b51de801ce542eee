// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/lint.h"
#include "plan/lint/pieces.h"

/// The rules' functions, by family; lint_rules.cpp is the table that gives them ids and words.
namespace tessera::plan::linting {

using Hits = std::vector<Hit>;

/// A hit with what only its place can tell; the rest comes from the rule.
inline Hit hit_at(int line, std::string seen, std::string right = {}) {
  Hit hit;
  hit.line = line;
  hit.seen = std::move(seen);
  hit.right = std::move(right);
  return hit;
}

// typography.cpp
Hits typographic_characters(const LintScope& scope);
// kernel_arguments.cpp
Hits amd_iommu_on(const LintScope& scope);
Hits intel_iommu_on(const LintScope& scope);
Hits iommu_pt(const LintScope& scope);
Hits acs_override(const LintScope& scope);
Hits video_off(const LintScope& scope);
Hits sysfb_blacklist(const LintScope& scope);
Hits rd_driver_pre(const LintScope& scope);
Hits hd_vgaarb(const LintScope& scope);
Hits gvt_unavailable(const LintScope& scope);
Hits unsafe_interrupts(const LintScope& scope);
Hits noiommu_mode(const LintScope& scope);
Hits ignore_msrs(const LintScope& scope);
Hits argument_blank(const LintScope& scope);
Hits modprobe_argument_torn(const LintScope& scope);
// grub.cpp
Hits grub_variable(const LintScope& scope);
Hits grub_quotes(const LintScope& scope);
Hits grub_blank(const LintScope& scope);
Hits grub_elsewhere(const LintScope& scope);
Hits grub_not_updated(const LintScope& scope);
Hits grub_conf(const LintScope& scope);
// modprobe.cpp
Hits modprobe_directive(const LintScope& scope);
Hits modprobe_glued(const LintScope& scope);
Hits blacklist_alone(const LintScope& scope);
Hits softdep_form(const LintScope& scope);
Hits softdep_reversed(const LintScope& scope);
Hits vfio_virqfd(const LintScope& scope);
Hits module_missing(const LintScope& scope);
Hits initramfs_list_empty(const LintScope& scope);
Hits disable_vga(const LintScope& scope);
// ids.cpp
Hits ids_blank(const LintScope& scope);
Hits ids_form(const LintScope& scope);
Hits ids_take_twins(const LintScope& scope);
Hits ids_fit_nothing(const LintScope& scope);
Hits new_id_colon(const LintScope& scope);
// shell.cpp
Hits sysfs_no_slash(const LintScope& scope);
Hits uuidgen_spelling(const LintScope& scope);
Hits lspci_3d(const LintScope& scope);
Hits echo_glued(const LintScope& scope);
Hits sudo_redirection(const LintScope& scope);
Hits unbind_alone(const LintScope& scope);
Hits override_without_probe(const LintScope& scope);
Hits virsh_in_hook(const LintScope& scope);
Hits kernel_rebuild(const LintScope& scope);
Hits pci_address_form(const LintScope& scope);
Hits bound_other_device(const LintScope& scope);
Hits listing_before_binding(const LintScope& scope);
// slices.cpp
Hits mdev_path(const LintScope& scope);
Hits mdev_on_vendor_vgpu(const LintScope& scope);
Hits mdev_type_missing(const LintScope& scope);
Hits mdev_type_other(const LintScope& scope);
Hits mdev_no_auto(const LintScope& scope);
Hits mdev_uuid_other(const LintScope& scope);
Hits mdev_uuid_missing(const LintScope& scope);
Hits mdev_other_parent(const LintScope& scope);
Hits mdev_none_left(const LintScope& scope);
Hits sriov_manage_order(const LintScope& scope);
Hits gvt_not_enabled(const LintScope& scope);
Hits migration_version(const LintScope& scope);
Hits license_server(const LintScope& scope);
// devices.cpp: those that QEMU commands and libvirt's XML name
Hits device_missing(const LintScope& scope);
Hits device_on_host_driver(const LintScope& scope);
Hits device_is_bridge(const LintScope& scope);
Hits device_twice(const LintScope& scope);
Hits vendor_vgpu_managed(const LintScope& scope);
// qemu.cpp
Hits qemu_comma_blank(const LintScope& scope);
Hits qemu_option_unknown(const LintScope& scope);
Hits qemu_option_removed(const LintScope& scope);
Hits qemu_lone_dash(const LintScope& scope);
Hits qemu_line_end(const LintScope& scope);
Hits qemu_bus_missing(const LintScope& scope);
Hits qemu_port_unused(const LintScope& scope);
Hits qemu_addr_clash(const LintScope& scope);
Hits qemu_vnc_open(const LintScope& scope);
Hits qemu_spice_open(const LintScope& scope);
Hits qemu_monitor_place(const LintScope& scope);
Hits qemu_monitor_not_qmp(const LintScope& scope);
Hits qemu_audio_env(const LintScope& scope);
Hits qemu_x_vga_ovmf(const LintScope& scope);
Hits qemu_kvm_off(const LintScope& scope);
Hits qemu_ramfb(const LintScope& scope);
Hits qemu_mdev_display(const LintScope& scope);
Hits qemu_balloon(const LintScope& scope);
// libvirt.cpp
Hits xml_nesting(const LintScope& scope);
Hits xml_broken(const LintScope& scope);
Hits xml_devices(const LintScope& scope);
Hits xml_hyperv_attribute(const LintScope& scope);
Hits xml_hyperv_place(const LintScope& scope);
Hits xml_hidden_place(const LintScope& scope);
Hits xml_kvm_hidden(const LintScope& scope);
Hits xml_spinlocks(const LintScope& scope);
Hits xml_source_missing(const LintScope& scope);
Hits xml_mdev_managed(const LintScope& scope);
Hits xml_hugepages_place(const LintScope& scope);
Hits xml_balloon(const LintScope& scope);
Hits xml_ramfb(const LintScope& scope);
Hits xml_vnc_open(const LintScope& scope);
// claims.cpp: what sentences of guides say
Hits claim_default_qxl(const LintScope& scope);
Hits claim_nographic(const LintScope& scope);
Hits claim_one_group(const LintScope& scope);
Hits claim_ramfb_dmabuf(const LintScope& scope);
Hits claim_gvt_generations(const LintScope& scope);
Hits claim_gvt_containers(const LintScope& scope);
Hits claim_pci_stub(const LintScope& scope);
Hits claim_without_manager(const LintScope& scope);
Hits claim_mdev_without_driver(const LintScope& scope);
Hits claim_one_to_one(const LintScope& scope);
Hits claim_hide_kvm(const LintScope& scope);
Hits claim_x_vga(const LintScope& scope);
Hits claim_iommu_pt(const LintScope& scope);

}  // namespace tessera::plan::linting
