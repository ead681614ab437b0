//! The conversation: what the editor says and asks, and what we answer.

use super::analysis::Analysis;
use super::analysis::Job;
use super::analysis::Texts;
use super::answer;
use super::answer::Subject;
use super::complete;
use super::diagnostics;
use super::document::Document;
use super::location;
use super::wire::Incoming;
use lsp_server::ErrorCode;
use lsp_server::Message;
use lsp_server::Notification;
use lsp_server::Request;
use lsp_server::RequestId;
use lsp_server::Response;
use lsp_types::Diagnostic;
use lsp_types::DidChangeTextDocumentParams;
use lsp_types::DidCloseTextDocumentParams;
use lsp_types::DidOpenTextDocumentParams;
use lsp_types::GotoDefinitionResponse;
use lsp_types::MessageType;
use lsp_types::Position;
use lsp_types::PublishDiagnosticsParams;
use lsp_types::ShowMessageParams;
use lsp_types::TextDocumentIdentifier;
use lsp_types::TextDocumentPositionParams;
use lsp_types::TextEdit;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::time::Instant;

/// So long an answer waits for the evaluation of the text that it is about.
const PATIENCE: Duration = Duration::from_millis(30);

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// The editor says something.
    Said(Incoming),
    /// It says no more; why, where that is not as it should be.
    Silence(Option<String>),
    /// A script has been evaluated.
    Analysed(Arc<Analysis>),
    /// Something else went wrong that the user should know.
    Trouble(String),
}

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    New,
    Running,
    /// After `shutdown`.
    Over,
}

/// What the editor may set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Options {
    /// Folders in which imports are looked for.
    include: Vec<PathBuf>,
    /// The instance that rules are evaluated on.
    cluster: Option<PathBuf>,
}

/// Our side of the conversation.
pub(super) struct Server<'w> {
    out: &'w mut dyn Write,
    events: Receiver<Event>,
    jobs: Sender<Job>,
    /// What came while we waited for something else.
    backlog: VecDeque<Event>,
    phase: Phase,
    documents: BTreeMap<PathBuf, Document>,
    analyses: BTreeMap<PathBuf, Arc<Analysis>>,
    /// What each script has found in which files.
    found: BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<Diagnostic>>>,
    folders: Arc<[PathBuf]>,
    stamp: u64,
    snippets: bool,
}

/// Why a request has no answer.
type Refusal = (ErrorCode, String);

impl<'w> Server<'w> {
    pub(super) fn new(out: &'w mut dyn Write, events: Receiver<Event>, jobs: Sender<Job>) -> Self {
        Self {
            out,
            events,
            jobs,
            backlog: VecDeque::new(),
            phase: Phase::New,
            documents: BTreeMap::new(),
            analyses: BTreeMap::new(),
            found: BTreeMap::new(),
            folders: Arc::from([]),
            stamp: 0,
            snippets: false,
        }
    }

    /// Talks until the editor says `exit`, or nothing more. True if it took its leave.
    pub(super) fn run(&mut self) -> io::Result<Result<bool, String>> {
        loop {
            let event = match self.backlog.pop_front() {
                Some(event) => event,
                None => match self.events.recv() {
                    Ok(event) => event,
                    Err(_) => return Ok(Ok(self.phase == Phase::Over)),
                },
            };
            match event {
                Event::Said(Incoming::Message(Message::Request(request))) => self.request(request)?,
                Event::Said(Incoming::Message(Message::Notification(notification))) => {
                    if notification.method == "exit" {
                        return Ok(Ok(self.phase == Phase::Over));
                    }
                    self.notification(notification)?;
                }
                // We ask nothing.
                Event::Said(Incoming::Message(Message::Response(_))) => {}
                Event::Said(Incoming::Garbled(why)) => self.refuse_unread(ErrorCode::ParseError, &why)?,
                Event::Said(Incoming::Invalid(why)) => self.refuse_unread(ErrorCode::InvalidRequest, &why)?,
                Event::Silence(None) => return Ok(Ok(self.phase == Phase::Over)),
                Event::Silence(Some(why)) => return Ok(Err(why)),
                Event::Analysed(analysis) => self.analysed(analysis)?,
                Event::Trouble(message) => self.show(message)?,
            }
        }
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        message.write(&mut self.out)
    }

