//! How migrations behave, as far as files can say it.

use super::Footprint;
use super::MigrationError;
use super::MigrationModel;
use super::PostCopy;
use super::PreCopy;
use super::Rounds;
use super::Transfer;

/// How live migrations send memory first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Live {
    /// As [`PreCopy`] says.
    #[default]
    PreCopy,
    /// Round by round.
    Rounds(Rounds),
}

/// How migrations behave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Those that send memory first.
    pub live: Live,
    /// Those that send it later.
    pub post_copy: PostCopy,
}

impl MigrationModel for Behaviour {
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError> {
        match &self.live {
            Live::PreCopy => PreCopy.transfer(footprint, bandwidth),
            Live::Rounds(rounds) => rounds.transfer(footprint, bandwidth),
        }
    }

    fn least(&self, footprint: &Footprint, bandwidth: f64) -> Result<f64, MigrationError> {
        match &self.live {
            Live::PreCopy => PreCopy.least(footprint, bandwidth),
            Live::Rounds(rounds) => rounds.least(footprint, bandwidth),
        }
    }

    fn post_copy(&self) -> PostCopy {
        self.post_copy
    }

    fn behaviour(&self) -> Option<Behaviour> {
        Some(*self)
    }
}

/// A number that says how migrations behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// [`Rounds::enough`].
    Enough,
    /// [`Rounds::most_rounds`].
    MostRounds,
    /// [`Rounds::most_traffic`].
    MostTraffic,
    /// [`Rounds::working_set`].
    WorkingSet,
    /// [`Rounds::restart`].
    Restart,
    /// [`PostCopy::switch`].
    Switch,
}

impl Parameter {
    /// All of them.
    pub(crate) const ALL: [Parameter; 6] = [
        Parameter::Enough,
        Parameter::MostRounds,
        Parameter::MostTraffic,
        Parameter::WorkingSet,
        Parameter::Restart,
        Parameter::Switch,
    ];

    /// The key in our JSON, and the option in rule files.
    pub(crate) fn names(self) -> [&'static str; 2] {
        match self {
            Parameter::Enough => ["enough", "enough"],
            Parameter::MostRounds => ["most_rounds", "mostRounds"],
            Parameter::MostTraffic => ["most_traffic", "mostTraffic"],
            Parameter::WorkingSet => ["working_set", "workingSet"],
            Parameter::Restart => ["restart", "restart"],
            Parameter::Switch => ["post_copy_switch", "postCopySwitch"],
        }
    }

    /// What is expected, in words.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Parameter::Enough | Parameter::WorkingSet => "MB: a number from 0 to 10^12",
            Parameter::MostRounds => "rounds: a whole number from 1 to 1000",
            Parameter::MostTraffic => "how many times the memory is sent: a number from 0 to 10^6",
            Parameter::Restart | Parameter::Switch => "seconds: a number from 0 to 10^6",
        }
    }

    /// Does it say something of migrations in rounds?
    pub(crate) fn is_of_rounds(self) -> bool {
        self != Parameter::Switch
    }

    /// Makes the number that of a behaviour; false where it cannot be.
    pub(crate) fn set(self, behaviour: &mut Behaviour, number: f64) -> bool {
        let (least, most) = match self {
            Parameter::Enough | Parameter::WorkingSet => (0.0, 1.0e12),
            Parameter::MostRounds => (1.0, 1000.0),
            Parameter::MostTraffic | Parameter::Restart | Parameter::Switch => (0.0, 1.0e6),
        };
        if !(least..=most).contains(&number) {
            return false;
        }
        match (self, &mut behaviour.live) {
            (Parameter::Switch, _) => behaviour.post_copy.switch = number,
            (_, Live::PreCopy) => return false,
            (Parameter::Enough, Live::Rounds(rounds)) => rounds.enough = number,
            (Parameter::MostRounds, Live::Rounds(rounds)) => {
                if number.fract() != 0.0 {
                    return false;
                }
                rounds.most_rounds = number as u32;
            }
            (Parameter::MostTraffic, Live::Rounds(rounds)) => rounds.most_traffic = number,
            (Parameter::WorkingSet, Live::Rounds(rounds)) => rounds.working_set = number,
            (Parameter::Restart, Live::Rounds(rounds)) => rounds.restart = number,
        }
        true
    }

    /// The number of a behaviour; `None` where it is as it would be anyway.
    pub(crate) fn of(self, behaviour: &Behaviour) -> Option<f64> {
        let number = |behaviour: &Behaviour| match (self, &behaviour.live) {
            (Parameter::Switch, _) => Some(behaviour.post_copy.switch),
            (_, Live::PreCopy) => None,
            (Parameter::Enough, Live::Rounds(rounds)) => Some(rounds.enough),
            (Parameter::MostRounds, Live::Rounds(rounds)) => Some(f64::from(rounds.most_rounds)),
            (Parameter::MostTraffic, Live::Rounds(rounds)) => Some(rounds.most_traffic),
            (Parameter::WorkingSet, Live::Rounds(rounds)) => Some(rounds.working_set),
            (Parameter::Restart, Live::Rounds(rounds)) => Some(rounds.restart),
        };
        let usual = Behaviour { live: Live::Rounds(Rounds::default()), post_copy: PostCopy::default() };
        number(behaviour).filter(|&found| Some(found) != number(&usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SharedModel;

    #[test]
    fn numbers_are_said_and_read_again() {
        let mut rounds = Behaviour { live: Live::Rounds(Rounds::default()), ..Behaviour::default() };
        for (at, parameter) in Parameter::ALL.into_iter().enumerate() {
            assert_eq!(parameter.of(&rounds), None);
            let number = at as f64 + 7.0;
            assert!(parameter.set(&mut rounds, number));
            assert_eq!(parameter.of(&rounds), Some(number));
            assert!(!parameter.set(&mut rounds, -1.0) && !parameter.set(&mut rounds, f64::NAN));
            let mut plain = Behaviour::default();
            assert_eq!(parameter.set(&mut plain, 7.0), !parameter.is_of_rounds());
        }
        assert!(!Parameter::MostRounds.set(&mut rounds, 1.5));
    }

    #[test]
    fn models_that_say_the_same_are_equal() {
        let rounds = Behaviour { live: Live::Rounds(Rounds::default()), ..Behaviour::default() };
        assert_eq!(SharedModel::default(), SharedModel::new(Behaviour::default()));
        assert_eq!(SharedModel::new(Rounds::default()), SharedModel::new(rounds));
        assert_ne!(SharedModel::default(), SharedModel::new(rounds));
        assert_ne!(SharedModel::default(), SharedModel::new(PostCopy::default()));
    }
}
