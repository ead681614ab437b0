//! All expressions of a tree.

use quadrille_dsl::Body;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Filter;
use quadrille_dsl::Setting;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Statement;

pub(crate) fn expressions(statements: &[Spanned<Statement>], see: &mut impl FnMut(&Spanned<Expression>)) {
    for statement in statements {
        match &statement.value {
            Statement::Declaration { target, options, state, .. } => {
                inner(target, see);
                settings(options, see);
                if let Some(State::Running(place) | State::Sleeping(place)) =
                    state.as_ref().map(|one| &one.value)
                {
                    inner(place, see);
                }
            }
            Statement::Template { options, .. } | Statement::Network { options, .. } => {
                settings(options, see)
            }
            Statement::Switch(switches) => {
                for switch in switches {
                    inner(&switch.names, see);
                    settings(&switch.options, see);
                }
            }
            Statement::Link { ends, options, .. } => {
                inner(ends, see);
                settings(options, see);
            }
            Statement::Route { from, to, .. } => {
                inner(from, see);
                inner(to, see);
            }
            Statement::Definition { target, value, .. } => {
                inner(target, see);
                inner(value, see);
            }
            Statement::For { over, body, .. } => {
                inner(over, see);
                expressions(&body.statements, see);
            }
            Statement::If { condition, then, otherwise } => {
                inner(condition, see);
                expressions(&then.statements, see);
                otherwise.iter().for_each(|block| expressions(&block.statements, see));
            }
            Statement::Rule { arguments, soft, .. } => {
                arguments.iter().chain(soft).for_each(|one| inner(one, see))
            }
            Statement::Export { what, .. } => what.iter().for_each(|one| inner(one, see)),
            Statement::Function { body: Body::Value(value), .. } => inner(value, see),
            Statement::Function { body: Body::Block(body), .. } => expressions(&body.statements, see),
            Statement::Namespace(_)
            | Statement::Import { .. }
            | Statement::Include { .. }
            | Statement::Resource(_)
            | Statement::Objective(_) => {}
        }
    }
}

fn settings(settings: &[Spanned<Setting>], see: &mut impl FnMut(&Spanned<Expression>)) {
    settings.iter().filter_map(|one| one.value.value.as_ref()).for_each(|value| inner(value, see));
}

fn inner(expression: &Spanned<Expression>, see: &mut impl FnMut(&Spanned<Expression>)) {
    see(expression);
    match &expression.value {
        Expression::Set(members) | Expression::Call(_, members) => {
            members.iter().for_each(|one| inner(one, see))
        }
        Expression::Enumeration { elements, .. } => {
            for element in elements {
                match &element.value {
                    Element::Range(first, last) => {
                        inner(first, see);
                        inner(last, see);
                    }
                    Element::One(value) => inner(&Spanned { value: value.clone(), span: element.span }, see),
                }
            }
        }
        Expression::Parentheses(one) | Expression::Unary(_, one) => inner(one, see),
        Expression::Binary(left, _, right) => {
            inner(left, see);
            inner(right, see);
        }
        Expression::All(selection) => {
            for filter in &selection.filters {
                match &filter.value {
                    Filter::On(one) | Filter::In(one) | Filter::With(_, Some((_, one))) => inner(one, see),
                    Filter::Tagged(_) | Filter::Named(_) | Filter::With(_, None) => {}
                }
            }
        }
        Expression::Name(_)
        | Expression::QuotedName(_)
        | Expression::Node(_)
        | Expression::Variable(_)
        | Expression::Number(_)
        | Expression::Text(_)
        | Expression::Blank => {}
    }
}
