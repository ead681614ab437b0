//! The language server, as an editor meets it.

use crate::process::folder;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

/// An editor that knows little.
struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    asked: i64,
    /// Notifications that came before an answer.
    heard: Vec<Value>,
}

impl Editor {
    fn start() -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_quadrille"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().expect("it is piped"));
        Self { server, input, output, asked: 0, heard: Vec::new() }
    }

    /// A server that has been greeted.
    fn greeted(options: Value) -> Self {
        let mut editor = Self::start();
        let answer =
            editor.ask("initialize", json!({ "capabilities": {}, "initializationOptions": options }));
        assert_eq!(answer["capabilities"]["textDocumentSync"]["change"], 2);
        editor.tell("initialized", json!({}));
        editor
    }

    fn raw(&mut self, body: &str) {
        let input = self.input.as_mut().expect("open");
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server listens");
        input.flush().expect("the server listens");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.raw(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    fn hear(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).expect("a header"), 0, "the server has gone");
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("as long as it says");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// The whole answer to a request.
    fn response(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.raw(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        loop {
            let message = self.hear();
            if message["id"] == id {
                return message;
            }
            self.heard.push(message);
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let response = self.response(method, params);
        assert!(response["error"].is_null(), "{method}: {response}");
        response["result"].clone()
    }

    /// What is wrong with a version of a document: waits for it.
    fn mistakes(&mut self, address: &str, version: i64) -> Vec<Value> {
        loop {
            let is_it = |message: &Value| {
                message["method"] == "textDocument/publishDiagnostics"
                    && message["params"]["uri"] == address
                    && message["params"]["version"] == version
            };
            if let Some(at) = self.heard.iter().position(is_it) {
                let message = self.heard.remove(at);
                return message["params"]["diagnostics"].as_array().expect("a list").clone();
            }
            let message = self.hear();
            self.heard.push(message);
        }
    }

    fn open(&mut self, address: &str, text: &str) {
        let document = json!({ "uri": address, "languageId": "btrp", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn leave(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        let refused = self.response("textDocument/hover", json!({}));
        assert_eq!(refused["error"]["code"], -32600);
        self.tell("exit", Value::Null);
        self.server.wait().expect("it ends").code().expect("by itself")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind; one that passed has seen it end.
        let _ = self.server.kill();
    }
}

fn address(path: &Path) -> String {
    let plain = path.to_str().expect("the target folder has a readable name");
    assert!(plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)), "{plain}");
    format!("file://{plain}")
}

/// The position of a text in another, some characters further.
fn position(text: &str, needle: &str, further: usize) -> Value {
    let at = text.find(needle).expect("it is there");
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": text[start..at].encode_utf16().count() + further })
}

fn about(address: &str, position: Value) -> Value {
    json!({ "textDocument": { "uri": address }, "position": position })
}

const BASE: &str = "\
namespace base;
resource cpu;
template small<cpu=1>;
@n[1..2] : node<cpu=4> online;
front[1..3] : small running on @n1;
$front = front[1..3];
export $front to *;
";

const WEB: &str = "\
import base;
/* größer 😀 */ def pair($a, $b) { spread($a + $b); }
$all = $base.front;
for $vm in $all { lonely({$vm}); }
spread($all);
";

#[test]
fn an_editor_session() {
    let folder = folder("lsp/session");
    fs::write(folder.join("base.btrp"), BASE).expect("writable");
    let web = address(&folder.join("web.btrp"));
    let mut editor = Editor::greeted(Value::Null);

    // A mistake, told with its place; half a line behind a face.
    let wrong = WEB.replace("spread($all);", "/* 😀 */ spred($all);");
    editor.open(&web, &wrong);
    let mistakes = editor.mistakes(&web, 1);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0]["code"], "E0104");
    assert_eq!(mistakes[0]["severity"], 1);
    assert!(mistakes[0]["message"].as_str().expect("a text").contains("`spread`"), "{mistakes:?}");
    assert_eq!(mistakes[0]["range"]["start"], json!({ "line": 4, "character": 9 }));
    assert_eq!(mistakes[0]["range"]["end"], json!({ "line": 4, "character": 14 }));

    // One letter mends it.
    let letter = json!({ "line": 4, "character": 13 });
    let change = json!({ "range": { "start": letter, "end": letter }, "text": "a" });
    let document = json!({ "uri": web, "version": 2 });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    assert_eq!(editor.mistakes(&web, 2), Vec::<Value>::new());
    let text = wrong.replace("spred", "spread");

    // The manual page, and what a variable holds.
    let hover = editor.ask("textDocument/hover", about(&web, position(&text, "lonely", 2)));
    let page = hover["contents"]["value"].as_str().expect("a text");
    assert!(page.contains("lonely(vms: set<vm>)") && page.contains("# Meaning"), "{page}");
    let hover = editor.ask("textDocument/hover", about(&web, position(&text, "$all = ", 1)));
    let value = hover["contents"]["value"].as_str().expect("a text");
    assert!(value.contains("`set<vm>`, 3 elements"), "{value}");
    let hover = editor.ask("textDocument/hover", about(&web, position(&text, "$vm in", 1)));
    assert!(hover["contents"]["value"].as_str().expect("a text").contains("`vm`"), "{hover}");

    // Formatting gives one edit of the whole, or none where nothing is to do.
    let ask = json!({ "textDocument": { "uri": web }, "options": { "tabSize": 4, "insertSpaces": true } });
    let edits = editor.ask("textDocument/formatting", ask.clone());
    assert_eq!(edits[0]["range"]["start"], json!({ "line": 0, "character": 0 }));
    assert_eq!(edits[0]["range"]["end"], json!({ "line": 5, "character": 0 }));
    let document = json!({ "uri": web, "version": 3 });
    let change = json!({ "text": edits[0]["newText"] });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    assert_eq!(editor.mistakes(&web, 3), Vec::<Value>::new());
    assert_eq!(editor.ask("textDocument/formatting", ask), json!([]));

    assert_eq!(editor.leave(), 0);
}

#[test]
fn definitions_lie_across_files() {
    let folder = folder("lsp/definitions");
    fs::write(folder.join("base.btrp"), BASE).expect("writable");
    let [web, base] = ["web.btrp", "base.btrp"].map(|name| address(&folder.join(name)));
    let mut editor = Editor::greeted(Value::Null);
    editor.open(&web, WEB);
    assert_eq!(editor.mistakes(&web, 1), Vec::<Value>::new());
    let mut define = |needle: &str, further: usize| {
        editor.ask("textDocument/definition", about(&web, position(WEB, needle, further)))
    };
    let found = define("$base.front", 3);
    assert_eq!(found["uri"], *base);
    assert_eq!(found["range"]["start"], position(BASE, "$front =", 0));
    let found = define("spread($all)", 8);
    assert_eq!((&found["uri"], &found["range"]["start"]), (&json!(web), &position(WEB, "$all =", 0)));
    let found = define("$b); }", 1);
    assert_eq!(found["range"]["start"], position(WEB, "$b) {", 0));
    let found = define("import base", 8);
    assert_eq!((&found["uri"], &found["range"]["start"]["line"]), (&json!(base), &json!(0)));

    // Within the other file: elements.
    editor.open(&base, BASE);
    assert_eq!(editor.mistakes(&base, 1), Vec::<Value>::new());
    let found = editor.ask("textDocument/definition", about(&base, position(BASE, "@n1;", 1)));
    assert_eq!(found["range"]["start"], position(BASE, "@n[1..2]", 0));
    let hover = editor.ask("textDocument/hover", about(&base, position(BASE, "@n1;", 1)));
    let node = hover["contents"]["value"].as_str().expect("a text");
    assert!(
        node.contains("`node`") && node.contains("cpu 4") && node.contains("base.btrp, line 4"),
        "{node}"
    );
    let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": base } }));
    let names: Vec<&str> =
        symbols.as_array().expect("a list").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["cpu", "small", "@n[…]", "front[…]", "$front"]);

    // A mistake in the buffer of one is felt in the other.
    let change = json!({ "text": BASE.replace("export $front to *;", "") });
    let document = json!({ "uri": base, "version": 2 });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    assert_eq!(editor.mistakes(&base, 2), Vec::<Value>::new());
    // It was looked at when the other was opened, too.
    let mistakes = loop {
        let mistakes = editor.mistakes(&web, 1);
        if !mistakes.is_empty() {
            break mistakes;
        }
    };
    assert_eq!(mistakes[0]["code"], "E0103", "{mistakes:?}");
    assert_eq!(editor.leave(), 0);
}

