//! What is wrong, before it is known where.

use quadrille_dsl::Diagnostic;
use quadrille_dsl::Span;

/// A diagnostic without a place.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The fault is boxed: it is rare.
pub(super) type Attempt<T> = Result<T, Box<Fault>>;

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, message: message.into(), help: None })
    }

    pub(super) fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// At a place of a file.
    #[allow(clippy::boxed_local, reason = "faults are boxed from where they are found")]
    pub(super) fn at(self: Box<Self>, file: u32, span: Span) -> Diagnostic {
        let Self { code, message, help } = *self;
        let mut diagnostic = Diagnostic::error(code, span, message);
        for label in &mut diagnostic.labels {
            label.file = file;
        }
        diagnostic.help = help;
        diagnostic
    }
}

/// `; did you mean …?` as advice.
pub(super) fn did_you_mean<'n>(word: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<String> {
    crate::format::nearest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// A text for a message, short.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}
