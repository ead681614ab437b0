//! Variables: who sees which, and for how long.

use super::value::Value;
use rustc_hash::FxHashMap;

/// A variable that cannot be changed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    /// `$me`.
    Me,
    /// It was imported from another script.
    Imported,
    /// It was read from a JSON document.
    Included,
    /// It is the parameter of a def.
    Parameter,
    /// A def is being called, and the variable is not its own.
    Outside,
}

impl Fixed {
    /// For `` `$x` is … and cannot be changed``.
    pub(super) fn why(self) -> &'static str {
        match self {
            Fixed::Me => "is the set of the VMs that this script declares",
            Fixed::Imported => "was imported",
            Fixed::Included => "was read from a file",
            Fixed::Parameter => "is a parameter",
            Fixed::Outside => "is a variable outside of this `def`",
        }
    }
}

#[derive(Debug)]
struct Variable {
    value: Value,
    fixed: Option<Fixed>,
    /// Blocks around the one in which it was made.
    depth: usize,
}

/// The variables of a script, or of one call of a def.
#[derive(Debug, Default)]
struct Activation {
    variables: FxHashMap<Box<str>, Variable>,
    /// The names made in each open block, the script (or body) itself first.
    blocks: Vec<Vec<Box<str>>>,
}

/// All variables that are alive while a script is evaluated.
#[derive(Debug)]
pub(super) struct Scope {
    script: Activation,
    calls: Vec<Activation>,
}

/// What came of giving a variable a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assigned {
    Done,
    Fixed(Fixed),
}

impl Activation {
    fn new() -> Self {
        Self { variables: FxHashMap::default(), blocks: vec![Vec::new()] }
    }

    fn make(&mut self, name: &str, value: Value, fixed: Option<Fixed>) {
        let depth = self.blocks.len() - 1;
        let former = self.variables.insert(name.into(), Variable { value, fixed, depth });
        if former.is_none()
            && let Some(block) = self.blocks.last_mut()
        {
            block.push(name.into());
        }
    }
}

impl Scope {
    pub(super) fn new() -> Self {
        Self { script: Activation::new(), calls: Vec::new() }
    }

    fn current(&mut self) -> &mut Activation {
        self.calls.last_mut().unwrap_or(&mut self.script)
    }

    /// The variable, as seen from here.
    fn find(&self, name: &str) -> Option<&Variable> {
        let Some(call) = self.calls.last() else { return self.script.variables.get(name) };
        call.variables
            .get(name)
            .or_else(|| self.script.variables.get(name).filter(|variable| variable.depth == 0))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|variable| &variable.value)
    }

    /// Why a variable cannot be updated; none if it can, or if there is none.
    pub(super) fn fixed(&self, name: &str) -> Option<Fixed> {
        let fixed = self.find(name)?.fixed;
        let outside = || {
            let call = self.calls.last()?;
            (!call.variables.contains_key(name)).then_some(Fixed::Outside)
        };
        fixed.or_else(outside)
    }

    /// `$name = value`: updates the variable, or makes one in the innermost block. A call
    /// makes its own, whatever is outside of it.
    pub(super) fn assign(&mut self, name: &str, value: Value) -> Assigned {
        let calling = !self.calls.is_empty();
        if calling && self.script.variables.get(name).is_some_and(|v| v.fixed == Some(Fixed::Me)) {
            return Assigned::Fixed(Fixed::Me);
        }
        let activation = self.current();
        match activation.variables.get_mut(name) {
            Some(Variable { fixed: Some(fixed), .. }) => return Assigned::Fixed(*fixed),
            Some(variable) => variable.value = value,
            None => activation.make(name, value, None),
        }
        Assigned::Done
    }

    /// A new value of a variable that may not be assigned to, for who owns it.
    pub(super) fn set(&mut self, name: &str, value: Value, fixed: Fixed) {
        self.current().make(name, value, Some(fixed));
    }

    /// Is there such a variable in this script or call?
    pub(super) fn has(&self, name: &str) -> bool {
        self.calls.last().unwrap_or(&self.script).variables.contains_key(name)
    }

    pub(super) fn open_block(&mut self) {
        self.current().blocks.push(Vec::new());
    }

    /// Forgets what the innermost block made.
    pub(super) fn close_block(&mut self) {
        let activation = self.current();
        if activation.blocks.len() > 1
            && let Some(block) = activation.blocks.pop()
        {
            for name in block {
                activation.variables.remove(&name);
            }
        }
    }

    /// Enters a def: nothing is seen but what is outside of all blocks of the script.
    pub(super) fn call(&mut self) {
        self.calls.push(Activation::new());
    }

    pub(super) fn leave(&mut self) {
        self.calls.pop();
    }

    /// Calls within each other.
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// For the nearest one.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.calls.last().unwrap_or(&self.script);
        let mut names: Vec<&str> =
            own.variables.keys().chain(self.script.variables.keys()).map(|name| &**name).collect();
        // The order of a hash table reaches no message.
        names.sort_unstable();
        names.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(scope: &Scope, name: &str) -> Option<i64> {
        match scope.get(name)? {
            Value::Number(quadrille_dsl::Number::Integer(value, _)) => Some(*value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn blocks_forget_what_they_made_and_keep_what_they_changed() {
        let mut scope = Scope::new();
        assert_eq!(scope.assign("a", Value::integer(1)), Assigned::Done);
        scope.open_block();
        scope.assign("a", Value::integer(2));
        scope.assign("b", Value::integer(3));
        assert_eq!(text(&scope, "b"), Some(3));
        scope.close_block();
        assert_eq!((text(&scope, "a"), text(&scope, "b")), (Some(2), None));
        scope.close_block();
        assert_eq!(text(&scope, "a"), Some(2));
    }

    #[test]
    fn calls_see_the_script_but_no_block() {
        let mut scope = Scope::new();
        scope.set("me", Value::integer(0), Fixed::Me);
        scope.assign("a", Value::integer(1));
        scope.open_block();
        scope.assign("b", Value::integer(2));
        scope.call();
        scope.set("p", Value::integer(3), Fixed::Parameter);
        assert_eq!((text(&scope, "a"), text(&scope, "b")), (Some(1), None));
        assert_eq!(scope.assign("p", Value::integer(4)), Assigned::Fixed(Fixed::Parameter));
        assert_eq!(scope.assign("me", Value::integer(4)), Assigned::Fixed(Fixed::Me));
        assert_eq!(scope.fixed("a"), Some(Fixed::Outside));
        assert_eq!(scope.assign("a", Value::integer(9)), Assigned::Done);
        assert_eq!((text(&scope, "a"), scope.fixed("a")), (Some(9), None));
        scope.leave();
        assert_eq!((text(&scope, "a"), text(&scope, "b"), text(&scope, "p")), (Some(1), Some(2), None));
    }
}
