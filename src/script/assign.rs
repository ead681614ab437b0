//! Variables get values.

use super::evaluate::Run;
use super::fault::Fault;
use super::scope::Assigned;
use super::scope::Fixed;
use super::value::Set;
use super::value::Value;
use quadrille_dsl::Binary;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind as EnumerationKind;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;

impl<'p> Run<'p, '_> {
    /// `$x = e;`, `$x += e;`, `{$a, _} = e;`
    pub(super) fn definition(
        &mut self,
        target: &'p Spanned<Expression>,
        operator: Option<Binary>,
        value: &'p Spanned<Expression>,
        span: Span,
    ) {
        let Some(operator) = operator else {
            let value = self.value(value);
            self.assign(target, value);
            return;
        };
        let Expression::Variable(name) = &target.value else {
            self.value(value);
            let sign = operator.sign();
            self.error("E0205", target.span, format!("`{sign}=` changes a variable; this is none"));
            return;
        };
        let former = self.variable(name, target.span);
        let added = self.value(value);
        if let Some(fixed) = self.fixed(name) {
            self.immutable(name, target.span, fixed);
            return;
        }
        let result = self.apply(operator, span, &former, &added);
        self.assign(target, result);
    }

    /// Why a variable may not be changed, if it may not.
    fn fixed(&self, name: &str) -> Option<Fixed> {
        let imported = || {
            let is_there = self.imported.contains_key(name) && !self.scope.has(name);
            is_there.then_some(Fixed::Imported)
        };
        self.scope.fixed(name).or_else(imported)
    }

    fn immutable(&mut self, name: &str, span: Span, fixed: Fixed) {
        self.error("E0107", span, format!("`${name}` {} and cannot be changed", fixed.why()));
    }

    /// Gives a variable, or the variables of a set, a value.
    fn assign(&mut self, target: &'p Spanned<Expression>, value: Value) {
        match &target.value {
            Expression::Variable(name) => self.assign_variable(name, target.span, value),
            Expression::Set(targets) => {
                let Some(members) = self.members(&value, target.span) else { return };
                let mut next = Position(0);
                for target in targets {
                    match &target.value {
                        Expression::Blank => {
                            next.take(&members);
                        }
                        Expression::Variable(name) => match next.take(&members) {
                            Some(value) => self.assign_variable(name, target.span, value),
                            None => break,
                        },
                        Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                            self.assign_enumeration(target.span, (head, elements, tail), &members, &mut next);
                        }
                        _ => self.no_target(target.span),
                    }
                }
            }
            Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                let Some(members) = self.members(&value, target.span) else { return };
                self.assign_enumeration(target.span, (head, elements, tail), &members, &mut Position(0));
            }
            _ => self.no_target(target.span),
        }
    }

    fn no_target(&mut self, span: Span) {
        let fault = Fault::new("E0205", "a value can be given to variables only")
            .help("`$x = …;` or `{$a, _, $b} = …;`");
        self.fault(span, fault);
    }

    fn assign_variable(&mut self, name: &str, span: Span, value: Value) {
        self.met(span, &value);
        if self.imported.contains_key(name) && !self.scope.has(name) {
            return self.immutable(name, span, Fixed::Imported);
        }
        if let Assigned::Fixed(fixed) = self.scope.assign(name, value) {
            self.immutable(name, span, fixed);
        }
    }

    fn assign_enumeration(
        &mut self,
        span: Span,
        (head, elements, tail): (&'p str, &'p [Spanned<quadrille_dsl::Element>], &'p str),
        members: &Members,
        next: &mut Position,
    ) {
        self.each_name(span, head, elements, tail, &mut |run, name, at| {
            let value = next.take(members);
            if let Some(value) = &value {
                run.assign_variable(name, at, value.clone());
            }
            value.is_some()
        });
    }

    /// The members of what is to be taken apart.
    fn members(&mut self, value: &Value, span: Span) -> Option<Members> {
        match value {
            Value::Set(set) => Some(Members::Of(set.clone())),
            Value::Unknown => Some(Members::Unknown),
            other => {
                let message = format!("only a set can be taken apart, this is a {}", other.type_name());
                self.error("E0204", span, message);
                None
            }
        }
    }
}

/// What is taken apart.
enum Members {
    Of(Set),
    Unknown,
}

/// The next member.
struct Position(usize);

impl Position {
    fn take(&mut self, members: &Members) -> Option<Value> {
        self.0 += 1;
        match members {
            Members::Of(set) => set.get(self.0 - 1),
            Members::Unknown => Some(Value::Unknown),
        }
    }
}