#[test]
fn completion_knows_what_can_stand_where() {
    let folder = folder("lsp/completion");
    fs::create_dir_all(folder.join("racks")).expect("a folder");
    for name in ["site.btrp", "racks/east.btrp", "racks/west.btrp", "notes.txt"] {
        fs::write(folder.join(name), "").expect("a file");
    }
    let file = address(&folder.join("x.btrp"));
    let text = "resource cpu; template small<cpu=1>;\nVM[1..2] : small; @n1 : node;\n$group = VM[1..2];\nfor $i in {1} { $inner = $i; }\n";
    for (typed, present, absent) in [
        ("spr", "spread", "VM1"),
        ("spread($", "$group", "$inner"),
        ("spread(V", "VM2", "spread"),
        ("spread(a", "all vms", "ban"),
        ("x : ", "small", "spread"),
        ("x : small<", "cpu", "spread"),
        ("x : small r", "running on", "spread"),
        ("ban(VM1, @", "@n1", "VM1"),
        ("minimise ", "makespan", "spread"),
        ("// spr", "", "spread"),
        ("import s", "site", "spread"),
        ("import ", "racks", "notes"),
        ("import racks.", "racks.east", "racks"),
    ] {
        let mut editor = Editor::greeted(Value::Null);
        editor.open(&file, text);
        editor.mistakes(&file, 1);
        let end = json!({ "line": 4, "character": 0 });
        let change = json!({ "range": { "start": end, "end": end }, "text": typed });
        let document = json!({ "uri": file, "version": 2 });
        editor
            .tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        let place = json!({ "line": 4, "character": typed.len() });
        let list = editor.ask("textDocument/completion", about(&file, place));
        let items = list["items"].as_array().expect("a list");
        let has = |label: &str| items.iter().any(|item| item["label"] == label);
        assert!(present.is_empty() || has(present), "{typed}: {items:?}");
        assert!(!has(absent), "{typed}: {absent}");
        assert_eq!(editor.leave(), 0);
    }
}

