//! How long the language server lets an editor wait, over its real input and output.
//!
//! `cargo bench --bench editor`: a script is opened, a character is typed into it, and a
//! question is asked at once; the clock runs from the character to the answer.

#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use clap::Parser;
use lsp_server::Message;
use lsp_server::Notification;
use lsp_server::Request;
use lsp_server::RequestId;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufReader;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Times the answers of `quadrille lsp`.
#[derive(Debug, Parser)]
struct Options {
    /// Lines of the script.
    #[arg(long, default_value_t = 2000)]
    lines: usize,
    /// Characters typed, a question after each.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

const ADDRESS: &str = "file:///nowhere/site.btrp";
/// What is asked, in turn.
const QUESTIONS: [&str; 5] = [
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/completion",
    "textDocument/documentSymbol",
    "textDocument/formatting",
];

/// A site: racks of nodes, applications of four VMs, and what must hold for each.
fn script(lines: usize) -> String {
    let mut text = String::from(
        "resource cpu, mem;\ntemplate small<cpu=1, mem=2>;\ntemplate server<cpu=64, mem=256>;\n",
    );
    for rack in 0.. {
        let done = text.lines().count();
        if done + 8 > lines {
            break;
        }
        let last = 8 * rack + 8;
        text += &format!(
            "// rack {rack}\n@node[{}..{last}] : server<rack=\"r{rack}\"> online;\n$rack{rack} = @node[{}..{last}];\n\
             app{rack}_[1..16] : small running on @node{last};\n$app{rack} = app{rack}_[1..16];\n\
             for $part in $app{rack} % 4 {{ >>spread($part); }}\nfence($app{rack}, $rack{rack});\n>>gather(app{rack}_[1..2]) soft 3;\n",
            last - 7,
            last - 7,
        );
    }
    text
}

struct Editor {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: i32,
}

impl Editor {
    fn tell(&mut self, method: &str, params: Value) -> Fallible<()> {
        Message::Notification(Notification { method: method.to_owned(), params }).write(&mut self.input)?;
        Ok(())
    }

    fn ask(&mut self, method: &str, params: Value) -> Fallible<RequestId> {
        self.asked += 1;
        let id = RequestId::from(self.asked);
        Message::Request(Request { id: id.clone(), method: method.to_owned(), params })
            .write(&mut self.input)?;
        Ok(id)
    }

    fn hear(&mut self) -> Fallible<Message> {
        Message::read(&mut self.output)?.ok_or_else(|| "the server has gone".into())
    }
}

fn main() -> Fallible<()> {
    let options = Options::parse();
    let text = script(options.lines);
    let mut server = Command::new(env!("CARGO_BIN_EXE_quadrille"))
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (input, output) = (server.stdin.take(), server.stdout.take());
    let mut editor = Editor {
        input: input.ok_or("it is piped")?,
        output: BufReader::new(output.ok_or("it is piped")?),
        asked: 0,
    };
    editor.ask("initialize", json!({ "capabilities": {} }))?;
    editor.hear()?;
    editor.tell("initialized", json!({}))?;
    let opened = Instant::now();
    editor.tell(
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": ADDRESS, "languageId": "btrp", "version": 0, "text": text } }),
    )?;
    editor.hear()?;
    println!(
        "{} lines; told what is wrong {:.1} ms after they were opened\n",
        text.lines().count(),
        ms(opened.elapsed())
    );

    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let fences: Vec<usize> =
        text.lines().enumerate().filter(|(_, line)| line.starts_with("fence")).map(|(at, _)| at).collect();
    for round in 0..options.rounds {
        let question = QUESTIONS[round % QUESTIONS.len()];
        let start = Instant::now();
        // A blank behind the opening bracket, and away with it the next time.
        let (version, line) = (round + 1, fences[(round / 2) * 7919 % fences.len()]);
        let (end, text) = if round % 2 == 0 { (6, " ") } else { (7, "") };
        let change = json!({
            "textDocument": { "uri": ADDRESS, "version": version },
            "contentChanges": [{
                "range": {
                    "start": { "line": line, "character": 6 },
                    "end": { "line": line, "character": end },
                },
                "text": text,
            }],
        });
        editor.tell("textDocument/didChange", change)?;
        let id = editor.ask(
            question,
            json!({
                "textDocument": { "uri": ADDRESS },
                "position": { "line": line, "character": 9 },
                "options": { "tabSize": 4, "insertSpaces": true },
            }),
        )?;
        let mut answered = false;
        let mut told = false;
        while !(answered && told) {
            match editor.hear()? {
                Message::Response(response) if response.id == id => {
                    answered = true;
                    times.entry(question).or_default().push(start.elapsed());
                }
                Message::Notification(said) if said.params["version"] == version => {
                    told = true;
                    times.entry("diagnostics").or_default().push(start.elapsed());
                }
                _ => {}
            }
        }
    }
    println!("| | median, ms | 95 of 100 below | longest |\n|---|---|---|---|");
    for (question, mut times) in times {
        times.sort();
        let at = |share: usize| ms(times[(times.len() - 1) * share / 100]);
        println!(
            "| {} | {:.1} | {:.1} | {:.1} |",
            question.rsplit('/').next().unwrap_or(question),
            at(50),
            at(95),
            at(100)
        );
    }
    editor.ask("shutdown", Value::Null)?;
    editor.tell("exit", Value::Null)?;
    server.wait()?;
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
