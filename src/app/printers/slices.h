// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/printers/style.h"
#include "model/host.h"
#include "plan/slices/defined.h"

namespace tessera::app {

inline constexpr std::string_view profiles_schema = "tessera/profiles/1";
inline constexpr std::string_view slices_schema = "tessera/slices/1";

using Sources = std::vector<const model::SliceSource*>;

/// For each source a heading, a table of its profiles, and the reasons, as footnotes, why some
/// cannot be made now. With no source, a sentence that says so.
std::string profiles_text(const model::HostSnapshot& host, const Sources& sources,
                          const ReportStyle& style);
/// tessera/profiles/1.
nlohmann::ordered_json profiles_json(const model::HostSnapshot& host, const Sources& sources);

/// The slices that exist, over all frameworks: a line each. Then those that are only defined.
std::string slices_text(const model::HostSnapshot& host,
                        const plan::slices::Definitions& definitions, const ReportStyle& style);
/// tessera/slices/1.
nlohmann::ordered_json slices_json(const model::HostSnapshot& host,
                                   const plan::slices::Definitions& definitions);

}  // namespace tessera::app
