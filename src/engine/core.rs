//! The bridge to Pumpkin, a solver by lazy clause generation in pure Rust.
//!
//! What was learnt about version 0.5: times must not be negative in its cumulative
//! constraint, domains are 32 bits wide, reasons are given at once (ours are), and it
//! asserts rather than returns errors. So whoever builds on it wraps the whole in
//! [`guarded`] and checks every answer.

use super::Atom;
use super::Guide;
use super::Meter;
use super::Propagator;
use super::Stop;
use super::Store;
use super::Var;
use super::Verdict;
use super::View;
use pumpkin_conflict_resolvers::resolvers::ResolutionResolver;
use pumpkin_core::Solver;
use pumpkin_core::branching::Brancher;
use pumpkin_core::branching::BrancherEvent;
use pumpkin_core::branching::SelectionContext;
use pumpkin_core::options::SolverOptions;
use pumpkin_core::predicate;
use pumpkin_core::predicates::Predicate;
use pumpkin_core::predicates::PropositionalConjunction;
use pumpkin_core::proof::ConstraintTag;
use pumpkin_core::proof::InferenceCode;
use pumpkin_core::propagation::DomainEvents;
use pumpkin_core::propagation::EventsToRegister;
use pumpkin_core::propagation::LocalId;
use pumpkin_core::propagation::PropagationContext;
use pumpkin_core::propagation::PropagatorConstructor;
use pumpkin_core::propagation::PropagatorConstructorContext;
use pumpkin_core::propagation::PropagatorSpec;
use pumpkin_core::propagation::ReadDomains;
use pumpkin_core::propagation::RuntimeCheckers;
use pumpkin_core::results::ProblemSolution;
use pumpkin_core::results::SatisfactionResultUnderAssumptions;
use pumpkin_core::state::Conflict;
use pumpkin_core::state::EmptyDomainConflict;
use pumpkin_core::state::PropagationStatusCP;
use pumpkin_core::state::PropagatorConflict;
use pumpkin_core::termination::TerminationCondition;
use pumpkin_core::variables::DomainId;
use pumpkin_core::variables::TransformableVariable;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// Runs something that builds on [`Core`]; `None` where the solver gave up by a panic.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

/// Variables, rules, and the search for values.
pub struct Core {
    solver: Solver,
    vars: Vec<DomainId>,
    learner: ResolutionResolver,
    /// A clause without statements was asked for.
    absurd: bool,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("vars", &self.vars.len()).finish_non_exhaustive()
    }
}

impl Default for Core {
    fn default() -> Self {
        // The default sets 50 MB aside for clauses, for each core.
        let options = SolverOptions { memory_preallocated: 1, ..SolverOptions::default() };
        Self {
            solver: Solver::with_options(options),
            vars: Vec::new(),
            learner: ResolutionResolver::default(),
            absurd: false,
        }
    }
}

impl Core {
    /// A variable over these values, of which there is at least one.
    pub fn among(&mut self, values: &[i32]) -> Var {
        let id = match *values {
            [] => {
                self.absurd = true;
                self.solver.new_bounded_integer(0, 0)
            }
            [only] => self.solver.new_bounded_integer(only, only),
            _ => self.solver.new_sparse_integer(values),
        };
        self.vars.push(id);
        Var(self.vars.len() as u32 - 1)
    }

    /// A variable from `least` to `most`.
    pub fn between(&mut self, least: i32, most: i32) -> Var {
        self.vars.push(self.solver.new_bounded_integer(least, most.max(least)));
        self.absurd |= most < least;
        Var(self.vars.len() as u32 - 1)
    }

    fn is_refuted(&self) -> bool {
        self.absurd || self.solver.is_inconsistent()
    }

    fn predicate(&self, atom: Atom) -> Predicate {
        to_predicate(&self.vars, atom)
    }

    /// One of the statements holds.
    pub fn clause(&mut self, atoms: &[Atom]) {
        self.absurd |= atoms.is_empty();
        if self.is_refuted() {
            return;
        }
        let tag = self.solver.new_constraint_tag();
        let clause: Vec<Predicate> = atoms.iter().map(|&atom| self.predicate(atom)).collect();
        self.solver.add_clause(clause, tag);
    }

    /// The weighted sum is at most this.
    pub fn sum_at_most(&mut self, terms: &[(i32, Var)], most: i32) {
        // A sum of nothing is refused by the solver.
        self.absurd |= terms.is_empty() && most < 0;
        if self.is_refuted() || terms.is_empty() {
            return;
        }
        let tag = self.solver.new_constraint_tag();
        let terms: Vec<_> =
            terms.iter().map(|&(weight, var)| self.vars[var.0 as usize].scaled(weight)).collect();
        self.solver.add_constraint(pumpkin_constraints::less_than_or_equals(terms, most, tag)).post();
    }

