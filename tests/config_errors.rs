//! A wrong configuration is answered with every fault at once, each with file, line and key, and never with a secret.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::sample::Index;
use sluice::admission::config::TenantConfig;
use sluice::config::{BindKind, Config, ConfigError, StatusAction, Warning};
use sluice::message::coding::Form;
use tempfile::TempDir;

/// A configuration that is right.
const RIGHT: &str = r#"
[[tenant]]
id = "riverside"
system_id = "riverside"
password = "planted1"
api_key = "planted2"

[[carrier]]
id = "alpha"
address = "127.0.0.1:2776"
system_id = "sluice"
password = "planted3"

[[route]]
prefix = ""
carriers = ["alpha"]

[[price]]
tenant = "riverside"
prefix = "44"
per_part = "0.0264 GBP"
"#;

struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Files {
        Files { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Writes a file that only its owner may read.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        allow(&path, 0o600);
        path
    }

    fn load(&self, text: &str) -> Result<(Config, Vec<Warning>), Vec<ConfigError>> {
        Config::load(&self.write("sluice.toml", text))
    }
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the file is ours");
}

/// The errors of a text that must be wrong, as "line key".
fn errors(text: &str) -> Vec<String> {
    let errors = Files::new().load(text).expect_err("it is wrong");
    let shown = errors.iter().map(ToString::to_string).collect::<String>();
    assert!(!shown.contains("planted"), "a secret is told: {shown}");
    assert!(errors.iter().all(|error| error.to_string().contains("sluice.toml:")), "a file is missing: {shown}");
    errors.iter().map(|error| format!("{} {}", error.line, error.key)).collect()
}

#[test]
fn what_is_right_loads_with_its_defaults() {
    let files = Files::new();
    let (config, warnings) = files.load(RIGHT).expect("it is right");
    assert_eq!(warnings, []);
    assert_eq!(config.node.data_dir, files.dir.path().join("data"));
    assert_eq!(config.smpp.listen.port(), 2775);
    assert_eq!((config.carriers[0].bind, config.carriers[0].binds), (BindKind::Transceiver, 1));
    let TenantConfig { id, system_id, password, api_keys, .. } = config.tenants[0].clone();
    let defaults = TenantConfig { id, system_id, password, api_keys, ..TenantConfig::default() };
    assert_eq!(config.tenants[0], defaults, "what the code takes for defaults");
    assert_eq!(config.prices[0].per_part.micros, 26_400);
    assert!(!format!("{config:?}").contains("planted"), "secrets do not print");
}

#[test]
fn receipts_are_told_in_words_that_are_known() {
    for (key, wrong) in [
        ("receipt_format", "\"kannel\""),
        ("receipt_format", "7"),
        ("receipt_format", "{ date = 12 }"),
        ("receipt_format", "{ like = \"kannel\" }"),
        ("receipt_format", "{ dates = 11 }"),
        ("receipt_format", "{ counts = 4 }"),
        ("receipt_format", "{ text = \"TEXT\" }"),
        ("receipt_format", "{ id = \"octal\" }"),
        ("receipt_format", "{ tlvs = [\"sar\"] }"),
        ("receipt_format", "{ tlvs = true }"),
    ] {
        let text = RIGHT.replace("[[carrier]]", &format!("{key} = {wrong}\n[[carrier]]"));
        assert_eq!(errors(&text), ["8 tenant.receipt_format"], "{wrong}");
    }
    for (key, wrong) in [
        ("receipt_zone", "\"CET\""),
        ("receipt_zone", "\"+15:00\""),
        ("receipt_errors", "\"21b\""),
        ("receipt_errors", "{ \"21b\" = \"\" }"),
        ("receipt_errors", "{ \"21b\" = \"too long for it\" }"),
        ("receipts_unmarked", "\"yes\""),
        ("delivered_wins", "1"),
    ] {
        let text = RIGHT.replace("[[route]]", &format!("{key} = {wrong}\n[[route]]"));
        assert_eq!(errors(&text), [format!("14 carrier.{key}")], "{wrong}");
    }
    let right = RIGHT
        .replace("[[carrier]]", "receipt_format = { like = \"jasmin\", dates = 12, tlvs = [] }\n[[carrier]]")
        .replace("[[route]]", "receipt_zone = \"-03:30\"\nreceipt_errors = { \"21b\" = \"027\" }\n[[route]]");
    let (config, _) = Files::new().load(&right).expect("it is right");
    let format = config.tenants[0].receipt_format;
    assert_eq!((format.count_digits, format.date_digits, format.tlv_id), (0, 12, false));
    assert_eq!(config.carriers[0].receipt_zone_minutes, -210);
    assert_eq!(config.carriers[0].receipt_errors["21b"], "027");
}