    fn notify(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.send(Message::Notification(Notification { method: method.to_owned(), params }))
    }

    /// Answers what had no number that could be read.
    fn refuse_unread(&mut self, code: ErrorCode, why: &str) -> io::Result<()> {
        let error = json!({ "code": code as i32, "message": why });
        let text = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
        write!(self.out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        self.out.flush()
    }

    fn show(&mut self, message: String) -> io::Result<()> {
        let params = ShowMessageParams { typ: MessageType::ERROR, message };
        self.notify("window/showMessage", serde_json::to_value(params)?)
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        let Request { id, method, params } = request;
        let answer = match (self.phase, method.as_str()) {
            (Phase::New, "initialize") => self.initialize(params),
            (Phase::New, _) => {
                Err((ErrorCode::ServerNotInitialized, "the first request is `initialize`".to_owned()))
            }
            (Phase::Over, _) => Err((ErrorCode::InvalidRequest, "the server was shut down".to_owned())),
            (Phase::Running, "initialize") => {
                Err((ErrorCode::InvalidRequest, "`initialize` is asked once".to_owned()))
            }
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Over;
                Ok(Value::Null)
            }
            (Phase::Running, method) => self.answer(method, params),
        };
        self.reply(id, answer)
    }

    fn reply(&mut self, id: RequestId, answer: Result<Value, Refusal>) -> io::Result<()> {
        let response = match answer {
            Ok(value) => Response { id, response_result: Ok(value) },
            Err((code, message)) => Response::new_err(id, code as i32, message),
        };
        self.send(Message::Response(response))
    }

    fn initialize(&mut self, params: Value) -> Result<Value, Refusal> {
        let given = params.get("initializationOptions").filter(|options| !options.is_null());
        let options = match given {
            Some(options) => Options::deserialize(options)
                .map_err(|error| (ErrorCode::InvalidParams, format!("initializationOptions: {error}")))?,
            None => Options::default(),
        };
        // Relative paths are meant from the folder that is open.
        let root = params
            .get("rootUri")
            .and_then(|uri| serde_json::from_value(uri.clone()).ok())
            .map(|uri| location::path(&uri))
            .unwrap_or_default();
        self.folders = options.include.iter().map(|folder| root.join(folder)).collect();
        if let Some(cluster) = options.cluster {
            self.job(Job::Cluster(root.join(cluster)));
        }
        self.snippets = params
            .pointer("/capabilities/textDocument/completion/completionItem/snippetSupport")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        self.phase = Phase::Running;
        Ok(json!({
            "capabilities": {
                "positionEncoding": "utf-16",
                // 2: changes come in parts.
                "textDocumentSync": { "openClose": true, "change": 2 },
                "hoverProvider": true,
                "completionProvider": { "triggerCharacters": ["$", "@", ".", ":", "<"] },
                "definitionProvider": true,
                "documentFormattingProvider": true,
                "documentSymbolProvider": true,
            },
            "serverInfo": { "name": "quadrille", "version": env!("CARGO_PKG_VERSION") },
        }))
    }

