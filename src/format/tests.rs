use super::*;
use crate::format::testing::Choices;
use crate::format::testing::Scope;
use crate::model::InstanceBuilder;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;

const STRICT: ReadOptions = ReadOptions { lenient: false };
const LENIENT: ReadOptions = ReadOptions { lenient: true };

/// A small BtrPlace document.
const BTRPLACE: &str = r#"{"model": {"mapping": {"readyVMs": [1], "onlineNodes": {"0": {"runningVMs": [0], "sleepingVMs": []}},
    "offlineNodes": []}, "attributes": {"vms": {"0": {"a": "\u00e9", "b": 1.5}}}, "views": [{"id": "shareableResource",
    "rcId": "cpu", "defCapacity": 8, "defConsumption": 1, "nodes": {}, "vms": {"1": 2}}]},
    "constraints": [{"id": "spread", "vms": [0, 1], "continuous": true}], "objective": {"id": "minimizeMTTR"}}"#;

/// A small document of our own.
const OWN: &str = r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "n1", "capacity": {"cpu": 8}}],
    "vms": [{"name": "web", "host": "n1", "demand": {"cpu": 2}, "attributes": {"x": -1e3}, "tags": ["t"]}],
    "constraints": [{"spread": {"vms": ["web"], "continuous": true}}], "durations": {"boot": 4}, "objective": "mttr"}"#;

fn fails(bytes: &[u8]) -> FormatError {
    match read_instance(bytes, &STRICT) {
        Ok(_) => panic!("accepted"),
        Err(error) => {
            assert!(read_instance(bytes, &LENIENT).is_err() || error.message.contains("byte order mark"));
            error
        }
    }
}

#[test]
fn formats_are_told_apart_by_their_keys() {
    let format = |text: &str| read_instance(text.as_bytes(), &STRICT).map(|read| read.format);
    assert_eq!(format(BTRPLACE), Ok(InstanceFormat::BtrPlace));
    assert_eq!(format(OWN), Ok(InstanceFormat::Quadrille));
    assert!(fails(b"{\"constraints\": []}").message.contains("found neither"));
    assert!(fails(b"{\"origin\": {}, \"actions\": []}").message.contains("found a plan"));
    assert!(fails(b"{\"schema\": \"quadrille/plan/1\"}").message.contains("found `quadrille/plan/1`"));
    // The order of the keys does not matter.
    let turned = r#"{"objective": {"id": "minimizeMTTR"}, "constraints": [{"id": "running", "vm": 3}], "model":
        {"views": [], "attributes": {}, "mapping": {"readyVMs": [3], "onlineNodes": {}, "offlineNodes": []}}}"#;
    assert_eq!(format(turned), Ok(InstanceFormat::BtrPlace));
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    for (bytes, path, part) in [
        (&b""[..], "$", "found the end of the text"),
        (b" \n ", "$", "found the end of the text"),
        (b"null", "$", "found `null`"),
        (b"[]", "$", "found an array"),
        (b"\x00\x00\x00", "$", "expected an instance"),
        (b"0000000000", "$", "found a malformed number"),
        (b"{\"model\": tru}", "$.model", "expected the model"),
        (b"{\"model\"", "$.model", "expected `:`"),
        (b"{\"schema\": \"quadrille/instance/1\"} {}", "$", "the end of the text"),
        (b"{\"model\": {\"mapping\": \xff}}", "$.model.mapping", "0xff"),
        (b"\xff\xfe{\x00}\x00", "$", "UTF-16"),
        (b"\xef\xbb\xbf{}", "$", "byte order mark"),
    ] {
        let error = fails(bytes);
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.contains(part), "{error}: {part}");
        assert!(error.line > 0 && error.column > 0, "{error}");
    }
    assert_eq!(
        fails(format!("{BTRPLACE} 1").as_bytes()).message,
        "expected the end of the text, found the number `1`"
    );
    let marked = [b"\xef\xbb\xbf".as_slice(), OWN.as_bytes()].concat();
    assert_eq!(read_instance(&marked, &LENIENT).map(|read| read.notes.len()), Ok(1));
}

impl PartialEq for ReadInstance {
    fn eq(&self, other: &Self) -> bool {
        self.instance == other.instance && self.notes == other.notes
    }
}

#[test]
fn an_error_is_one_sentence_with_its_place() {
    let text = BTRPLACE.replace("\"1\": 2", "\"1\": -2");
    assert_eq!(
        fails(text.as_bytes()).to_string(),
        "line 3, column 85, $.model.views[0].vms.1: expected an amount: a whole number of 0 or more, found the number `-2`"
    );
    assert_eq!(FormatError::whole("cut off").to_string(), "cut off");
}

