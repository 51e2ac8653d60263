//! Each rule bites: fed with bad text it complains, fed with the nearest good text it does not.

use super::source::Source;
use super::{as_declared, foreign_places, head, imports, impurities, leftovers, names, orphans, sizes, undescribed};

fn file(path: &str, text: &str) -> Source {
    Source::new(path, text)
}

#[test]
fn import_table_bites() {
    let bad = [
        ("src/smpp/decode.rs", "use crate::message::Part;"),
        ("src/release/lanes.rs", "use crate::billing::ledger::Ledger;"),
        ("src/release/lanes.rs", "fn f() { crate::store::journal::open() }"),
        ("src/store/journal.rs", "use crate::core::turn::Core;"),
        ("src/link/mod.rs", "use crate::text::gsm7;"),
        ("src/ingress/http.rs", "use crate::billing::ledger::Ledger;"),
        ("src/carrier/bind.rs", "use crate::admission::tenant::Tenant;"),
        ("src/dashboard/pages.rs", "use crate::release::lanes::Lanes;"),
        ("src/core/turn.rs", "use crate::gateway::spine::Spine;"),
        ("src/core/turn.rs", "use crate::{store::journal::Journal, fact::Fact};"),
        ("src/core/turn.rs", "use crate::*;"),
        ("src/core/turn.rs", "use super::super::store::Journal;"),
        ("src/fact.rs", "use super::core::Core;"),
        ("src/fact.rs", "use crate::release::{lanes::{Lane, Turn}, due::Due};"),
        ("src/campaign/mod.rs", "use crate::fact::Fact;"),
    ];
    for (path, text) in bad {
        assert!(!imports(&file(path, text)).is_empty(), "{path} got away with {text}");
    }
    let good = [
        ("src/smpp/decode.rs", "use crate::smpp::pdu::Pdu;"),
        ("src/release/lanes.rs", "use crate::fact::{Fact, Released};"),
        ("src/core/turn.rs", "use crate::billing::{ledger::Ledger, price};\nuse super::state::State;"),
        ("src/ingress/http.rs", "use crate::billing::price::Price;"),
        ("src/config.rs", "use crate::release::Config;\nuse crate::store::{Config as StoreConfig};"),
        ("src/store/journal.rs", "// as crate::core::turn does\nconst A: &str = \"crate::core\";"),
        ("src/store/journal.rs", "#[cfg(test)]\nmod tests { use crate::core::turn::Core; }"),
        ("src/gateway/spine.rs", "use crate::core::turn::Core;"),
        ("src/tools/demo.rs", "use crate::gateway::Gateway;"),
    ];
    for (path, text) in good {
        assert_eq!(imports(&file(path, text)), Vec::<String>::new(), "{path} is allowed {text}");
    }
}

#[test]
fn a_file_declared_for_tests_is_no_production_code() {
    let declared = "#[cfg(test)]\nmod journal_tests;\n";
    let tests = "use crate::core::turn::Core;";
    let sources = as_declared(vec![file("src/store/mod.rs", declared), file("src/store/journal_tests.rs", tests)]);
    assert!(sources.iter().flat_map(imports).next().is_none());
    let sources = as_declared(vec![file("src/store/mod.rs", "mod journal;"), file("src/store/journal.rs", tests)]);
    assert!(sources.iter().flat_map(imports).next().is_some(), "the same text in production is refused");
}

