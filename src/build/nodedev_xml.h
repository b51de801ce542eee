// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/mdev_definition.h"

namespace tessera::build {

// Mediated devices as libvirt's node devices (libvirt: "Node devices XML format"): what `virsh
// nodedev-define` takes and `virsh nodedev-dumpxml` prints. The XML does not say whether a device
// starts by itself: `virsh nodedev-autostart` sets that.

/// The name libvirt gives it: "mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107_0000_3b_00_4". (Before
/// libvirt 7.8 the parent was not part of it.)
std::string node_device_name(const model::MdevDefinition& definition);

/// The XML for `virsh nodedev-define`. Errors: invalid (model::check()); unsupported when libvirt
/// cannot define such a device: it finds parents on the PCI bus only, and XML has no way to write
/// most control characters.
Result<std::string> node_device_xml(const model::MdevDefinition& definition);

/// Reads either kind of XML. `if_none` becomes its UUID when neither <uuid> nor the name has one;
/// the start is manual. The parent is <parent_addr> (libvirt 7.8 on prints it), else the PCI device
/// that <parent> names. What libvirt only reports (path, driver, IOMMU group) is passed over.
/// Errors: invalid; the subject is FILE:LINE:COLUMN, the sentence names the element.
Result<model::MdevDefinition> parse_node_device_xml(std::string_view text, std::string_view file,
                                                    const Uuid& if_none);

}  // namespace tessera::build