    fn answer(&mut self, method: &str, params: Value) -> Result<Value, Refusal> {
        match method {
            "textDocument/hover" => {
                let (path, position) = at(params)?;
                self.settle(&path);
                value(self.subject(&path).and_then(|subject| answer::hover(&subject, position)))
            }
            "textDocument/definition" => {
                let (path, position) = at(params)?;
                self.settle(&path);
                let found = self.subject(&path).and_then(|subject| answer::definition(&subject, position));
                value(found.map(GotoDefinitionResponse::Scalar))
            }
            "textDocument/completion" => {
                let (path, position) = at(params)?;
                // What was known before the last character is good enough.
                let snippets = self.snippets;
                value(self.subject(&path).map(|subject| complete::complete(&subject, position, snippets)))
            }
            "textDocument/documentSymbol" => {
                let path = document(&params)?;
                value(self.documents.get(&path).map(answer::symbols))
            }
            "textDocument/formatting" => {
                let path = document(&params)?;
                value(self.documents.get(&path).and_then(format))
            }
            _ => Err((ErrorCode::MethodNotFound, format!("there is no `{method}` here"))),
        }
    }

    fn notification(&mut self, notification: Notification) -> io::Result<()> {
        let Notification { method, params } = notification;
        if self.phase != Phase::Running {
            return Ok(());
        }
        let result = match method.as_str() {
            "textDocument/didOpen" => serde_json::from_value(params).map(|params| self.open(params)),
            "textDocument/didChange" => serde_json::from_value(params).map(|params| self.change(params)),
            "textDocument/didClose" => match serde_json::from_value(params) {
                Ok(params) => {
                    self.close(&params)?;
                    Ok(())
                }
                Err(error) => Err(error),
            },
            // Others need no answer, known or not.
            _ => Ok(()),
        };
        match result {
            Ok(()) => Ok(()),
            Err(error) => self
                .notify("window/logMessage", json!({ "type": 1, "message": format!("{method}: {error}") })),
        }
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let opened = params.text_document;
        let path = location::path(&opened.uri);
        self.documents.insert(path.clone(), Document::new(opened.uri, opened.version, opened.text));
        self.evaluate(&path);
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let path = location::path(&params.text_document.uri);
        // A document that was never opened is none of ours.
        if let Some(document) = self.documents.get_mut(&path) {
            document.change(params.text_document.version, params.content_changes);
            self.evaluate(&path);
        }
    }

    fn close(&mut self, params: &DidCloseTextDocumentParams) -> io::Result<()> {
        let path = location::path(&params.text_document.uri);
        if self.documents.remove(&path).is_none() {
            return Ok(());
        }
        self.analyses.remove(&path);
        let files = self.found.remove(&path).unwrap_or_default();
        let address = params.text_document.uri.clone();
        let none = PublishDiagnosticsParams { uri: address, diagnostics: Vec::new(), version: None };
        self.notify("textDocument/publishDiagnostics", serde_json::to_value(none)?)?;
        for file in files.keys().filter(|file| **file != path) {
            self.publish(file)?;
        }
        // Others see the file on the disk again.
        self.dependants(&path);
        Ok(())
    }

    /// Asks for the evaluation of a script, and of those that have read it.
    fn evaluate(&mut self, path: &Path) {
        self.ask(path);
        self.dependants(path);
    }

    fn dependants(&mut self, path: &Path) {
        let affected: Vec<PathBuf> = self
            .documents
            .keys()
            .filter(|other| *other != path)
            .filter(|other| {
                self.analyses.get(*other).is_none_or(|analysis| {
                    let lacks = |diagnostic: &quadrille::script::Diagnostic| diagnostic.code == "E0501";
                    analysis.has_read(path) || analysis.inspection.diagnostics().iter().any(lacks)
                })
            })
            .cloned()
            .collect();
        for other in affected {
            self.ask(&other);
        }
    }

    fn ask(&mut self, path: &Path) {
        let texts: BTreeMap<PathBuf, Arc<str>> =
            self.documents.iter().map(|(path, document)| (path.clone(), document.text.clone())).collect();
        let Some(document) = self.documents.get_mut(path) else { return };
        self.stamp += 1;
        document.stamp = self.stamp;
        let (root, folders) = (path.to_owned(), self.folders.clone());
        self.job(Job::Script { root, stamp: self.stamp, texts: Texts::new(texts), folders });
    }

    fn job(&mut self, job: Job) {
        // Where the worker has died nothing is evaluated any more; the text can still be read.
        let _ = self.jobs.send(job);
    }

