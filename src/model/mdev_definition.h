// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace tessera::model {

/// Something that is written to a file of a mediated device after it was made, before it is used:
/// {"nvidia/vgpu_params", "frame_rate_limiter=0"}.
struct MdevAttribute {
  std::string name;  ///< a path below the device's directory
  std::string value;
  bool operator==(const MdevAttribute&) const = default;
};

/// A mediated device that shall be there, whether it is now or not: what mdevctl keeps in
/// /etc/mdevctl.d/PARENT/UUID, and what libvirt shows as an inactive node device. One UUID may be
/// defined below several parents; only one of them can run.
struct MdevDefinition {
  enum class Start {
    manual,    ///< when somebody asks
    automatic  ///< when its parent appears; "auto" in the file
  };
  Uuid uuid;
  std::string parent;     ///< its parent's name in sysfs: "0000:3b:00.4", "mdpy"
  std::string mdev_type;  ///< "nvidia-300", "i915-GVTg_V5_4"
  Start start = Start::manual;
  std::vector<MdevAttribute> attrs;  ///< written in this order; a name may come again
  bool operator==(const MdevDefinition&) const = default;
};
/// "manual", "auto".
std::string_view to_string(MdevDefinition::Start start);

/// Whether it can be kept as a file and never reaches beside its place: parent and type are one
/// piece of a path, an attribute is a path that does not climb. Errors: invalid, naming the key.
Status check(const MdevDefinition& definition);

// --- mdevctl's file, as version 1.2.0 writes it. The file says neither its UUID nor its parent:
// its path does. (The key=value lines of the first mdevctl are read by no version since, nor here.)

/// Reads the file's text. Keys that mdevctl passes over are passed over; `attrs` may be missing or
/// null. Stricter than mdevctl where that takes a mistake for "manual": `start` has to be "auto" or
/// "manual". Errors: invalid; the subject is FILE:LINE:COLUMN where it is no JSON, FILE elsewhere,
/// and the sentence names the key.
Result<MdevDefinition> parse_mdev_definition(std::string_view text, std::string_view parent,
                                             const Uuid& uuid, std::string_view file);

/// The file's text, byte for byte what `mdevctl define` writes: two blanks for each level, no
/// newline at the end. Bytes that are no UTF-8 become U+FFFD.
std::string mdevctl_file(const MdevDefinition& definition);

// --- what `mdevctl list --defined` prints, by parent, then by UUID

/// "83c32df7-... 0000:00:02.0 i915-GVTg_V5_4 auto", a line each.
std::string mdevctl_list(std::vector<MdevDefinition> definitions);
/// With --dumpjson: a list of parents with their devices. Ends with a newline.
std::string mdevctl_list_json(std::vector<MdevDefinition> definitions);
/// Reads that list. Errors: as of parse_mdev_definition(); `file` names the text.
Result<std::vector<MdevDefinition>> parse_mdevctl_list_json(std::string_view text,
                                                            std::string_view file);

/// A definition's file as it was found: mdevctl stops at the first broken one, we do not.
struct MdevDefinitionFile {
  std::string path;
  std::string parent;
  std::string text;                   ///< as it stands; empty where it could not be read
  Result<MdevDefinition> definition;  ///< or why there is none
};

}  // namespace tessera::model
