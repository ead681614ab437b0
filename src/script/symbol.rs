//! Symbols: what scripts show each other, what they include, and what a variable is.

use super::evaluate::Export;
use super::evaluate::Run;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::load::Include;
use super::scope::Fixed;
use super::value::Set;
use super::value::Value;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind as EnumerationKind;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::Word;
use std::rc::Rc;

impl<'p> Run<'p, '_> {
    /// Makes the symbols of other scripts known.
    pub(super) fn imports(&mut self) {
        for import in &self.script.imports {
            if import.faulty {
                self.uncertain.push(import.path.clone());
            }
            for (script, namespace) in &import.scripts {
                if self.session.faulty.get(*script).copied().unwrap_or(true) {
                    self.uncertain.push(namespace.clone());
                }
                for export in self.session.exports.get(*script).into_iter().flatten() {
                    let name = match export.name.as_str() {
                        "me" => namespace.clone(),
                        name => format!("{namespace}.{name}"),
                    };
                    if export.to.iter().any(|to| sees(to, &self.script.namespace)) {
                        self.imported.insert(name, export.value.clone());
                    } else {
                        self.hidden.insert(name);
                    }
                }
            }
        }
    }

    /// Gives the values of a document their names.
    pub(super) fn include(&mut self, include: &'p Include) {
        let name = &include.name;
        if self.scope.has(&name.value) || self.unusable.contains_key(&name.value) {
            self.error("E0106", name.span, format!("there is a variable `${}` already", name.value));
            return;
        }
        let Some(document) = &include.value else {
            self.uncertain.push(name.value.clone());
            return;
        };
        for (path, value) in &document.values {
            let full = format!("{}{path}", name.value);
            match value {
                Ok(value) => self.scope.set(&full, value.clone(), Fixed::Included),
                Err(why) => {
                    self.unusable.insert(full, why.clone());
                }
            }
        }
    }

    /// The value of a variable.
    pub(super) fn variable(&mut self, name: &str, span: Span) -> Value {
        if name == "me" {
            let me = &self.me;
            let set = self.me_set.get_or_insert_with(|| Set::of_vms(me.as_slice()));
            return Value::Set(set.clone());
        }
        if let Some(value) = self.scope.get(name) {
            return value.clone();
        }
        if let Some(value) = self.imported.get(name) {
            return value.clone();
        }
        let begins = |prefix: &String| {
            name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if self.uncertain.iter().any(begins) || self.session.lost.has(EnumerationKind::Variable, name) {
            return Value::Unknown;
        }
        let fault = if let Some(why) = self.unusable.get(name) {
            Fault::new("E0507", format!("`${name}` has no value: it is {why}"))
        } else if self.hidden.contains(name) {
            Fault::new(
                "E0508",
                format!("`${name}` exists, but is not exported to `{}`", self.script.namespace),
            )
        } else {
            let fault = Fault::new("E0103", format!("there is no variable `${name}` here"));
            let mut imported: Vec<&str> = self.imported.keys().map(String::as_str).collect();
            imported.sort_unstable();
            let near = did_you_mean(name, self.scope.names().chain(imported));
            match near {
                Some(near) => fault.help(near.replacen('`', "`$", 1)),
                None => fault,
            }
        };
        self.fault(span, fault);
        Value::Unknown
    }

    /// `export $x to *;`
    pub(super) fn export(&mut self, what: &'p [Spanned<Expression>], to: &'p [Word]) {
        let to: Rc<[String]> = to.iter().map(|word| word.value.clone()).collect();
        for expression in what {
            self.export_one(expression, &to);
        }
    }

    fn export_one(&mut self, expression: &'p Spanned<Expression>, to: &Rc<[String]>) {
        match &expression.value {
            Expression::Variable(name) => self.export_variable(name, expression.span, to),
            Expression::Set(members) => {
                if self.descend(expression.span) {
                    for member in members {
                        self.export_one(member, to);
                    }
                    self.ascend();
                }
            }
            Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                self.each_name(expression.span, head, elements, tail, &mut |run, name, span| {
                    run.export_variable(name, span, to);
                    true
                });
            }
            _ => self.error("E0205", expression.span, "only variables can be exported"),
        }
    }

    fn export_variable(&mut self, name: &str, span: Span, to: &Rc<[String]>) {
        let value = self.variable(name, span);
        if let Some(exports) = self.session.exports.get_mut(self.index) {
            exports.push(Export { name: name.to_owned(), value, to: to.clone() });
        }
    }
}

/// Does an export to `to` reach a namespace?
fn sees(to: &str, namespace: &str) -> bool {
    match to.strip_suffix(".*") {
        Some(prefix) => namespace.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => to == "*" || to == namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::sees;

    #[test]
    fn who_sees_what() {
        for (to, namespace, seen) in [
            ("*", "a", true),
            ("a", "a", true),
            ("a", "a.b", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*", "a", false),
            ("a.*", "ab.c", false),
        ] {
            assert_eq!(sees(to, namespace), seen, "{to} {namespace}");
        }
    }
}