#[test]
fn rules_are_seen_on_a_cluster() {
    let folder = folder("lsp/cluster");
    let cluster = r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "n1"}], "vms": [{"name": "db", "host": "n1"}]}"#;
    fs::write(folder.join("cluster.json"), cluster).expect("writable");
    fs::create_dir_all(folder.join("lib")).expect("writable");
    fs::write(folder.join("lib/common.btrp"), "$x = 1; export $x to *;").expect("writable");
    let file = address(&folder.join("rules.btrp"));
    let text = "import common; ban(db, @n1); ban(dc, @n1); $y = $common.x;";
    let options = json!({ "cluster": folder.join("cluster.json"), "include": [folder.join("lib")] });
    let mut editor = Editor::greeted(options);
    editor.open(&file, text);
    let mistakes = editor.mistakes(&file, 1);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!((&mistakes[0]["code"], &mistakes[0]["severity"]), (&json!("E0101"), &json!(1)));
    let hover = editor.ask("textDocument/hover", about(&file, position(text, "db", 1)));
    assert!(hover["contents"]["value"].as_str().expect("a text").contains("running on `n1`"), "{hover}");
    assert_eq!(editor.leave(), 0);

    // Without a cluster nobody knows.
    let mut editor = Editor::greeted(Value::Null);
    editor.open(&file, "ban(db, @n1);");
    let mistakes = editor.mistakes(&file, 1);
    assert!(mistakes.iter().all(|mistake| mistake["severity"] == 3), "{mistakes:?}");
    assert_eq!(editor.leave(), 0);
}

#[test]
fn nothing_that_is_said_ends_the_server() {
    let mut editor = Editor::start();
    let early = editor.response("textDocument/hover", json!({}));
    assert_eq!(early["error"]["code"], -32002);
    editor.raw("{");
    assert_eq!(editor.hear()["error"]["code"], -32700);
    editor.raw("[1, 2]");
    assert_eq!(editor.hear()["error"]["code"], -32600);
    let refused = editor.response("initialize", json!({ "initializationOptions": { "include": 3 } }));
    assert_eq!(refused["error"]["code"], -32602);
    editor.ask("initialize", json!({ "capabilities": {} }));
    assert_eq!(editor.response("initialize", json!({}))["error"]["code"], -32600);
    assert_eq!(editor.response("workspace/abacus", json!({}))["error"]["code"], -32601);
    assert_eq!(editor.response("textDocument/hover", json!({ "position": 3 }))["error"]["code"], -32602);
    editor.tell("$/cancelRequest", json!({ "id": 99 }));
    editor.tell("textDocument/didOpen", json!({ "textDocument": 3 }));
    editor.tell("textDocument/didChange", json!([]));

    let file = "untitled:Untitled-1";
    let nowhere = json!({ "line": 4_000_000_000u32, "character": 4_000_000_000u32 });
    for text in
        ["", "ä", "😀", "\u{feff}$x = 1;", "spread(", "{{{{", "\"", "/*", "$", "@", "for $x in {1} {", "\0;"]
    {
        editor.open(file, text);
        editor.mistakes(file, 1);
        for place in
            [json!({ "line": 0, "character": 0 }), json!({ "line": 0, "character": 1 }), nowhere.clone()]
        {
            for method in ["hover", "definition", "completion"] {
                editor.ask(&format!("textDocument/{method}"), about(file, place.clone()));
            }
        }
        editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": file } }));
        let change =
            json!({ "range": { "start": nowhere, "end": { "line": 0, "character": 0 } }, "text": "x" });
        let document = json!({ "uri": file, "version": 7 });
        editor
            .tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        editor.mistakes(file, 7);
        editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": file } }));
    }
    for method in ["hover", "definition", "completion"] {
        let answer = editor
            .ask(&format!("textDocument/{method}"), about("file:///nobody/has/opened.btrp", nowhere.clone()));
        assert!(answer.is_null(), "{answer}");
    }
    assert_eq!(editor.leave(), 0);
}

#[test]
fn a_farewell_without_shutdown_is_an_error() {
    let mut editor = Editor::greeted(Value::Null);
    editor.tell("exit", Value::Null);
    assert_eq!(editor.server.wait().expect("it ends").code(), Some(1));
    // As is silence, or a header that cannot be understood.
    let mut editor = Editor::start();
    editor.input = None;
    assert_eq!(editor.server.wait().expect("it ends").code(), Some(1));
    let mut editor = Editor::start();
    let input = editor.input.as_mut().expect("open");
    input.write_all(b"Content-Length: 99999999999999999999\r\n\r\n").expect("the server listens");
    assert_eq!(editor.server.wait().expect("it ends").code(), Some(2));
}