#[test]
fn all_faults_are_told_at_once() {
    let wrong = r#"
[smpp]
listen = "localhost"
windwo = 10
binds_max = 0
enquire_link = "30"

[http]
body_max = 5

[htpp]

[[tenant]]
id = "a b"
rate = "fast"
credit = "10 pounds"
burst = "many"
receipts = "all"
country = "UK"

[[carrier]]
id = "alpha"
address = "127.0.0.1"
system_id = "much-too-long-for-smpp"
bind = "transponder"

[[route]]
prefix = "+44"
carriers = []

[[price]]
tenant = "riverside"
prefix = "44"
per_part = "0.0000001 GBP"
"#;
    let expected = [
        "3 smpp.listen",
        "4 smpp.windwo",
        "5 smpp.binds_max",
        "6 smpp.enquire_link",
        "9 http.body_max",
        "11 htpp",
        "14 tenant.id",
        "15 tenant.rate",
        "16 tenant.credit",
        "17 tenant.burst",
        "18 tenant.receipts",
        "19 tenant.country",
        "23 carrier.address",
        "24 carrier.system_id",
        "25 carrier.bind",
        "28 route.prefix",
        "29 route.carriers",
        "34 price.per_part",
    ];
    assert_eq!(errors(wrong), expected);
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(
        errors("[[tenant]]\n[[carrier]]\n[[route]]\n[[price]]\n"),
        [
            "1 tenant.id",
            "2 carrier.address",
            "2 carrier.id",
            "2 carrier.system_id",
            "3 route.carriers",
            "3 route.prefix",
            "4 price.per_part",
            "4 price.prefix",
            "4 price.tenant",
        ]
    );
    assert_eq!(
        errors(&RIGHT.replace("127.0.0.1:2776", "")),
        ["10 carrier.address"],
        "an empty text is there and wrong"
    );
    let without = RIGHT.replace("password = \"planted1\"\n", "");
    assert_eq!(errors(&without), ["2 tenant.password"]);
}

/// What `check` lets pass must start: whatever the daemon could only find out later is found here.
#[test]
fn what_is_let_pass_would_start() {
    for (wrong, place) in [
        ("[node]\nkey = \"planted\"\n", "2 node.key"),
        ("[node]\nlog = \"inof\"\n", "2 node.log"),
        ("[node]\nlog = \"info,sluice=loud\"\n", "2 node.log"),
        ("[node]\nlog = \"\"\n", "2 node.log"),
        ("[http]\nlisten = \"127.0.0.1:2775\"\n", "2 http.listen"),
        ("[http]\nlisten = \"0.0.0.0:2775\"\n", "2 http.listen"),
        ("[smpp]\nlisten = \"127.0.0.1:8080\"\n", "2 http.listen"),
    ] {
        assert_eq!(errors(&format!("{wrong}{RIGHT}")), [place], "{wrong}");
    }
    let outbind = "outbind_listen = \"127.0.0.1:2775\"\noutbind_system_id = \"smsc\"\n[[route]]";
    assert_eq!(errors(&RIGHT.replace("[[route]]", outbind)), ["8 carrier.outbind_listen"]);
    for (one, other, clash) in [
        ("0.0.0.0", "[::1]", false),
        ("127.0.0.1", "[::1]", false),
        ("0.0.0.0", "[::ffff:127.0.0.1]", true),
        ("[::]", "127.0.0.1", true),
        ("[::1]", "[::]", true),
        ("0.0.0.0", "[::]", true),
    ] {
        let ports = format!("[smpp]\nlisten = \"{one}:2775\"\n[http]\nlisten = \"{other}:2775\"\n{RIGHT}");
        let passes = Files::new().load(&ports).is_ok();
        assert_eq!(passes, !clash, "{one} beside {other}");
    }
    let anywhere = "[smpp]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n";
    let filter = "[node]\nlog = \"warn, sluice::carrier=DEBUG\"\n";
    assert!(Files::new().load(&format!("{anywhere}{filter}{RIGHT}")).is_ok(), "free ports do not clash");
}

