//! The import table of the house: which module may name which. `src/lib.rs` shows it to readers.

/// Nouns and the past tense: everyone behind the edges shares them.
pub(crate) const NOUNS: [&str; 7] = ["message", "fact", "command", "envelope", "seal", "exchange", "presence"];

/// Stages without a runtime, a clock or a disk.
pub(crate) const STAGES: [&str; 4] = ["admission", "release", "receipt", "billing"];

/// Modules in which time and randomness are arguments.
pub(crate) const PURE: [&str; 10] =
    ["smpp", "text", "admission", "release", "receipt", "billing", "core", "message", "fact", "command"];

/// May production code of `module` name `path` (without `crate::`)?
///
/// Nothing for a module that the table does not know: a new room is entered here first.
pub(crate) fn may_import(module: &str, path: &str) -> Option<bool> {
    let mut segments = path.split("::");
    let target = segments.next().unwrap_or_default();
    let noun = NOUNS.contains(&target);
    let wire = ["smpp", "text", "link", "clock"].contains(&target);
    let allowed = match module {
        "lib" => true,
        "smpp" | "text" => false,
        _ if NOUNS.contains(&module) => noun || target == "text",
        _ if STAGES.contains(&module) => noun,
        "core" => noun || STAGES.contains(&target),
        "store" => noun,
        "clock" => target == "message",
        "link" => target == "smpp" || target == "clock",
        "ingress" => noun || wire || ["admission", "callback"].contains(&target) || path.starts_with("billing::price"),
        "carrier" | "callback" => noun || wire,
        "dashboard" | "config" => target == "message" || is_a_view(path),
        "tools" => ["smpp", "text", "link", "clock", "gateway"].contains(&target),
        "gateway" | "main" => true,
        _ => return None,
    };
    Some(allowed || target == module)
}

/// A stage's settings or snapshot: what those who look and do not act may name of it.
fn is_a_view(path: &str) -> bool {
    path.split("::").any(|segment| {
        segment == "config" || segment == "snapshot" || segment.ends_with("Config") || segment.ends_with("Snapshot")
    })
}
