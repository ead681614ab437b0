//! `quadrille fmt` from end to end.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

const UNTIDY: &str = "$x=1;   // größer\nfor $i in {1,2} { spread( VM1 ) ; }\n";

/// Runs the command with a text on its standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quadrille"))
        .arg("fmt")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that refuses its arguments does not wait for its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the command ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn files_are_formatted_in_place() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fmt");
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    let [untidy, broken] = ["untidy.btrp", "broken.btrp"].map(|name| folder.join(name));
    fs::write(&untidy, UNTIDY).expect("writable");
    fs::write(&broken, "$x = ;\n").expect("writable");
    let [untidy_name, broken_name] = [&untidy, &broken].map(|path| path.to_str().expect("a readable name"));

    let checked = run(&["--check", untidy_name], "");
    assert_eq!(checked.status.code(), Some(6));
    assert_eq!(text(&checked.stdout).trim_end(), untidy_name);
    assert_eq!(fs::read_to_string(&untidy).expect("still there"), UNTIDY, "a check changes nothing");

    // A file with mistakes stays as it is; the other one is formatted all the same.
    let both = run(&[broken_name, untidy_name], "");
    assert_eq!(both.status.code(), Some(2));
    assert!(text(&both.stderr).contains("broken.btrp:1:"), "{}", text(&both.stderr));
    assert_eq!(fs::read_to_string(&broken).expect("still there"), "$x = ;\n");
    let formatted = fs::read_to_string(&untidy).expect("still there");
    assert!(
        formatted.starts_with("$x = 1; // größer\n") && formatted.contains("spread(VM1);"),
        "{formatted}"
    );
    assert_eq!(run(&["--check", untidy_name], "").status.code(), Some(0));

    let printed = run(&["-"], UNTIDY);
    assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(0), formatted));
}

#[test]
fn what_cannot_be_read_is_refused() {
    assert_eq!(run(&[], "").status.code(), Some(2));
    assert_eq!(run(&["/does/not/exist.btrp"], "").status.code(), Some(2));
    assert_eq!(run(&["-", "-"], "").status.code(), Some(2));
}