#[test]
fn names_that_are_nobodys_are_told_with_the_one_that_was_meant() {
    let found = Files::new().load(&RIGHT.replace("[\"alpha\"]", "[\"alhpa\"]")).expect_err("no such carrier");
    assert!(found[0].what.contains("is \"alpha\" meant?"), "{}", found[0]);
    let found = Files::new().load(&format!("{RIGHT}[nodes]\n[swarm]\n")).expect_err("no such sections");
    assert!(found[0].what.contains("is \"node\" meant?") && found[1].what.contains("node, store"), "{found:?}");
}

#[test]
fn broken_syntax_is_placed() {
    assert_eq!(errors("[smpp]\nlisten = \n"), ["2 "]);
    let twice = errors("[smpp]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n");
    assert_eq!(twice, ["3 "]);
    assert_eq!(errors("smpp = 7\ntenant = 3\n"), ["1 smpp", "2 tenant"]);
}

#[test]
fn names_are_somebodys_and_only_theirs() {
    let twice = RIGHT.repeat(2);
    let lines = RIGHT.lines().count();
    let expect = |line: usize, key: &str| format!("{} {key}", line + lines);
    assert_eq!(
        errors(&twice),
        [
            expect(2, "tenant.api_key"),
            expect(2, "tenant.id"),
            expect(2, "tenant.system_id"),
            expect(8, "carrier.id"),
            expect(14, "route.prefix"),
            expect(18, "price.prefix"),
        ]
    );
    let strangers =
        RIGHT.replace("[\"alpha\"]", "[\"beta\", \"alpha\", \"alpha\"]").replace("tenant = \"r", "tenant = \"R");
    assert_eq!(errors(&strangers), ["14 route.carriers", "14 route.carriers", "18 price.tenant"]);
    let foreign = RIGHT.replace("api_key", "credit = \"5.00 EUR\"\napi_key");
    assert_eq!(errors(&foreign), ["19 price.per_part"]);
    let unpriced =
        RIGHT.split("[[price]]").next().expect("a head").replace("api_key", "credit = \"5.00 GBP\"\napi_key");
    assert_eq!(errors(&unpriced), ["2 tenant.credit"]);
    let dear = RIGHT.replace("0.0264 GBP", "50000000000.00 GBP");
    assert_eq!(errors(&dear), ["21 price.per_part"]);
}

