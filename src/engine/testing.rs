//! Rules are tested by enumeration: every conclusion must follow from its reason.

use super::Atom;
use super::Propagator;
use super::Stop;
use super::Store;
use super::Var;
use super::View;

/// Domains of a few variables.
#[derive(Clone, Debug)]
pub(crate) struct Domains(pub(crate) Vec<Vec<i32>>);

impl View for Domains {
    fn contains(&self, var: Var, value: i32) -> bool {
        self.0[var.0 as usize].contains(&value)
    }

    fn least(&self, var: Var) -> i32 {
        self.0[var.0 as usize].iter().copied().min().unwrap_or(i32::MAX)
    }

    fn most(&self, var: Var) -> i32 {
        self.0[var.0 as usize].iter().copied().max().unwrap_or(i32::MIN)
    }
}

fn allows(atom: Atom, value: i32) -> bool {
    match atom {
        Atom::Is(_, other) => value == other,
        Atom::Not(_, other) => value != other,
        Atom::AtLeast(_, least) => value >= least,
        Atom::AtMost(_, most) => value <= most,
    }
}

fn var(atom: Atom) -> Var {
    match atom {
        Atom::Is(var, _) | Atom::Not(var, _) | Atom::AtLeast(var, _) | Atom::AtMost(var, _) => var,
    }
}

/// What a rule concluded: the reason, and what follows (nothing: a contradiction).
type Conclusion = (Vec<Atom>, Option<Atom>);

struct Watched {
    domains: Domains,
    conclusions: Vec<Conclusion>,
}

impl View for Watched {
    fn contains(&self, var: Var, value: i32) -> bool {
        self.domains.contains(var, value)
    }

    fn least(&self, var: Var) -> i32 {
        self.domains.least(var)
    }

    fn most(&self, var: Var) -> i32 {
        self.domains.most(var)
    }
}

impl Store for Watched {
    fn imply(&mut self, atom: Atom, reason: &[Atom]) -> Result<(), Stop> {
        let domain = &mut self.domains.0[var(atom).0 as usize];
        if domain.iter().all(|&value| allows(atom, value)) {
            return Ok(());
        }
        self.conclusions.push((reason.to_vec(), Some(atom)));
        domain.retain(|&value| allows(atom, value));
        if domain.is_empty() { Err(Stop::Emptied) } else { Ok(()) }
    }
}

/// All values from the domains, one of each.
pub(crate) fn assignments(domains: &[Vec<i32>]) -> Vec<Vec<i32>> {
    let mut all = vec![Vec::new()];
    for domain in domains {
        all = all
            .into_iter()
            .flat_map(|start| domain.iter().map(move |&value| [&start[..], &[value]].concat()))
            .collect();
    }
    all
}

/// Runs a rule on narrowed domains to its fixpoint. Every reason must hold there, and
/// whatever satisfies it and the rule, within the whole domains, must satisfy what was
/// concluded; where all is decided, the rule must notice when it is broken.
pub(crate) fn check(
    rule: &impl Propagator,
    whole: &[Vec<i32>],
    narrowed: &Domains,
    holds: &dyn Fn(&[i32]) -> bool,
) -> Result<(), String> {
    let mut rule = rule.clone();
    let mut watched = Watched { domains: narrowed.clone(), conclusions: Vec::new() };
    let all: Vec<Vec<i32>> = assignments(whole).into_iter().filter(|values| holds(values)).collect();
    let refuted = loop {
        let before = watched.domains.0.clone();
        let seen = watched.conclusions.len();
        match rule.propagate(&mut watched) {
            Ok(()) => {}
            Err(Stop::Conflict(reason)) => {
                watched.conclusions.push((reason, None));
            }
            Err(Stop::Emptied) => {}
        }
        for (reason, atom) in &watched.conclusions[seen..] {
            let holds_now = |atom: &Atom| narrowed_or_concluded(&before, &watched.conclusions[..], *atom);
            if let Some(idle) = reason.iter().find(|atom| !holds_now(atom)) {
                return Err(format!("{idle:?} is given as a reason and does not hold in {before:?}"));
            }
            let follows = |values: &&Vec<i32>| {
                reason.iter().all(|&atom| allows(atom, values[var(atom).0 as usize]))
                    && atom.is_none_or(|atom| !allows(atom, values[var(atom).0 as usize]))
            };
            if let Some(values) = all.iter().find(follows) {
                return Err(format!("{values:?} is right, and excluded by {atom:?} because {reason:?}"));
            }
        }
        let conflict = watched.conclusions.last().is_some_and(|last| last.1.is_none());
        if conflict || watched.domains.0.iter().any(Vec::is_empty) {
            break true;
        }
        if watched.domains.0 == before {
            break false;
        }
    };
    let decided: Option<Vec<i32>> =
        narrowed.0.iter().map(|domain| if let [only] = domain[..] { Some(only) } else { None }).collect();
    match decided {
        Some(values) if !holds(&values) && !refuted => {
            Err(format!("{values:?} is wrong and was not noticed"))
        }
        _ => Ok(()),
    }
}

/// Does the statement hold in the domains, or was it concluded since?
fn narrowed_or_concluded(domains: &[Vec<i32>], concluded: &[Conclusion], atom: Atom) -> bool {
    domains[var(atom).0 as usize].iter().all(|&value| {
        allows(atom, value)
            || concluded
                .iter()
                .filter_map(|row| row.1)
                .any(|other| var(other) == var(atom) && !allows(other, value))
    })
}
