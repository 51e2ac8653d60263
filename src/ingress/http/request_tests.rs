//! Every way a body can be wrong is told with the place.

use super::*;

const GOOD: &str = r#"{"to":"447700900123","from":"Shop","text":"Hi"}"#;

fn problem(body: &str) -> (u16, &'static str, String) {
    let read = read(body.as_bytes(), 3);
    let problem = match read {
        Err(problem) => problem,
        Ok(request) => request.drafts.into_iter().find_map(Result::err).expect("a problem"),
    };
    let pointer = problem.to_json()["pointer"].as_str().unwrap_or_default().to_owned();
    (problem.status().as_u16(), problem.code(), pointer)
}

fn with(field: &str) -> String {
    GOOD.replace('}', &format!(",{field}}}"))
}

#[test]
fn one_and_many_are_read() {
    let one = read(GOOD.as_bytes(), 3).expect("good");
    assert!(!one.many && one.pointer(0).is_empty());
    let many = read(format!("{{\"messages\":[{GOOD},{GOOD}]}}").as_bytes(), 3).expect("good");
    assert_eq!((many.many, many.drafts.len(), many.pointer(1).as_str()), (true, 2, "/messages/1"));
    assert_eq!(many.drafts[0], one.drafts[0]);
}

#[test]
fn optional_fields_have_their_form() {
    let body = with(r#""reference":"r-1","validity":"15m","send_at":"2026-11-21T12:00:00Z","encoding":"ucs2""#);
    let draft = read(body.as_bytes(), 1).expect("good").drafts.remove(0).expect("good");
    assert_eq!((draft.reference.as_str(), draft.validity), ("r-1", Some(Duration::from_secs(900))));
    assert_eq!((draft.send_at, draft.encoding), (Some(Timestamp(1_795_262_400_000_000)), Choice::Ucs2));
    let seconds = |value: &str| {
        let body = with(&format!("\"validity\":{value}"));
        read(body.as_bytes(), 1).expect("an object").drafts.remove(0).expect("good").validity
    };
    assert_eq!(seconds("60"), Some(Duration::from_secs(60)));
    assert_eq!(seconds("\"2d\""), Some(Duration::from_secs(172_800)));
    assert_eq!(seconds("null"), None);
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("", 400, "not_json", ""),
        ("[1]", 400, "malformed", ""),
        (&with(r#""text":"another""#), 400, "malformed", ""),
        (&with(r#""tlvs":{"0x1400":"1","0x1400":"2"}"#), 400, "malformed", ""),
        (&with(r#""tlvs":{"0x1400":"1","5120":"2"}"#), 422, "invalid_tlvs", "/tlvs"),
        (r#"{"to":"1"}"#, 400, "missing_field", "/text"),
        (r#"{"to":1,"from":"a","text":"b"}"#, 400, "malformed", "/to"),
        (r#"{"to":"1","from":"a","text":""}"#, 422, "empty_text", "/text"),
        (&with(r#""colour":"red""#), 400, "unknown_field", "/colour"),
        (&with(r#""a/b":1"#), 400, "unknown_field", "/a~1b"),
        (&with(r#""validity":0"#), 422, "invalid_validity", "/validity"),
        (&with(r#""validity":"soon""#), 422, "invalid_validity", "/validity"),
        (&with(r#""validity":-5"#), 422, "invalid_validity", "/validity"),
        (&with(r#""send_at":"tomorrow""#), 422, "invalid_schedule", "/send_at"),
        (&with(r#""encoding":"utf8""#), 422, "invalid_encoding", "/encoding"),
        (r#"{"messages":[]}"#, 400, "batch_size", "/messages"),
        (r#"{"messages":[1,2,3,4]}"#, 413, "batch_size", "/messages"),
        (r#"{"messages":{}}"#, 400, "malformed", "/messages"),
        (r#"{"messages":[],"to":"1"}"#, 400, "unknown_field", "/to"),
        (r#"{"messages":[7]}"#, 400, "malformed", "/messages/0"),
        (r#"{"messages":[{"to":"1","x":2}]}"#, 400, "unknown_field", "/messages/0/x"),
    ];
    for (body, status, code, pointer) in cases {
        assert_eq!(problem(body), (status, code, pointer.to_owned()), "{body}");
    }
    let long = with(&format!("\"reference\":\"{}\"", "r".repeat(256)));
    assert_eq!(problem(&long), (422, "invalid_reference", "/reference".to_owned()));
}

#[test]
fn a_draft_does_not_print() {
    let request = read(GOOD.as_bytes(), 1).expect("good");
    let printed = format!("{request:?}");
    assert!(!printed.contains("7700") && !printed.contains("Hi"), "{printed}");
}