#[test]
fn dead_ends_are_warned_of() {
    let warned = |text: &str| {
        let (_, warnings) = Files::new().load(text).expect("it works");
        warnings.iter().map(|warning| format!("{} {}", warning.line, warning.key)).collect::<Vec<_>>()
    };
    let unpriced = RIGHT.split("[[price]]").next().expect("a head");
    assert_eq!(warned(unpriced), ["2 tenant"]);
    assert_eq!(warned(&RIGHT.replace("prefix = \"\"", "prefix = \"33\"")), ["18 price.prefix"]);
    let routeless = unpriced.split("[[route]]").next().expect("a head");
    assert_eq!(warned(routeless), ["2 tenant", "2 tenant", "8 carrier"]);
    assert_eq!(warned(&RIGHT.replace("planted3", "planted-long")), ["12 carrier.password"]);
    let latin1 = "national_tables = [\"turkish\"]\ndefault_alphabet = \"latin1\"\n[[route]]";
    assert_eq!(warned(&RIGHT.replace("[[route]]", latin1)), ["14 carrier.national_tables"], "they are never used");
    let gsm7_too = format!("data_coding = {{ gsm7 = 241 }}\n{latin1}");
    assert_eq!(warned(&RIGHT.replace("[[route]]", &gsm7_too)), Vec::<String>::new());
    let wide = format!("[smpp]\nwindow_max = 50\n{}", RIGHT.replace("[[carrier]]", "window = 51\n[[carrier]]"));
    assert_eq!(warned(&wide), ["4 tenant.window"]);
}

#[test]
fn secrets_that_others_can_read_are_warned_of_or_refused() {
    let files = Files::new();
    let path = files.write("sluice.toml", RIGHT);
    allow(&path, 0o644);
    let (_, warnings) = Config::load(&path).expect("a warning only");
    let keys: Vec<&str> = warnings.iter().map(|warning| warning.key.as_str()).collect();
    assert_eq!(keys, ["tenant.password", "tenant.api_key", "carrier.password"]);

    let path = files.write("sluice.toml", &format!("[node]\nstrict = true\n{RIGHT}"));
    allow(&path, 0o644);
    assert_eq!(Config::load(&path).expect_err("strict").len(), 3);
}

#[test]
fn secrets_may_stand_elsewhere() {
    let files = Files::new();
    let file = files.write("secrets/alpha", "from-file\n");
    let text = RIGHT
        .replace("\"planted3\"", "{ file = \"secrets/alpha\" }")
        .replace("\"planted2\"", "[\"old\", { env = \"CARGO_MANIFEST_DIR\" }]");
    let (config, _) = files.load(&text).expect("both can be read");
    assert_eq!(config.carriers[0].password.0, "from-file");
    assert_eq!(config.tenants[0].api_keys[1].0, env!("CARGO_MANIFEST_DIR"));
    allow(&file, 0o604);
    let (_, warnings) = files.load(&text).expect("a warning only");
    assert_eq!(
        warnings.iter().map(|warning| warning.key.as_str()).collect::<Vec<_>>(),
        ["carrier.password", "carrier.password"]
    );

    for wrong in ["{ file = \"nowhere\" }", "{ env = \"SLUICE_IS_NOT_SET\" }", "{ fiel = \"x\" }", "7", "\"\""] {
        let text = RIGHT.replace("\"planted3\"", wrong);
        assert_eq!(errors(&text), ["12 carrier.password"], "{wrong}");
    }
}

#[test]
fn files_are_included_and_faults_told_with_their_file() {
    let files = Files::new();
    let (head, tail) = RIGHT.split_once("[[route]]").expect("a route");
    files.write("parties/a.toml", head);
    files.write("parties/b.toml", &format!("[[route]]{tail}"));
    files.write("parties/c.txt", "not read");
    let main = "include = [\"parties/*.toml\", \"sluice.toml\"]\n[node]\ndata_dir = \"/var/lib/x\"\n";
    let (config, _) = files.load(main).expect("it is right");
    assert_eq!((config.tenants.len(), config.routes.len()), (1, 1));
    assert_eq!(config.node.data_dir, Path::new("/var/lib/x"));

    files.write("parties/b.toml", "[node]\n[[route]]\nprefix = \"44\"\ncarriers = [\"beta\"]\n");
    let found = files.load(main).expect_err("[node] twice");
    assert_eq!((found[0].file.file_name().and_then(|name| name.to_str()), found[0].line), (Some("b.toml"), 1));

    for wrong in ["include = [\"nowhere.toml\"]", "include = [\"nowhere/*.toml\"]", "include = 3", "include = [3]"] {
        assert_eq!(errors(wrong), ["1 include"], "{wrong}");
    }
    let found = Config::load(&files.dir.path().join("nowhere.toml")).expect_err("there is no such file");
    assert_eq!(found[0].to_string().matches("nowhere.toml").count(), 1, "{}", found[0]);
}