#[test]
fn purity_bites() {
    let bad = [
        "let now = std::time::Instant::now();",
        "let now = SystemTime::now();",
        "use std::collections::HashMap;",
        "use std::collections::{BTreeMap, HashSet};",
        "type Map<V> = hashbrown::HashMap<u64, V, RandomState>;",
        "let n: u64 = rand::random();",
        "let mut rng = thread_rng();",
        "use tokio::sync::mpsc;",
        "std::fs::read(path)",
    ];
    for text in bad {
        assert!(!impurities(&file("src/core/turn.rs", text)).is_empty(), "core got away with {text}");
    }
    let good = [
        ("src/core/turn.rs", "use std::collections::BTreeMap;\nuse hashbrown::HashMap;"),
        ("src/core/turn.rs", "// never Instant::now\nfn operand() {}"),
        ("src/core/turn.rs", "#[cfg(test)]\nmod tests { use std::collections::HashMap; }"),
        ("src/gateway/mod.rs", "let now = Instant::now();"),
    ];
    for (path, text) in good {
        assert_eq!(impurities(&file(path, text)), Vec::<String>::new(), "{path} is allowed {text}");
    }
}

#[test]
fn sizes_bite() {
    let body = "    step();\n";
    let long = format!("fn long<const N: usize>(a: [u8; 4]) -> u8 {{\n{}}}\n", body.repeat(69));
    assert_eq!(sizes(&file("src/fact.rs", &long)).len(), 1, "71 lines are one too many");
    let fits = format!("fn fits(a: [u8; 4]) -> u8 {{\n{}}}\n", body.repeat(68));
    assert!(sizes(&file("src/fact.rs", &fits)).is_empty());
    let brace_in_text =
        format!("fn a() {{ let _ = ('{{', \"}}\", r#\"}}\"#, b'}}'); /* }} */\n{}}}\n", body.repeat(70));
    assert_eq!(sizes(&file("src/fact.rs", &brace_in_text)).len(), 1, "braces in literals do not end a function");
    assert_eq!(sizes(&file("src/fact.rs", &"//\n".repeat(501))).len(), 1);
    assert!(sizes(&file("src/fact.rs", &"//\n".repeat(500))).is_empty());
}

#[test]
fn heads_and_leftovers_bite() {
    assert!(head(&file("src/fact.rs", "use std::fmt;\n//! Late.")).is_some());
    assert!(head(&file("src/fact.rs", "//!\nuse std::fmt;")).is_some());
    assert!(head(&file("src/fact.rs", "//! What happened.")).is_none());
    let bad = [
        concat!("// TO", "DO: later"),
        concat!("// FIX", "ME"),
        "fn f() { todo!() }",
        "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
        "fn f() { dbg!(1); }",
    ];
    for text in bad {
        assert!(!leftovers(&file("src/fact.rs", text)).is_empty(), "got away with {text}");
    }
    assert!(!leftovers(&file("tests/pace.rs", "fn f() { std::thread::sleep(second); }")).is_empty());
    assert!(leftovers(&file("src/fact.rs", "/// Not `todo!`: a method.\nfn todos() {}")).is_empty());
}

#[test]
fn names_and_orphans_bite() {
    for path in ["src/core/helpers.rs", "src/util/mod.rs", "src/link/session_manager.rs"] {
        assert!(!names(&file(path, "")).is_empty(), "got away with {path}");
    }
    assert!(!names(&file("src/core/mod.rs", "mod common { }")).is_empty());
    assert!(names(&file("src/core/mod.rs", "mod turn;\nfn modest() {}")).is_empty());
    let lost = [file("src/lib.rs", "pub mod core;"), file("src/core/mod.rs", ""), file("src/core/turn.rs", "")];
    assert_eq!(orphans(&lost), ["src/core/turn.rs: no `mod` line declares it"]);
}

#[test]
fn citations_bite() {
    let described = "| Q11 | sends | takes |\n";
    assert!(undescribed(&file("src/fact.rs", "/// As some do (quirk Q11)."), described).is_empty());
    assert_eq!(undescribed(&file("src/fact.rs", "/// As some do (quirks Q11 to Q9999)."), described).len(), 1);
}

#[test]
fn foreign_places_bite() {
    assert!(!foreign_places("README.md", concat!("see /ho", "me/me/notes")).is_empty());
    assert!(!foreign_places("tests/run", concat!("pip install --index-url https://pypi", ".org")).is_empty());
    assert!(foreign_places("README.md", "see docs/decisions.md").is_empty());
}