    fn analysed(&mut self, analysis: Arc<Analysis>) -> io::Result<()> {
        let root = analysis.root.clone();
        let fresh = self.documents.get(&root).is_some_and(|document| document.stamp == analysis.stamp);
        if !self.documents.contains_key(&root) {
            return Ok(());
        }
        self.analyses.insert(root.clone(), analysis.clone());
        if !fresh {
            return Ok(());
        }
        let found = diagnostics::all(&analysis);
        let files: Vec<PathBuf> = found.keys().cloned().collect();
        let former = self.found.insert(root, found).unwrap_or_default();
        for file in former.keys().filter(|file| !files.contains(file)).chain(&files) {
            self.publish(file)?;
        }
        Ok(())
    }

    /// Tells what is wrong with a file: as it was found itself if it is open, or else by
    /// those that import it.
    fn publish(&mut self, file: &Path) -> io::Result<()> {
        let (address, version) = match self.documents.get(file) {
            Some(document) => (Some(document.uri.clone()), Some(document.version)),
            None => (location::uri(file), None),
        };
        let Some(uri) = address else { return Ok(()) };
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        let finders = self.found.iter().filter(|(root, _)| version.is_none() || *root == file);
        for diagnostic in finders.filter_map(|(_, found)| found.get(file)).flatten() {
            if !diagnostics.contains(diagnostic) {
                diagnostics.push(diagnostic.clone());
            }
        }
        let params = PublishDiagnosticsParams { uri, diagnostics, version };
        self.notify("textDocument/publishDiagnostics", serde_json::to_value(params)?)
    }

    /// Waits a moment for the evaluation of the text as it stands.
    fn settle(&mut self, path: &Path) {
        let until = Instant::now() + PATIENCE;
        while self.documents.contains_key(path) && !self.is_fresh(path) {
            let left = until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Analysed(analysis)) => {
                    if self.documents.contains_key(&analysis.root) {
                        self.analyses.insert(analysis.root.clone(), analysis.clone());
                    }
                    // What is wrong is told after the answer.
                    self.backlog.push_back(Event::Analysed(analysis));
                }
                Ok(event) => self.backlog.push_back(event),
                Err(_) => return,
            }
        }
    }

    fn is_fresh(&self, path: &Path) -> bool {
        match (self.documents.get(path), self.analyses.get(path)) {
            (Some(document), Some(analysis)) => document.stamp == analysis.stamp,
            _ => false,
        }
    }

    fn subject<'s>(&'s self, path: &'s Path) -> Option<Subject<'s>> {
        let document = self.documents.get(path)?;
        let analysis = self.analyses.get(path).map(|analysis| &**analysis);
        Some(Subject { document, path, analysis, fresh: self.is_fresh(path) })
    }
}

fn value(answer: impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

fn invalid(error: impl std::fmt::Display) -> Refusal {
    (ErrorCode::InvalidParams, error.to_string())
}

/// The document and the position that a request is about.
fn at(params: Value) -> Result<(PathBuf, Position), Refusal> {
    let params: TextDocumentPositionParams = serde_json::from_value(params).map_err(invalid)?;
    Ok((location::path(&params.text_document.uri), params.position))
}

/// The document that a request is about.
fn document(params: &Value) -> Result<PathBuf, Refusal> {
    let given = params.get("textDocument").cloned().unwrap_or_default();
    let document: TextDocumentIdentifier = serde_json::from_value(given).map_err(invalid)?;
    Ok(location::path(&document.uri))
}

/// The text in its usual form; none where it has mistakes, which are told elsewhere.
fn format(document: &Document) -> Option<Vec<TextEdit>> {
    let formatted = quadrille_dsl::format(&document.text).ok()?;
    if *formatted == *document.text {
        return Some(Vec::new());
    }
    Some(vec![TextEdit { range: document.whole(), new_text: formatted }])
}
