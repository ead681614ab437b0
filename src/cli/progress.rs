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
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// The exit code of a process that an interrupt ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// The line is redrawn this often.
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

/// A line that is redrawn in place while the search runs, and wiped when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Line {
    latest: Arc<Mutex<Option<Progress>>>,
    /// Sends nothing: that it is gone ends the thread.
    painter: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Line {
    /// Starts to draw; does nothing off a terminal.
    pub(super) fn new(terminal: &Terminal) -> Self {
        let mut line = Self::default();
        if !terminal.shows_progress() {
            return line;
        }
        let (sender, ended) = mpsc::channel();
        let latest = line.latest.clone();
        // The search reports when it has news; the clock must go on in between.
        let painter = thread::spawn(move || {
            let start = Instant::now();
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                let latest = latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(progress) = latest {
                    paint(&describe(&progress, start.elapsed()));
                }
            }
            paint("");
        });
        line.painter = Some((sender, painter));
        line
    }

    /// What the search is to call.
    pub(super) fn callback(&self) -> Option<ProgressCallback> {
        self.painter.as_ref()?;
        let latest = self.latest.clone();
        Some(Arc::new(move |progress: &Progress| {
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress.clone());
        }))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some((sender, painter)) = self.painter.take() {
            drop(sender);
            // A painter that panicked has nothing more to wipe.
            let _ = painter.join();
        }
    }
}

/// Replaces what stands in the line.
fn paint(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody is left to tell when standard error itself fails.
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
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
        "{:.1} s  {phase}: {best} (bound {}), {} step{}",
        elapsed.as_secs_f64(),
        progress.bound,
        progress.steps,
        if progress.steps == 1 { "" } else { "s" }
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
        assert_eq!(text, "0.0 s  looking for a plan: no plan yet (bound 0), 1 step");
    }
}
