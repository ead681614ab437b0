//! How long a question may be worked on, and from when to when its plans may last.

use super::progress;
use super::units;
use quadrille::Options;
use std::time::Duration;

/// Common to all subcommands that plan.
#[derive(Debug, clap::Args)]
pub(super) struct Limits {
    /// Stop after this long (500ms, 10s, 2m); the best that was found by then is printed.
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    time_limit: Option<Duration>,
    /// Stop after so many placements tried; unlike time, the same on every machine.
    #[arg(long, value_name = "N")]
    step_limit: Option<u64>,
    /// Seed of all random choices.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Worker threads, all cores by default; they never change the answer.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The last moment at which a plan may end, from its start (90s, 10m).
    #[arg(long, value_name = "TIME", value_parser = units::seconds)]
    horizon: Option<u64>,
    /// The time of day at which the plan starts, for deadlines given as a time of day.
    #[arg(long, value_name = "HH:MM:SS", value_parser = units::time_of_day)]
    start: Option<u32>,
}

impl Limits {
    /// Options that ask for no more than that; Ctrl-C ends the search.
    pub(super) fn options(&self) -> Options {
        Options {
            time_limit: self.time_limit,
            step_limit: self.step_limit,
            seed: self.seed,
            threads: self.threads.map(usize::from),
            horizon: self.horizon,
            start_of_day: self.start,
            cancel: progress::cancel_on_interrupt(),
            ..Options::default()
        }
    }
}