#[test]
fn languages_are_named_or_not_at_all() {
    let files = Files::new();
    let text =
        RIGHT.replace("[[carrier]]", "[[carrier]]\nnational_tables = [\"turkish\", \"pt\"]\nkeep_clusters = true");
    let (config, _) = files.load(&text).expect("it is right");
    let coding = config.carriers[0].coding;
    assert_eq!((coding.languages.ids().collect::<Vec<_>>(), coding.clusters), (vec![1, 3], true));
    assert_eq!(config.tenants[0].languages.ids().count(), 13, "a tenant uses what its carrier takes");
    let wrong = text.replace("\"pt\"", "\"klingon\"");
    let errors = files.load(&wrong).expect_err("no such language");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].key.ends_with("national_tables") && errors[0].what.contains("klingon"), "{}", errors[0]);
    assert!(errors[0].what.contains("turkish"), "the ones that there are: {}", errors[0]);
}

#[test]
fn a_links_own_data_codings_are_read() {
    let with = |values: &str| RIGHT.replace("address =", &format!("data_coding = {values}\naddress ="));
    let (config, _) = Files::new().load(&with("{ ucs2 = \"0x18\", gsm7 = 241, latin1 = 0xF5 }")).expect("right");
    let link = config.carriers[0].coding.link;
    assert_eq!(
        [Form::Ucs2, Form::Gsm7, Form::Latin1, Form::Ascii].map(|form| link.data_coding(form)),
        [24, 241, 245, 1]
    );
    for wrong in [
        "{ klingon = 5 }",
        "{ ucs2 = 256 }",
        "{ ucs2 = \"0xZZ\" }",
        "{ latin1 = 0 }",
        "{ ucs2 = 24, latin1 = 24 }",
        "{ ucs2 = [8] }",
        "8",
    ] {
        assert_eq!(errors(&with(wrong)), ["10 carrier.data_coding"], "{wrong}");
    }
    assert_eq!(
        errors(&RIGHT.replace("address =", "default_alphabet = \"utf8\"\naddress =")),
        ["10 carrier.default_alphabet"]
    );
}

#[test]
fn a_carriers_own_statuses_are_read() {
    let with = |statuses: &str| RIGHT.replace("address =", &format!("statuses = {statuses}\naddress ="));
    let (config, _) = Files::new().load(&with("{ \"0x400\" = \"fail\", \"1044\" = \"slow-down\" }")).expect("right");
    let statuses: Vec<_> = config.carriers[0].statuses.iter().map(|(status, action)| (*status, *action)).collect();
    assert_eq!(statuses, [(0x400, StatusAction::Fail), (1044, StatusAction::SlowDown)]);
    for wrong in ["{ \"0\" = \"fail\" }", "{ \"0xZZ\" = \"fail\" }", "{ \"7\" = \"drop\" }", "7"] {
        assert_eq!(errors(&with(wrong)), ["10 carrier.statuses"], "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_slip_brings_it_down(at in any::<Index>(), gone in 0..12_usize, put in "[a-z0-9 =\"'\\[\\]{}#,.\n€]{0,4}") {
        let shown: Vec<char> = include_str!("../conf/sluice.toml").chars().collect();
        let start = at.index(shown.len());
        let rest = shown.iter().skip(start + gone);
        let text: String = shown[..start].iter().copied().chain(put.chars()).chain(rest.copied()).collect();
        if let Err(errors) = Files::new().load(&text) {
            prop_assert!(!errors.is_empty(), "refused without a reason");
            prop_assert!(errors.iter().all(|error| !error.what.is_empty() && error.line > 0), "{:?}", errors);
        }
    }
}
