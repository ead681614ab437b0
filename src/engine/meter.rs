//! Counts what is done, and knows when it is time to stop.

use crate::outcome::CancelToken;
use std::time::Instant;

/// Work that counts as one step of the limits.
pub const STEP: u64 = 256;
/// Work between two looks at the clock.
const LOOK: u64 = 16 * STEP;

/// Counts work within limits. Results depend on the steps alone, which are the same
/// everywhere, as long as neither the moment comes nor the token is raised.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Stop after so much work.
    most: u64,
    deadline: Option<Instant>,
    cancel: CancelToken,
    work: u64,
    /// Where this job ends, in work.
    end: u64,
    /// When to look next, in work.
    next: u64,
    over: bool,
}

impl Meter {
    /// A meter for so many steps; ends at the moment, or when the token is raised.
    pub fn new(steps: u64, deadline: Option<Instant>, cancel: CancelToken) -> Self {
        let most = steps.saturating_mul(STEP);
        let mut meter = Self { most, deadline, cancel, work: 0, end: u64::MAX, next: 0, over: false };
        meter.look();
        meter
    }

    fn look(&mut self) {
        self.next = self.work.saturating_add(LOOK).min(self.most);
        self.over |= self.work >= self.most
            || self.cancel.is_cancelled()
            || self.deadline.is_some_and(|moment| Instant::now() >= moment);
    }

    /// Counts work, of which [`STEP`] is a step.
    #[inline]
    pub fn spend(&mut self, work: u64) {
        self.work = self.work.saturating_add(work);
        if self.work >= self.next {
            self.look();
        }
    }

    /// Takes a step. True where there is none left.
    pub fn step(&mut self) -> bool {
        if self.is_over() {
            return true;
        }
        self.spend(STEP);
        false
    }

    /// A meter for a part of what is left: no more than so many steps.
    pub fn part(&self, steps: u64) -> Self {
        Self::new(steps.min(self.left()), self.deadline, self.cancel.clone())
    }

    /// Counts what a part of it has spent.
    pub fn include(&mut self, part: &Meter) {
        self.spend(part.work.min(part.most));
    }

    /// Is it time to stop?
    #[inline]
    pub fn is_over(&self) -> bool {
        self.over || self.work >= self.end
    }

    /// Has a limit been reached, of the whole and not of this job alone?
    pub fn is_exhausted(&self) -> bool {
        self.over
    }

    /// Ends the job that starts now after so much work.
    pub fn grant(&mut self, work: u64) {
        self.end = self.work.saturating_add(work);
    }

    /// Seconds until the moment when it ends, if there is one.
    #[cfg(feature = "highs")]
    pub fn seconds_left(&self) -> Option<f64> {
        Some(self.deadline?.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Steps that are left.
    pub fn left(&self) -> u64 {
        self.most.saturating_sub(self.work) / STEP
    }

    /// Steps spent, no more than there were.
    pub fn steps(&self) -> u64 {
        self.work.min(self.most) / STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(steps: u64) -> Meter {
        Meter::new(steps, None, CancelToken::new())
    }

    #[test]
    fn there_are_as_many_steps_as_were_given() {
        let mut meter = meter(3);
        let taken = (0..10).take_while(|_| !meter.step()).count();
        assert_eq!((taken, meter.steps(), meter.is_exhausted()), (3, 3, true));
    }

    #[test]
    fn work_adds_up_to_steps() {
        let mut meter = meter(2);
        meter.spend(STEP + 1);
        assert_eq!((meter.steps(), meter.is_over()), (1, false));
        meter.spend(STEP);
        assert_eq!((meter.steps(), meter.is_over()), (2, true));
    }

    #[test]
    fn a_job_ends_before_the_whole() {
        let mut meter = meter(100);
        meter.grant(10);
        meter.spend(10);
        assert!(meter.is_over() && !meter.is_exhausted());
        meter.grant(10);
        assert!(!meter.is_over());
    }

    #[test]
    fn a_raised_token_ends_it_from_the_start() {
        let cancel = CancelToken::new();
        cancel.cancel();
        assert!(Meter::new(100, None, cancel).is_exhausted());
    }
}
