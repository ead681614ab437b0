//! Names that are declared where the text, or a value, is not understood. To find them
//! unknown elsewhere is no second mistake.

use quadrille_dsl::Block;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind;
use quadrille_dsl::Spanned;
use quadrille_dsl::Statement;
use rustc_hash::FxHashSet;

/// What may or may not exist.
#[derive(Debug, Default)]
pub(super) struct Lost {
    names: FxHashSet<(Kind, String)>,
    /// What names begin with.
    heads: FxHashSet<(Kind, String)>,
}

impl Lost {
    /// Everything that a target stands for.
    pub(super) fn target(&mut self, target: &Expression) {
        let mut open = vec![target];
        while let Some(target) = open.pop() {
            match target {
                Expression::Name(name) | Expression::QuotedName(name) => {
                    self.names.insert((Kind::Name, name.clone()));
                }
                Expression::Node(name) => {
                    self.names.insert((Kind::Node, name.clone()));
                }
                Expression::Variable(name) => {
                    self.names.insert((Kind::Variable, name.clone()));
                }
                Expression::Enumeration { kind, head, .. } => {
                    self.heads.insert((*kind, head.clone()));
                }
                Expression::Set(members) => open.extend(members.iter().map(|member| &member.value)),
                _ => {}
            }
        }
    }

    /// What a statement would have declared that breaks off before a mistake: `VM[1..3 :`.
    pub(super) fn beginning(&mut self, before: &str) {
        let start = before.rfind([';', '{', '}']).map_or(0, |at| at + 1);
        let statement = before.get(start..).unwrap_or_default().trim_start();
        let (kind, rest) = match statement.strip_prefix('@') {
            Some(rest) => (Kind::Node, rest),
            None => (Kind::Name, statement),
        };
        if let Some((head, _)) = rest.split_once('[')
            && !head.is_empty()
            && head.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        {
            self.heads.insert((kind, head.to_owned()));
        }
    }

    /// Everything that a block may declare.
    pub(super) fn block(&mut self, block: &Block) {
        let mut open: Vec<&Spanned<Statement>> = block.statements.iter().collect();
        while let Some(statement) = open.pop() {
            match &statement.value {
                Statement::Declaration { target, .. } => self.target(&target.value),
                Statement::For { body, .. } => open.extend(&body.statements),
                Statement::If { then, otherwise, .. } => {
                    open.extend(&then.statements);
                    open.extend(otherwise.iter().flat_map(|block| &block.statements));
                }
                _ => {}
            }
        }
    }

    /// May it exist?
    pub(super) fn has(&self, kind: Kind, name: &str) -> bool {
        if self.names.is_empty() && self.heads.is_empty() {
            return false;
        }
        self.names.contains(&(kind, name.to_owned()))
            || self.heads.iter().any(|(other, head)| *other == kind && name.starts_with(head.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_exist() {
        let (tree, _) = quadrille_dsl::parse("{VM1, DB[1..3]} : small; if $x { @n[1..2] : node; $y = 1; }");
        let mut lost = Lost::default();
        for statement in &tree.statements {
            match &statement.value {
                Statement::Declaration { target, .. } => lost.target(&target.value),
                Statement::If { then, .. } => lost.block(then),
                other => panic!("{other:?}"),
            }
        }
        assert!(lost.has(Kind::Name, "VM1") && lost.has(Kind::Name, "DB7") && lost.has(Kind::Node, "n1"));
        assert!(
            !lost.has(Kind::Name, "VM2") && !lost.has(Kind::Node, "DB1") && !lost.has(Kind::Variable, "y")
        );
    }
}