    /// Tasks (start, duration, use) never use more than the capacity at once. Starts and
    /// uses are not negative, durations positive.
    pub fn cumulative(&mut self, tasks: &[(Var, i32, i32)], capacity: i32) {
        if self.is_refuted() || tasks.is_empty() {
            return;
        }
        let tag = self.solver.new_constraint_tag();
        let starts: Vec<DomainId> = tasks.iter().map(|task| self.vars[task.0.0 as usize]).collect();
        let durations: Vec<i32> = tasks.iter().map(|task| task.1).collect();
        let uses: Vec<i32> = tasks.iter().map(|task| task.2).collect();
        let rule = pumpkin_constraints::cumulative(starts, durations, uses, capacity, tag);
        self.solver.add_constraint(rule).post();
    }

    /// A rule of our own.
    pub fn post(&mut self, rule: impl Propagator) {
        if self.is_refuted() {
            return;
        }
        let tag = self.solver.new_constraint_tag();
        let _ = self.solver.add_propagator(Posted { vars: self.vars.clone(), rule, tag });
    }

    /// Looks for values under which everything holds, and the assumptions, of which no two
    /// are about one variable. What was learnt is kept for the next call.
    pub fn solve(&mut self, assumptions: &[Atom], guide: &mut dyn Guide, meter: &mut Meter) -> Verdict {
        if self.is_refuted() {
            return Verdict::Refuted;
        }
        let assumed: Vec<Predicate> = assumptions.iter().map(|&atom| self.predicate(atom)).collect();
        let vars = self.vars.clone();
        let largest = vars.iter().map(|id| id.id() as usize + 1).max().unwrap_or(0);
        let mut names = vec![u32::MAX; largest];
        for (at, id) in vars.iter().enumerate() {
            names[id.id() as usize] = at as u32;
        }
        let mut brancher = Led { vars: &vars, names, guide };
        let mut until = Until(meter);
        let result =
            self.solver.satisfy_under_assumptions(&mut brancher, &mut until, &mut self.learner, &assumed);
        match result {
            SatisfactionResultUnderAssumptions::Satisfiable(found) => {
                let solution = found.solution();
                Verdict::Found(vars.iter().map(|&id| solution.get_integer_value(id)).collect())
            }
            SatisfactionResultUnderAssumptions::UnsatisfiableUnderAssumptions(_)
            | SatisfactionResultUnderAssumptions::Unsatisfiable(_) => Verdict::Refuted,
            SatisfactionResultUnderAssumptions::Unknown(_) => Verdict::Unknown,
        }
    }
}

fn to_predicate(vars: &[DomainId], atom: Atom) -> Predicate {
    let id = |var: Var| vars[var.0 as usize];
    match atom {
        Atom::Is(var, value) => {
            let var = id(var);
            predicate![var == value]
        }
        Atom::Not(var, value) => {
            let var = id(var);
            predicate![var != value]
        }
        Atom::AtLeast(var, value) => {
            let var = id(var);
            predicate![var >= value]
        }
        Atom::AtMost(var, value) => {
            let var = id(var);
            predicate![var <= value]
        }
    }
}

struct Until<'m>(&'m mut Meter);

impl TerminationCondition for Until<'_> {
    fn should_stop(&mut self) -> bool {
        self.0.step()
    }
}

/// One of our rules as the solver wants it.
struct Posted<P> {
    vars: Vec<DomainId>,
    rule: P,
    tag: ConstraintTag,
}

impl<P: Propagator> PropagatorConstructor for Posted<P> {
    type PropagatorImpl = Running<P>;

    fn create(self, _: PropagatorConstructorContext<'_>) -> PropagatorSpec<Running<P>> {
        let mut registration = EventsToRegister::empty();
        for (at, var) in self.rule.watched().into_iter().enumerate() {
            let id = self.vars[var.0 as usize];
            registration.add(&id, DomainEvents::ANY_INT, LocalId::from(at as u32));
        }
        let code = InferenceCode::unknown_label(self.tag);
        PropagatorSpec {
            registration,
            checkers: RuntimeCheckers::empty(),
            propagator: Running { vars: self.vars, rule: RefCell::new(self.rule), code },
        }
    }
}

