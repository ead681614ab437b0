//! `quadrille fmt` from end to end.

use crate::process::feed;
use crate::process::folder;
use crate::process::text;
use std::fs;

const UNTIDY: &str = "$x=1;   // größer\nfor $i in {1,2} { spread( VM1 ) ; }\n";

#[test]
fn files_are_formatted_in_place() {
    let folder = folder("fmt");
    let [untidy, broken] = ["untidy.btrp", "broken.btrp"].map(|name| folder.join(name));
    fs::write(&untidy, UNTIDY).expect("writable");
    fs::write(&broken, "$x = ;\n").expect("writable");
    let [untidy_name, broken_name] = [&untidy, &broken].map(|path| path.to_str().expect("a readable name"));

    let checked = feed(&["fmt", "--check", untidy_name], "");
    assert_eq!(checked.status.code(), Some(6));
    assert_eq!(text(&checked.stdout).trim_end(), untidy_name);
    assert_eq!(fs::read_to_string(&untidy).expect("still there"), UNTIDY, "a check changes nothing");

    // A file with mistakes stays as it is; the other one is formatted all the same.
    let both = feed(&["fmt", broken_name, untidy_name], "");
    assert_eq!(both.status.code(), Some(2));
    assert!(text(&both.stderr).contains("broken.btrp:1:"), "{}", text(&both.stderr));
    assert_eq!(fs::read_to_string(&broken).expect("still there"), "$x = ;\n");
    let formatted = fs::read_to_string(&untidy).expect("still there");
    assert!(
        formatted.starts_with("$x = 1; // größer\n") && formatted.contains("spread(VM1);"),
        "{formatted}"
    );
    assert_eq!(feed(&["fmt", "--check", untidy_name], "").status.code(), Some(0));

    let printed = feed(&["fmt", "-"], UNTIDY);
    assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(0), formatted));
}

#[test]
fn what_cannot_be_read_is_refused() {
    assert_eq!(feed(&["fmt"], "").status.code(), Some(2));
    assert_eq!(feed(&["fmt", "/does/not/exist.btrp"], "").status.code(), Some(2));
    assert_eq!(feed(&["fmt", "-", "-"], "").status.code(), Some(2));
}