#[test]
fn depth_is_bounded_wherever_it_is() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let objects = "{\"a\":".repeat(200_000) + "1" + &"}".repeat(200_000);
    for deep in [deep, objects] {
        for text in [
            deep.clone(),
            format!("{{\"model\": {deep}}}"),
            format!("{{\"unknown\": {deep}, \"model\": {{}}}}"),
            format!("{{\"constraints\": {deep}, \"model\": {{}}}}"),
            format!("{{\"model\": {{\"views\": {deep}, \"mapping\": {{}}}}}}"),
            format!("{{\"schema\": \"quadrille/instance/1\", \"constraints\": {deep}}}"),
            BTRPLACE.replace("\"vms\": [0, 1]", &format!("\"vms\": {deep}")),
            BTRPLACE.replace("\"vms\": [0, 1]", &format!("\"vms\": [], \"other\": {deep}")),
            BTRPLACE.replace("\"a\": \"\\u00e9\"", &format!("\"a\": {deep}")),
        ] {
            let error = fails(text.as_bytes());
            assert!(error.path.len() < 2000, "{}", error.path.len());
        }
    }
}

#[test]
fn a_line_of_zeros_is_refused_at_once() {
    let zeros = "0".repeat(50_000_000);
    for text in [
        zeros.clone(),
        format!("{{\"model\": {zeros}}}"),
        format!("{{\"model\": [{zeros}"),
        format!("{{\"x\": \"{zeros}"),
    ] {
        let error = fails(text.as_bytes());
        assert!(error.message.len() < 300, "{}", error.message.len());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(zeros.as_bytes()).expect("written to memory");
    let bomb = encoder.finish().expect("written to memory");
    assert!(inflate(bomb, 1_000_000).is_err());
}

#[test]
fn messages_do_not_repeat_long_names() {
    let name = "é\u{1b}".repeat(1_000_000);
    let text =
        format!("{{\"schema\": \"quadrille/instance/1\", \"{}\": 1}}", name.replace('\u{1b}', "\\u001b"));
    let error = read_instance(text.as_bytes(), &STRICT).expect_err("unknown");
    let notes = read_instance(text.as_bytes(), &LENIENT).expect("tolerated").notes;
    assert!(notes[0].len() < 1000, "{}", notes[0].len());
    assert!(error.to_string().len() < 1000 && !error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn every_cut_is_refused() {
    for text in [BTRPLACE, OWN] {
        assert!(read_instance(text.as_bytes(), &STRICT).is_ok());
        for end in 0..text.len() {
            fails(&text.as_bytes()[..end]);
        }
    }
}

#[test]
fn unknown_values_must_be_values() {
    for bad in ["01", "[1,]", "{\"a\" 1}", "tru", "\"\\x\"", "[}", "+1", "1.", "\"\u{1}\""] {
        for place in ["\"objective\":", "\"mapping\":", "\"id\": \"spread\"", "\"rcId\":", "\"readyVMs\":"] {
            let text = BTRPLACE.replacen(place, &format!("\"unknown\": {bad}, {place}"), 1);
            assert_ne!(text, BTRPLACE);
            fails(text.as_bytes());
            let good = BTRPLACE.replacen(place, &format!("\"unknown\": [{{}}, \"]\", 1e5], {place}"), 1);
            assert!(read_instance(good.as_bytes(), &STRICT).is_ok(), "{good}");
        }
    }
}

proptest! {
    #![proptest_config(testing::config())]

    /// Whatever is done to a document: an instance or an error with a place, and what is
    /// read can be written and read again.
    #[test]
    fn damaged_documents_do_no_harm(
        numbers in testing::choices(),
        which in 0..4usize,
        edits in proptest::collection::vec((any::<u32>(), any::<u8>(), 0..4u8), 0..4),
    ) {
        let mut choices = Choices::new(numbers);
        let mut bytes = match which {
            0 => BTRPLACE.to_owned(),
            1 => OWN.to_owned(),
            2 => {
                let instance = testing::instance(&mut choices, Scope::BtrPlace);
                btrplace::write_instance(&instance, &WriteOptions::default()).expect("it can be said").text
            }
            _ => native::write_instance(&testing::instance(&mut choices, Scope::Quadrille)).expect("it can be said"),
        }
        .into_bytes();
        for (at, byte, edit) in edits {
            let at = at as usize % bytes.len();
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"[]{},:\"0-9"[usize::from(byte) % 10]),
                2 => drop(bytes.remove(at)),
                _ => bytes.rotate_left(at),
            }
            if bytes.is_empty() {
                break;
            }
        }
        for options in [STRICT, LENIENT] {
            match read_instance(&bytes, &options) {
                Ok(read) => {
                    let text = native::write_instance(&read.instance).expect("what was read can be said");
                    let back = native::read_instance(text.as_bytes(), &STRICT).map(|read| read.instance);
                    prop_assert_eq!(back, Ok(read.instance));
                }
                Err(error) => prop_assert!(error.line > 0 && error.path.starts_with('$'), "{}", error),
            }
        }
        let instance = InstanceBuilder::new().build().expect("an empty cluster");
        prop_assert!(native::read_plan(&bytes, &instance).is_err());
        prop_assert!(btrplace::read_plan(&bytes, &instance).is_err());
    }
}