#[derive(Clone, Debug)]
struct Running<P> {
    vars: Vec<DomainId>,
    /// The solver asks for propagation without state through a shared reference.
    rule: RefCell<P>,
    code: InferenceCode,
}

impl<P: Propagator> pumpkin_core::propagation::Propagator for Running<P> {
    fn name(&self) -> &str {
        self.rule.borrow().name()
    }

    fn propagate_from_scratch(&self, context: PropagationContext<'_>) -> PropagationStatusCP {
        let mut store = Seen { context, vars: &self.vars, code: &self.code, emptied: None };
        let status = self.rule.borrow_mut().propagate(&mut store);
        match (status, store.emptied) {
            (Ok(()), _) => Ok(()),
            (Err(Stop::Emptied), Some(emptied)) => Err(emptied.into()),
            (Err(Stop::Emptied), None) => Err(self.conflict(&[])),
            (Err(Stop::Conflict(atoms)), _) => Err(self.conflict(&atoms)),
        }
    }
}

impl<P> Running<P> {
    fn conflict(&self, atoms: &[Atom]) -> Conflict {
        Conflict::Propagator(PropagatorConflict {
            conjunction: atoms.iter().map(|&atom| to_predicate(&self.vars, atom)).collect(),
            inference_code: self.code.clone(),
        })
    }
}

struct Seen<'a> {
    context: PropagationContext<'a>,
    vars: &'a [DomainId],
    code: &'a InferenceCode,
    emptied: Option<EmptyDomainConflict>,
}

impl View for Seen<'_> {
    fn contains(&self, var: Var, value: i32) -> bool {
        self.context.contains(&self.vars[var.0 as usize], value)
    }

    fn least(&self, var: Var) -> i32 {
        self.context.lower_bound(&self.vars[var.0 as usize])
    }

    fn most(&self, var: Var) -> i32 {
        self.context.upper_bound(&self.vars[var.0 as usize])
    }
}

impl Store for Seen<'_> {
    fn imply(&mut self, atom: Atom, reason: &[Atom]) -> Result<(), Stop> {
        let predicate = to_predicate(self.vars, atom);
        if self.context.evaluate_predicate(predicate) == Some(true) {
            return Ok(());
        }
        let reason: PropositionalConjunction =
            reason.iter().map(|&atom| to_predicate(self.vars, atom)).collect();
        self.context.post(predicate, (reason, self.code)).map_err(|emptied| {
            self.emptied = Some(emptied);
            Stop::Emptied
        })
    }
}

/// A guide as the solver wants it.
struct Led<'a> {
    vars: &'a [DomainId],
    /// By the solver's number of a variable: ours.
    names: Vec<u32>,
    guide: &'a mut dyn Guide,
}

impl Led<'_> {
    fn var(&self, id: DomainId) -> Option<Var> {
        self.names.get(id.id() as usize).filter(|&&at| at != u32::MAX).map(|&at| Var(at))
    }
}

impl std::fmt::Debug for Led<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.guide.fmt(f)
    }
}

struct Chosen<'a, 'b> {
    context: &'a SelectionContext<'b>,
    vars: &'a [DomainId],
}

impl View for Chosen<'_, '_> {
    fn contains(&self, var: Var, value: i32) -> bool {
        self.context.contains(self.vars[var.0 as usize], value)
    }

    fn least(&self, var: Var) -> i32 {
        self.context.lower_bound(self.vars[var.0 as usize])
    }

    fn most(&self, var: Var) -> i32 {
        self.context.upper_bound(self.vars[var.0 as usize])
    }
}

impl Brancher for Led<'_> {
    fn next_decision(&mut self, context: &mut SelectionContext<'_>) -> Option<Predicate> {
        let atom = self.guide.choose(&Chosen { context, vars: self.vars })?;
        Some(to_predicate(self.vars, atom))
    }

    fn on_conflict(&mut self) {
        self.guide.failed();
    }

    fn on_unassign_integer(&mut self, variable: DomainId, value: i32) {
        if let Some(var) = self.var(variable) {
            self.guide.released(var, value);
        }
    }

    fn on_appearance_in_conflict_predicate(&mut self, predicate: Predicate) {
        if let Some(var) = self.var(predicate.get_domain()) {
            self.guide.blame(var);
        }
    }

    fn is_restart_pointless(&mut self) -> bool {
        false
    }

    fn subscribe_to_events(&self) -> Vec<BrancherEvent> {
        vec![
            BrancherEvent::Conflict,
            BrancherEvent::UnassignInteger,
            BrancherEvent::AppearanceInConflictPredicate,
        ]
    }
}
