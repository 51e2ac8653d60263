//! What the pages point at is there: files by their path, and other pages by their link.

use std::path::Path;

/// The pages, with their text.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("there are docs");
    let docs = docs.map(|entry| format!("docs/{}", entry.expect("readable").file_name().to_string_lossy()));
    let named = docs.chain(["README.md".to_owned()]);
    named.map(|name| (name.clone(), std::fs::read_to_string(root.join(name)).expect("a page"))).collect()
}

#[test]
fn paths_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    let mut missing = Vec::new();
    // Decisions stay as they were written.
    for (name, text) in pages().iter().filter(|(name, _)| name != "docs/decisions.md") {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
        for path in words.map(|word| word.trim_end_matches(['.', '/'])) {
            let ours =
                ["src/", "tests/", "docs/", "conf/", "systemd/", "benches/"].iter().any(|top| path.starts_with(top));
            // What `tests/run` installs is not in the repository.
            if ours && !path.contains("tests/peers/") {
                seen += 1;
                let bench = path.starts_with("benches/") && !path.contains('.');
                missing.extend((!bench && !root.join(path).exists()).then(|| format!("{name}: {path}")));
            }
        }
    }
    assert!(seen > 50 && missing.is_empty(), "{seen} paths, these lead nowhere:\n{}", missing.join("\n"));
}

#[test]
fn links_lead_to_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for (name, text) in pages() {
        let folder = root.join(&name).parent().expect("a folder").to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !folder.join(file).exists() {
                missing.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_readme_lists_every_page() {
    let pages = pages();
    let (_, readme) = pages.iter().find(|(name, _)| name == "README.md").expect("a README");
    let absent: Vec<&str> = pages
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != "README.md" && !readme.contains(name))
        .collect();
    assert!(absent.is_empty(), "{absent:?}");
}
