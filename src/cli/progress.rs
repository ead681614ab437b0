//! The best value and bound on one line of the terminal, and Ctrl-C.

use super::term::Terminal;
use quadrille::outcome::CancelToken;
use quadrille::outcome::Phase;
use quadrille::outcome::Progress;
use quadrille::outcome::ProgressCallback;
use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// The exit code of a process that an interrupt ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Lines are redrawn no more often than this.
const PERIOD: Duration = Duration::from_millis(100);

/// Ctrl-C once raises the token, so that the best plan is kept; twice leaves.
pub(super) fn cancel_on_interrupt() -> CancelToken {
    let token = CancelToken::new();
    let raised = token.clone();
    // Without a handler (there is one already, or none is possible) Ctrl-C just ends the process.
    let _ = ctrlc::set_handler(move || {
        if raised.is_cancelled() {
            std::process::exit(INTERRUPTED);
        }
        raised.cancel();
    });
    token
}

/// A line that is redrawn in place, and wiped when it is dropped.
#[derive(Debug)]
pub(super) struct Line {
    start: Instant,
    drawn: Arc<Mutex<Option<Instant>>>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), drawn: Arc::default() }
    }

    /// What the search is to call; nothing off a terminal.
    pub(super) fn callback(&self, terminal: &Terminal) -> Option<ProgressCallback> {
        if !terminal.shows_progress() {
            return None;
        }
        let (start, drawn) = (self.start, self.drawn.clone());
        Some(Arc::new(move |progress: &Progress| {
            let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
            if drawn.is_some_and(|last| last.elapsed() < PERIOD) {
                return;
            }
            *drawn = Some(Instant::now());
            let text = describe(progress, start.elapsed());
            let _ = write!(io::stderr().lock(), "\r\x1b[K{text}").and_then(|()| io::stderr().flush());
        }))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.drawn.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn describe(progress: &Progress, elapsed: Duration) -> String {
    let phase = match progress.phase {
        Phase::Compile => "reading the rules",
        Phase::Construct => "looking for a plan",
        Phase::Improve => "improving",
        Phase::Prove => "proving",
    };
    let best = match &progress.best {
        Some(values) => {
            let values: Vec<String> = values.iter().map(u64::to_string).collect();
            format!("best {}", values.join(", "))
        }
        None => "no plan yet".to_owned(),
    };
    format!(
        "{:.1} s  {phase}: {best} (bound {}), {} steps",
        elapsed.as_secs_f64(),
        progress.bound,
        progress.steps
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_progress() {
        let progress = Progress { phase: Phase::Improve, best: Some(vec![3, 41]), bound: 2, steps: 17 };
        let text = describe(&progress, Duration::from_millis(1_250));
        assert_eq!(text, "1.2 s  improving: best 3, 41 (bound 2), 17 steps");
        let progress = Progress { phase: Phase::Construct, best: None, bound: 0, steps: 1 };
        let text = describe(&progress, Duration::ZERO);
        assert_eq!(text, "0.0 s  looking for a plan: no plan yet (bound 0), 1 steps");
    }
}
